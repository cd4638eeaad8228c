"""The function that serves an endpoint's model, and the aliases by which it is called."""

from typing import cast

from aws_cdk import Acknowledgment, Annotations, Duration, Size, Validations
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from halftone.domain.endpoint.spec import EndpointSpec
from halftone.domain.names import ALIAS, CHALLENGER, function_name
from halftone.domain.quantities import milliseconds
from halftone.packaging.folder import BuiltPackage
from halftone.packaging.places import layer_of
from halftone_cdk.constructs.access.permissions import Permissions
from halftone_cdk.constructs.function.engine_function import function_code, function_role
from halftone_cdk.constructs.function.environment import place_environment
from halftone_cdk.constructs.function.frozen_settings import frozen_settings
from halftone_cdk.constructs.function.layers import (
    check_size,
    lambda_architecture,
    lambda_runtime,
    layer_version,
)
from halftone_cdk.constructs.function.logs import log_group
from halftone_cdk.layers.build import core_layer, vendor_layer
from halftone_cdk.paths import FUNCTIONS
from halftone_cdk.settings import Settings


class ModelFunction(Construct):
    """A model function without a model: the engine points it at a package and publishes it.

    ``alias`` takes clients' requests; by ``challenger`` a front passes requests on. Both begin at
    ``$LATEST``, where no model is, and their properties never change, so that CloudFormation leaves
    them alone from then on. ``settings_digest`` names all that a published version freezes.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        spec: EndpointSpec,
        package: BuiltPackage,
        artifacts: s3.IBucket,
        table: dynamodb.ITable,
    ) -> None:
        super().__init__(scope, construct_id)
        name = function_name(settings.name, spec.name)
        target = settings.target
        flavor = package.manifest.flavor
        layers = [core_layer(target), vendor_layer(layer_of(flavor), target)]
        check_size(name, FUNCTIONS / "model", layers)
        place = place_environment(package, FUNCTIONS / "model", layers, target)
        layers += place.layers
        # A snapshot holds no more of a function's disk than it has by default.
        snaps = settings.snaps and place.storage is None
        group = log_group(self, "Logs", f"/aws/lambda/{name}", spec.log_retention_days)
        role = function_role(self, group)
        may = Permissions(self, settings.name)
        role.add_to_policy(may.read_packages(artifacts.bucket_arn))
        role.add_to_policy(may.pass_on(spec.name))
        role.add_to_policy(may.read_dispatch(table.table_arn, spec.name))
        role.add_to_policy(may.note_feedback(table.table_arn, spec.name))
        self.logs = group
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            runtime=lambda_runtime(settings),
            architecture=lambda_architecture(settings),
            code=function_code("model"),
            handler="handler.handler",
            layers=[layer_version(self, layer, settings) for layer in layers],
            role=role,
            memory_size=spec.memory,
            ephemeral_storage_size=Size.mebibytes(place.storage) if place.storage else None,
            timeout=Duration.seconds(spec.timeout.total_seconds()),
            environment={
                "HALFTONE_ENDPOINT": spec.name,
                "HALFTONE_ARTIFACTS": artifacts.bucket_name,
                "HALFTONE_TABLE": table.table_name,
                "HALFTONE_LATE_AFTER_MS": milliseconds(spec.late_after),
                "HALFTONE_MAX_BODY": str(spec.max_body),
                "HALFTONE_FLAVOR": flavor.value,
            },
            tracing=lambda_.Tracing.ACTIVE,
            log_group=group,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snaps else None,
        )
        if snaps:
            _acknowledge_unpublished(self.function)
        self.alias = lambda_.Alias(
            self,
            "Live",
            alias_name=ALIAS,
            version=self.function.latest_version,
            description="Takes the endpoint's requests; pointed at versions by the rollout engine",
        )
        self.challenger = lambda_.Alias(
            self,
            "Challenger",
            alias_name=CHALLENGER,
            version=self.function.latest_version,
            description="Takes what a front passes on; pointed at versions by the rollout engine",
            # A mirrored request is of use now or never: tried again, one that ends the process
            # would end three, and one that waits for concurrency would speak of another stage.
            retry_attempts=0,
            max_event_age=Duration.seconds(60),
        )
        resource = cast("lambda_.CfnFunction", self.function.node.default_child)
        self.settings_digest = frozen_settings(resource, layers)


def _acknowledge_unpublished(function: lambda_.Function) -> None:
    """CDK misses a version in the template. It is not there on purpose: the engine publishes."""
    why = "versions are published by the rollout engine"
    Annotations.of(function).acknowledge_warning("@aws-cdk/aws-lambda:snapStartRequirePublish", why)
    Validations.of(function).acknowledge(
        Acknowledgment(id="CloudFormation-Validate::W2530", reason=why)
    )
