"""The HTTP API through which clients reach the endpoints of a stage."""

import json

from aws_cdk import aws_apigatewayv2 as api
from constructs import Construct

from halftone_cdk.constructs.function.logs import log_group
from halftone_cdk.settings import Settings

_ACCESS_LOG = {
    "requestId": "$context.requestId",
    "time": "$context.requestTimeEpoch",
    "route": "$context.routeKey",
    "status": "$context.status",
    "latency": "$context.responseLatency",
    "integrationLatency": "$context.integrationLatency",
    "integrationStatus": "$context.integrationStatus",
    "error": "$context.error.responseType",
}
"""What is kept of a request: nothing that the client sent beyond the route."""


class HttpApi(Construct):
    """An API without routes: each endpoint brings its own."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        name = f"halftone-{settings.name}"
        self.api = api.HttpApi(
            self,
            "Api",
            api_name=name,
            description=f"Prediction endpoints of the stage {settings.name}",
            create_default_stage=False,
        )
        # Under this prefix log delivery needs no entry in the account's resource policy.
        access = log_group(
            self, "AccessLogs", f"/aws/vendedlogs/{name}/access", settings.log_retention_days
        )
        self.stage = api.CfnStage(
            self,
            "Stage",
            api_id=self.api.api_id,
            stage_name="$default",
            auto_deploy=True,
            default_route_settings=api.CfnStage.RouteSettingsProperty(
                # They would be custom metrics, six for each route that is called. The access log
                # names the route, and the model server's own metrics the endpoint and version.
                detailed_metrics_enabled=False,
                # A tenth of what an account has by default: no client can take all of it.
                throttling_rate_limit=1000,
                throttling_burst_limit=500,
            ),
            access_log_settings=api.CfnStage.AccessLogSettingsProperty(
                destination_arn=access.log_group_arn, format=json.dumps(_ACCESS_LOG)
            ),
        )
