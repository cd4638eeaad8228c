"""CloudFormation's stacks, by their ARNs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from halftone.adapters.aws.clients import error_code, translated
from halftone.domain.errors import NotFound

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient


class CloudFormationStacks:
    """Port ``Stacks`` on CloudFormation."""

    def __init__(self, client: CloudFormationClient) -> None:
        self._cloudformation = client

    def status(self, stack: str) -> str:
        """See the port. One call: DescribeStacks, by the ARN, which knows deleted stacks, too."""
        with translated(f"reading the status of stack {stack}"):
            try:
                stacks = self._cloudformation.describe_stacks(StackName=stack)["Stacks"]
            except ClientError as error:
                # CloudFormation has no code of its own for a stack that is not there.
                if error_code(error) == "ValidationError":
                    raise NotFound("stack", stack) from error
                raise
        if not stacks:
            raise NotFound("stack", stack)
        return str(stacks[0]["StackStatus"])
