"""The control API's route on the HTTP API of its stage: signed requests only."""

from aws_cdk import aws_apigatewayv2 as api
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

PATH = "/v1"
"""What all paths of the control API begin with."""


class ControlRoutes(Construct):
    """Every method on every path below ``/v1``, to one function, authorised by IAM."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        http_api: api.IHttpApi,
        function: lambda_.IFunction,
    ) -> None:
        super().__init__(scope, construct_id)
        api.HttpRoute(
            self,
            "Any",
            http_api=http_api,
            route_key=api.HttpRouteKey.with_(f"{PATH}/{{proxy+}}", api.HttpMethod.ANY),
            integration=integrations.HttpLambdaIntegration(
                "Integration",
                function,
                payload_format_version=api.PayloadFormatVersion.VERSION_2_0,
            ),
            authorizer=authorizers.HttpIamAuthorizer(),
        )
        self.url = f"{http_api.api_endpoint}{PATH}"
