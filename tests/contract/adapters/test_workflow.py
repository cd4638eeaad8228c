"""A rollout's workflow is started once, however often it is asked for."""

import json

import pytest
from botocore.exceptions import ReadTimeoutError

from halftone.adapters.aws.step_functions import StepFunctionsWorkflow
from halftone.domain.errors import Unavailable

ROLE = "arn:aws:iam::123456789012:role/workflow"
MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:rollout"
DEFINITION = {"StartAt": "look", "States": {"look": {"Type": "Wait", "Seconds": 60, "End": True}}}


@pytest.fixture
def sfn(aws):
    return aws("stepfunctions")


@pytest.fixture
def machine(sfn):
    machine = sfn.create_state_machine(
        name="rollout", definition=json.dumps(DEFINITION), roleArn=ROLE
    )
    return machine["stateMachineArn"]


def executions(sfn, machine):
    """What was started, by name, with its input."""
    executions = sfn.list_executions(stateMachineArn=machine)["executions"]
    described = [sfn.describe_execution(executionArn=e["executionArn"]) for e in executions]
    return [(e["name"], json.loads(e["input"])) for e in described]


def test_each_rollout_has_an_execution_of_its_name(sfn, machine):
    workflow = StepFunctionsWorkflow(sfn, machine)
    for rollout in ("fraud-r1", "fraud-r2"):
        workflow.start("fraud", rollout)
    assert sorted(executions(sfn, machine), key=str) == [
        ("fraud-r1", {"endpoint": "fraud", "rollout": "fraud-r1"}),
        ("fraud-r2", {"endpoint": "fraud", "rollout": "fraud-r2"}),
    ]


@pytest.mark.parametrize("ended", [False, True], ids=["while it runs", "after it ended"])
def test_starting_again_starts_nothing(sfn, machine, ended):
    workflow = StepFunctionsWorkflow(sfn, machine)
    workflow.start("fraud", "fraud-r1")
    if ended:
        (running,) = sfn.list_executions(stateMachineArn=machine)["executions"]
        sfn.stop_execution(executionArn=running["executionArn"])
    workflow.start("fraud", "fraud-r1")
    assert len(executions(sfn, machine)) == 1


@pytest.mark.parametrize(
    "code", ["ExecutionLimitExceeded", "StateMachineDoesNotExist", "ThrottlingException"]
)
def test_a_workflow_that_was_not_started_is_unavailable(stubbed, code):
    client, stubber = stubbed("stepfunctions")
    stubber.add_client_error("start_execution", code)
    with pytest.raises(Unavailable, match=f"starting the workflow of rollout 'fraud-r1'.*{code}"):
        StepFunctionsWorkflow(client, MACHINE).start("fraud", "fraud-r1")


def test_no_answer_is_unavailable(failing):
    client = failing("stepfunctions", ReadTimeoutError(endpoint_url="https://states"))
    with pytest.raises(Unavailable, match="did not answer"):
        StepFunctionsWorkflow(client, MACHINE).start("fraud", "fraud-r1")
