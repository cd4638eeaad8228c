"""An endpoint's two routes on the HTTP API of its stage."""

from aws_cdk import aws_apigatewayv2 as api
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_
from constructs import Construct


class Routes(Construct):
    """``POST`` for predictions and ``GET`` for the description, both to the alias.

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
    ) -> None:
        super().__init__(scope, construct_id)
        self.path = f"/endpoints/{endpoint}/invocations"
        integration = integrations.HttpLambdaIntegration(
            "Integration", alias, payload_format_version=api.PayloadFormatVersion.VERSION_2_0
        )
        for name, method, path in (
            ("Invoke", api.HttpMethod.POST, self.path),
            ("Describe", api.HttpMethod.GET, f"/endpoints/{endpoint}"),
        ):
            api.HttpRoute(
                self,
                name,
                http_api=http_api,
                route_key=api.HttpRouteKey.with_(path, method),
                integration=integration,
            )
