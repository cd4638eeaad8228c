"""An endpoint's two routes on the HTTP API of its stage."""

from aws_cdk import aws_apigatewayv2 as api
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from halftone.domain.package import Interface


class Routes(Construct):
    """Where clients reach an endpoint, all to the alias: ``GET`` for its description, and ``POST``
    for predictions, or anything below ``/app`` if the model is an app of its own.

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
        asked = [("Invoke", api.HttpMethod.POST, self.path)]
        if app:
            asked = [
                ("App", api.HttpMethod.ANY, f"{self.base}/app"),
                ("BelowApp", api.HttpMethod.ANY, f"{self.base}/app/{{proxy+}}"),
            ]
        for name, method, path in (*asked, ("Describe", api.HttpMethod.GET, self.base)):
            api.HttpRoute(
                self,
                name,
                http_api=http_api,
                route_key=api.HttpRouteKey.with_(path, method),
                integration=integration,
            )
