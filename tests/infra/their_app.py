"""An endpoint in somebody else's CDK app, on a platform that the app knows by its names only."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from halftone.domain.endpoint.spec import EndpointSpec
from halftone.domain.rollout.plan import PRESETS
from halftone_cdk.settings import Runtime, Settings
from tests.infra.support import Synthesised

SETTINGS = Settings("dev", runtime=Runtime.current())
SPEC = EndpointSpec(name="fraud", model="champion", plan=PRESETS["all-at-once"])
FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:halftone_dev_rollout"

HARVEST = "arn:aws:lambda:eu-central-1:123456789012:function:halftone_dev_harvest"


@dataclass(frozen=True)
class ImportedPlatform:
    """A platform that somebody else's app knows by its names only."""

    settings: Settings
    artifacts: s3.IBucket
    table: dynamodb.ITable
    api: apigateway.IHttpApi
    rollout: lambda_.IFunction
    harvest: lambda_.IFunction
    dead_letters: sqs.IQueue
    release_token: str

    @classmethod
    def into(cls, scope: Stack, settings: Settings) -> "ImportedPlatform":
        return cls(
            settings=settings,
            artifacts=s3.Bucket.from_bucket_name(scope, "Artifacts", "their-artifacts"),
            table=dynamodb.Table.from_table_name(scope, "Table", "their-table"),
            api=apigateway.HttpApi.from_http_api_attributes(
                scope, "Api", http_api_id="abc", api_endpoint="https://abc.example.com"
            ),
            rollout=lambda_.Function.from_function_arn(scope, "Rollout", FUNCTION),
            harvest=lambda_.Function.from_function_arn(scope, "Harvest", HARVEST),
            dead_letters=sqs.Queue.from_queue_arn(
                scope, "Letters", "arn:aws:sqs:eu-central-1:123456789012:letters"
            ),
            release_token=f"{FUNCTION}-release",
        )


Deploy = Callable[..., Synthesised]
"""(spec, settings, **environment) -> the templates"""


def release(synthesised: Synthesised) -> Any:
    """What the endpoint's release asks for."""
    return synthesised.one("Custom::Release").properties
