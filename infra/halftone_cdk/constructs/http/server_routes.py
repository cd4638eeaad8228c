"""The routes of a stage's HTTP API that belong to no endpoint: the inference server's own."""

from aws_cdk import Duration
from aws_cdk import aws_apigatewayv2 as api
from aws_cdk import aws_apigatewayv2_integrations as integrations
from constructs import Construct

from halftone_cdk.constructs.function.engine_function import EngineFunction
from halftone_cdk.settings import Settings

PATHS = ("/v2", "/v2/health/live", "/v2/health/ready")
"""The paths that are answered. The specification writes the first one `/v2/`."""

REST = "/v2/{proxy+}"
"""What a final slash leads to: an HTTP API takes no route that ends in one. Everything else that no
endpoint answers is a 404 in the protocol's form.
"""


class ServerRoutes(Construct):
    """``GET`` and ``HEAD`` on ``PATHS`` and ``REST``, to a function that asks nobody."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, http_api: api.HttpApi
    ) -> None:
        super().__init__(scope, construct_id)
        function = EngineFunction(
            self,
            "Server",
            settings=settings,
            name="server",
            folder="server",
            handler="handler",
            description="Answers what the Open Inference Protocol asks of a server",
            timeout=Duration.seconds(5),
            environment={},
            permissions=[],
            memory=256,
        ).function
        integration = integrations.HttpLambdaIntegration(
            "Integration", function, payload_format_version=api.PayloadFormatVersion.VERSION_2_0
        )
        for path in (*PATHS, REST):
            methods = [api.HttpMethod.GET, api.HttpMethod.HEAD]
            http_api.add_routes(path=path, methods=methods, integration=integration)
