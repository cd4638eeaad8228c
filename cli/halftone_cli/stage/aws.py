"""Finding a stage on AWS, and the caller: what the ports of ``halftone`` leave to whoever wires."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import (
    ConfigParseError,
    CredentialRetrievalError,
    InvalidConfigError,
    InvalidRegionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from halftone.adapters.aws.clients import translated
from halftone.domain.errors import HalftoneError, NotFound, Unavailable
from halftone.domain.names import platform_stack_name

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

_OUTPUTS = ("Table", "ArtifactBucket", "Workflow", "Url")


def stage_outputs(client: "CloudFormationClient", stage: str, *, deploy: str) -> dict[str, str]:
    """The outputs of the stage's platform stack. One call: DescribeStacks.

    Raises:
        NotFound: if there is no such stack, or one that lacks an output.
    """
    stack = platform_stack_name(stage)
    missing: HalftoneError = NotFound("stage", stage, f"make it with `{deploy}`")
    with translated(f"looking for the stage {stage!r}", {"ValidationError": missing}), identified():
        description = client.describe_stacks(StackName=stack)["Stacks"][0]
    outputs = {o["OutputKey"]: o["OutputValue"] for o in description.get("Outputs", [])}
    for name in _OUTPUTS:
        if name not in outputs:
            remedy = (
                f"stack {stack} is {description['StackStatus']}: deploy it again with `{deploy}`"
            )
            raise NotFound("output", name, remedy)
    return outputs


def caller(client: Any) -> str:
    """The ARN of the IAM principal whose credentials these are. One call: GetCallerIdentity."""
    with translated("asking whose credentials these are"), identified():
        return str(client.get_caller_identity()["Arn"])


@contextmanager
def identified() -> Iterator[None]:
    """Turn what botocore says about missing credentials into what to do about it.

    Raises:
        Unavailable: if there are none that work, or no region.
    """
    try:
        yield
    except NoRegionError as error:
        raise Unavailable("no AWS region is set: set AWS_REGION, or name a profile") from error
    except InvalidRegionError as error:
        raise Unavailable(f"{error} Set AWS_REGION, or the region of the profile") from error
    except (
        ConfigParseError,
        CredentialRetrievalError,
        InvalidConfigError,
        NoCredentialsError,
        PartialCredentialsError,
        ProfileNotFound,
        SSOError,
        TokenRetrievalError,
    ) as error:
        raise Unavailable(
            f"no AWS credentials that work ({str(error).rstrip('.')}): "
            "sign in, or name a profile in AWS_PROFILE"
        ) from error
