"""An endpoint's routes on the HTTP API of its stage."""

from collections.abc import Iterator

from aws_cdk import aws_apigatewayv2 as api
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from halftone.domain.model.manifest import Interface

_GET, _POST, _ANY = api.HttpMethod.GET, api.HttpMethod.POST, api.HttpMethod.ANY
Route = tuple[str, api.HttpMethod, str]


class Routes(Construct):
    """Where clients reach an endpoint, all to the alias: what it tells of itself, feedback, and
    predictions: JSON and, with a signature, tensors; or anything below ``/app`` if the model is an
    app of its own. ``halftone.serving.http.request`` says what each path asks for.

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
        for name, method, path in _routes(endpoint, self.base, interface):
            api.HttpRoute(
                self,
                name,
                http_api=http_api,
                route_key=api.HttpRouteKey.with_(path, method),
                integration=integration,
            )


def _routes(endpoint: str, base: str, interface: Interface) -> Iterator[Route]:
    yield "Describe", _ANY, base
    # What no other route takes: HEAD, the preflights of browsers, and paths that are not there.
    yield "Below", _ANY, f"{base}/{{proxy+}}"
    yield "Health", _GET, f"{base}/health"
    yield "OpenApi", _GET, f"{base}/openapi.json"
    yield "Feedback", _POST, f"{base}/feedback"
    if interface is Interface.HTTP:
        yield "App", _ANY, f"{base}/app"
        yield "BelowApp", _ANY, f"{base}/app/{{proxy+}}"
        return
    yield "Invoke", _POST, f"{base}/invocations"
    yield "InvokeVersion", _POST, f"{base}/versions/{{version}}/invocations"
    if interface is Interface.RECORDS:
        # The whole of the protocol below the endpoint, for clients that take a base address.
        yield "Server", _GET, f"{base}/v2"
        yield "BelowServer", _ANY, f"{base}/v2/{{proxy+}}"
        yield "Model", _ANY, f"/v2/models/{endpoint}"
        yield "BelowModel", _ANY, f"/v2/models/{endpoint}/{{proxy+}}"
