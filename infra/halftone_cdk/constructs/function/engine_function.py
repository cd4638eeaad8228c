"""A function of the engine: the one place that says how all of them run."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from halftone_cdk.constructs.function.layers import (
    check_size,
    lambda_architecture,
    lambda_runtime,
    layer_version,
)
from halftone_cdk.constructs.function.logs import log_group
from halftone_cdk.constructs.function.published import published
from halftone_cdk.layers.build import core_layer, vendor_layer
from halftone_cdk.paths import FUNCTIONS
from halftone_cdk.settings import Settings


class EngineFunction(Construct):
    """A Lambda function with the engine's layers, logs, tracing and environment.

    ``name`` is what it does; it becomes part of the function's name, which no pattern over the
    names of model functions matches. Given ``dead_letters``, the function may be invoked
    asynchronously: what fails three times goes there. ``vendor`` is the lock of the packages that
    it imports, ``memory`` in MB. ``snaps``: it is called by an alias of a published version, which
    starts from a snapshot where the stage has that; ``callable`` is what callers are given.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        name: str,
        folder: str,
        handler: str,
        description: str,
        timeout: Duration,
        environment: Mapping[str, str],
        permissions: Sequence[iam.PolicyStatement],
        dead_letters: sqs.IQueue | None = None,
        vendor: str = "engine",
        memory: int = 512,
        snaps: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        function_name = f"halftone_{settings.name}_{name}"
        target = settings.target
        layers = [core_layer(target), vendor_layer(vendor, target)]
        code = FUNCTIONS / folder
        check_size(function_name, code, layers)
        group = log_group(self, "Logs", f"/aws/lambda/{function_name}", settings.log_retention_days)
        role = function_role(self, group)
        for statement in permissions:
            role.add_to_policy(statement)
        function = lambda_.Function(
            self,
            "Function",
            function_name=function_name,
            description=description,
            runtime=lambda_runtime(settings),
            architecture=lambda_architecture(settings),
            code=function_code(folder),
            handler=f"handler.{handler}",
            layers=[layer_version(self, layer, settings) for layer in layers],
            role=role,
            memory_size=memory,
            timeout=timeout,
            environment={
                "HALFTONE_STAGE": settings.name,
                "HALFTONE_METRIC_LAG_SECONDS": f"{settings.metric_lag.total_seconds():.0f}",
                "HALFTONE_KEY_FOLLOW_SECONDS": f"{settings.key_follow.total_seconds():.0f}",
                "HALFTONE_KEY_LAG_SECONDS": f"{settings.key_lag.total_seconds():.0f}",
                "HALFTONE_TICK_SECONDS": f"{settings.tick.total_seconds():.0f}",
                **environment,
            },
            tracing=lambda_.Tracing.ACTIVE,
            log_group=group,
            logging_format=lambda_.LoggingFormat.JSON,
            retry_attempts=2 if dead_letters else None,
            max_event_age=Duration.hours(1) if dead_letters else None,
            on_failure=destinations.SqsDestination(dead_letters) if dead_letters else None,
            snap_start=(
                lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snaps and settings.snaps else None
            ),
        )
        self.function: lambda_.IFunction = function
        self.callable: lambda_.IFunction = (
            published(function, name.title(), layers) if snaps else function
        )


def function_code(folder: str) -> lambda_.Code:
    """The handler's folder as it stands; what it imports comes from layers."""
    return lambda_.Code.from_asset(
        str(FUNCTIONS / folder), exclude=["__pycache__", "*.pyc", ".*", "tests"]
    )


def function_role(scope: Construct, group: logs.ILogGroup) -> iam.Role:
    """A role that may write the function's own log, where the usual managed policy opens all."""
    role = iam.Role(scope, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    group.grant_write(role)
    return role
