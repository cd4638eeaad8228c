"""``Custom::Release``: what a deploy asks of the engine."""

from datetime import timedelta

from aws_cdk import CustomResource
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from halftone.domain.access import principal_of
from halftone.domain.audit import canonical_json
from halftone.domain.endpoint.spec import DeployWaits, EndpointSpec, dump_upkeep
from halftone.domain.errors import InvalidInput
from halftone.domain.quantities import spoken
from halftone.domain.rollout.plan_schema import dump_plan
from halftone.packaging.environment import kept_archive
from halftone.packaging.folder import BuiltPackage
from halftone_cdk.constructs.engine.releaser import LONGEST_WAIT
from halftone_cdk.paths import BUILD


class Release(Construct):
    """The wish that an endpoint serves a package with certain settings, by a certain plan.

    Raises:
        InvalidInput: if the deploy is to wait for a plan that takes longer than a deploy can.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        spec: EndpointSpec,
        package: BuiltPackage,
        settings_digest: str,
        provider: str,
    ) -> None:
        super().__init__(scope, construct_id)
        _refuse_endless_wait(spec)
        asset = s3_assets.Asset(self, "Package", path=_written(package), asset_hash=package.digest)
        self.resource = CustomResource(
            self,
            "Resource",
            resource_type="Custom::Release",
            service_token=provider,
            properties={
                "Endpoint": spec.name,
                "Bucket": asset.s3_bucket_name,
                "Key": asset.s3_object_key,
                "Digest": package.digest,
                "PackageName": package.manifest.name,
                **_environment(self, package),
                "Settings": settings_digest,
                "Plan": canonical_json(dump_plan(spec.plan)).decode(),
                **({"Group": spec.group} if spec.group else {}),
                "Serving": canonical_json(spec.serving).decode(),
                "Upkeep": canonical_json(dump_upkeep(spec)).decode(),
                "DeployWaits": spec.deploy_waits.value,
                **deployer(self),
            },
        )


def deployer(scope: Construct) -> dict[str, str]:
    """Whose deploy it is, as the context ``deployer`` says: CloudFormation does not tell."""
    arn = scope.node.try_get_context("deployer")
    if arn is None or arn == "":
        return {}
    principal_of(str(arn))
    return {"Deployer": str(arn)}


def _refuse_endless_wait(spec: EndpointSpec) -> None:
    least = sum((stage.min_time for stage in spec.plan.stages), timedelta())
    if spec.deploy_waits is DeployWaits.PROMOTED and least >= LONGEST_WAIT:
        raise InvalidInput(
            "deploy_waits",
            spec.deploy_waits.value,
            f"{DeployWaits.PREPARED}: the plan takes at least {spoken(least)}, and CloudFormation"
            f" waits for {spoken(LONGEST_WAIT)} at most",
        )


def _environment(scope: Construct, package: BuiltPackage) -> dict[str, str]:
    """Where the package's environment lies, in the bucket of the package."""
    if package.manifest.environment is None:
        return {}
    digest = package.manifest.environment.digest
    archive = package.environment.archive if package.environment else None
    archive = archive or kept_archive(package.manifest.environment)
    if archive is None:
        expected = "a folder in place of a zip: its environment was not built on this machine"
        raise InvalidInput("model", digest, expected)
    asset = s3_assets.Asset(scope, "Environment", path=str(archive), asset_hash=digest)
    return {"EnvironmentKey": asset.s3_object_key}


def _written(package: BuiltPackage) -> str:
    """The path of the package's zip, written unless it stands there: its name is its content."""
    path = BUILD / "packages" / f"{package.digest}.zip"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(".part")
        half.write_bytes(package.data)
        half.replace(path)
    return str(path)
