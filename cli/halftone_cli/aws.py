"""Finding a stage on AWS, and the caller: what the ports of ``halftone`` leave to whoever wires.

Everything else the CLI does on AWS goes through ``bootstrap.parts``.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import (
    CredentialRetrievalError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
)

from halftone import bootstrap
from halftone.adapters.aws import PATIENT, translated
from halftone.domain.errors import HalftoneError, NotFound, Unavailable
from halftone.domain.names import platform_stack_name
from halftone_cli.context import Stage

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

_OUTPUTS = ("Table", "ArtifactBucket", "Workflow", "Url")


def open_stage(
    name: str,
    *,
    deploy: str,
    address: Callable[[str], str] = str,
    actor: Callable[[], str] | None = None,
) -> Stage:
    """The stage ``name``, by the outputs of its platform stack.

    ``deploy`` is the command that would make it; ``address`` says where its API's URL is reached
    from here; ``actor`` replaces the caller's ARN.

    Raises:
        NotFound: if it is not deployed.
        Unavailable: if AWS does not answer, or does not know who asks.
    """
    with identified():
        session = boto3.session.Session()
        cloudformation = session.client("cloudformation", config=PATIENT)
    outputs = stage_outputs(cloudformation, name, deploy=deploy)
    settings = bootstrap.Settings(
        stage=name,
        table=outputs["Table"],
        artifacts=outputs["ArtifactBucket"],
        workflow=outputs["Workflow"],
    )
    return Stage(
        name=name,
        parts=bootstrap.parts(settings),
        urgent=lambda: bootstrap.parts(settings, urgent=True),
        actor=actor or (lambda: caller(session.client("sts", config=PATIENT))),
        api=address(outputs["Url"]).rstrip("/"),
    )


def stage_outputs(client: "CloudFormationClient", stage: str, *, deploy: str) -> dict[str, str]:
    """The outputs of the stage's platform stack. One call: DescribeStacks.

    Raises:
        NotFound: if there is no such stack, or one that lacks an output.
    """
    stack = platform_stack_name(stage)
    missing: HalftoneError = NotFound("stage", stage, f"make it with `{deploy}`")
    with translated(f"looking for the stage {stage!r}", {"ValidationError": missing}), identified():
        found = client.describe_stacks(StackName=stack)["Stacks"][0]
    outputs = {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", [])}
    for name in _OUTPUTS:
        if name not in outputs:
            remedy = f"stack {stack} is {found['StackStatus']}: deploy it again with `{deploy}`"
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
    except (
        CredentialRetrievalError,
        NoCredentialsError,
        PartialCredentialsError,
        ProfileNotFound,
        SSOError,
    ) as error:
        raise Unavailable(
            f"no AWS credentials that work ({error}): sign in, or name a profile in AWS_PROFILE"
        ) from error
