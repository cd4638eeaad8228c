"""An endpoint's routes on the HTTP API of its stage."""

from collections.abc import Sequence

from aws_cdk import aws_apigatewayv2 as api
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from halftone.domain.model.manifest import Interface


class Routes(Construct):
    """Where clients reach an endpoint: all paths below its own, and as a model of the Open
    Inference Protocol all below ``/v2/models``, to the alias. The function decides by the path
    (``halftone.serving.http.request``), so that an endpoint takes few of the API's routes.

    The permission to invoke stands on the alias, too: one on the function would not let API
    Gateway call it through the alias.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        http_api: api.IHttpApi,
        endpoint: str,
        alias: lambda_.IAlias,
        interface: Interface = Interface.RECORDS,
    ) -> None:
        super().__init__(scope, construct_id)
        self.base = f"/endpoints/{endpoint}"
        app = interface is Interface.HTTP
        self.path = f"{self.base}/app/" if app else f"{self.base}/invocations"
        integration = integrations.HttpLambdaIntegration(
            "Integration", alias, payload_format_version=api.PayloadFormatVersion.VERSION_2_0
        )
        for name, path in _paths(endpoint, interface):
            api.HttpRoute(
                self,
                name,
                http_api=http_api,
                route_key=api.HttpRouteKey.with_(path, api.HttpMethod.ANY),
                integration=integration,
            )


def _paths(endpoint: str, interface: Interface) -> Sequence[tuple[str, str]]:
    """Construct ids and paths. A greedy path does not match its own beginning."""
    base, model = f"/endpoints/{endpoint}", f"/v2/models/{endpoint}"
    below = "/{proxy+}"
    paths = [("Describe", base), ("Below", base + below)]
    if interface is Interface.RECORDS:
        paths += [("Model", model), ("BelowModel", model + below)]
    return paths
