"""The status of a stack: as CloudFormation tells it, and the errors in its place."""

import json

import pytest
from botocore.exceptions import ReadTimeoutError

from halftone.adapters.aws.stacks import CloudFormationStacks
from halftone.domain.errors import NotFound, Unavailable
from halftone.testing import MemoryStacks

ARN = "arn:aws:cloudformation:eu-central-1:123456789012:stack/fraud/1b2c"
TEMPLATE = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})


def test_the_status_of_a_stack_is_read_by_its_arn(aws):
    cloudformation = aws("cloudformation")
    stack = cloudformation.create_stack(StackName="fraud", TemplateBody=TEMPLATE)["StackId"]
    assert CloudFormationStacks(cloudformation).status(stack) == "CREATE_COMPLETE"


def test_a_stack_that_is_not_there_is_not_found(aws):
    for stacks in (CloudFormationStacks(aws("cloudformation")), MemoryStacks()):
        with pytest.raises(NotFound, match="no stack"):
            stacks.status(ARN)


@pytest.mark.parametrize("code", ["Throttling", "AccessDenied", "InternalFailure"])
def test_a_status_that_is_not_answered_is_unavailable(stubbed, code):
    client, stubber = stubbed("cloudformation")
    client.meta.config.retries = {"total_max_attempts": 1}
    stubber.add_client_error("describe_stacks", code)
    with pytest.raises(Unavailable, match="reading the status of stack"):
        CloudFormationStacks(client).status(ARN)


def test_a_network_that_does_not_answer_is_unavailable(failing):
    client = failing("cloudformation", ReadTimeoutError(endpoint_url="https://aws"))
    for stacks in (
        CloudFormationStacks(client),
        MemoryStacks({ARN: "UPDATE_COMPLETE"}, silent=True),
    ):
        with pytest.raises(Unavailable):
            stacks.status(ARN)
