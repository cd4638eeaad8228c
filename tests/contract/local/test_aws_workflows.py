"""Step Functions, schedules and transactions, as far as Halftone's engine stands on them."""

import json
import time
import uuid

import pytest

from tests.contract.local.support import ROLE, eventually

FLAKY = """
import os
class NotYet(Exception): pass
class Broken(Exception): pass
calls = []
def handler(event, context):
    calls.append(1)
    if event["fail"] == "always":
        raise Broken("for good")
    if len(calls) <= event["fail"]:
        raise NotYet(f"call {len(calls)}")
    return {"calls": len(calls), "wait": 1}
"""


@pytest.fixture
def machine(client, unique):
    """Create a standard state machine from its states; returns its ARN."""
    made = []

    def create(**states):
        definition = {"StartAt": next(iter(states)), "States": states}
        arn = client("stepfunctions").create_state_machine(
            name=unique("machine"), definition=json.dumps(definition), roleArn=ROLE
        )["stateMachineArn"]
        made.append(arn)
        return arn

    yield create
    for arn in made:
        client("stepfunctions").delete_state_machine(stateMachineArn=arn)


@pytest.fixture
def finished(client):
    def wait(execution):
        def read():
            found = client("stepfunctions").describe_execution(executionArn=execution)
            return found["status"] != "RUNNING" and found

        return eventually(read)

    return wait


def task(arn, **more):
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": arn, "Payload.$": "$"},
        "OutputPath": "$.Payload",
    } | more


def test_an_execution_started_again_by_name_is_the_same(client, machine, finished):
    """StartExecution is idempotent for standard workflows."""
    sfn = client("stepfunctions")
    arn = machine(Wait={"Type": "Wait", "Seconds": 2, "End": True})
    first = sfn.start_execution(stateMachineArn=arn, name="one", input='{"n": 1}')
    again = sfn.start_execution(stateMachineArn=arn, name="one", input='{"n": 1}')
    assert again["executionArn"] == first["executionArn"]
    assert again["startDate"] == first["startDate"]
    with pytest.raises(sfn.exceptions.ExecutionAlreadyExists):
        sfn.start_execution(stateMachineArn=arn, name="one", input='{"n": 2}')
    assert finished(first["executionArn"])["status"] == "SUCCEEDED"
    with pytest.raises(sfn.exceptions.ExecutionAlreadyExists):
        sfn.start_execution(stateMachineArn=arn, name="one", input='{"n": 1}')


def test_a_task_is_retried_by_the_errors_name_and_interval(client, machine, finished, function):
    fn = function(FLAKY)
    retry = [
        {
            "ErrorEquals": ["NotYet"],
            "IntervalSeconds": 1,
            "MaxAttempts": 3,
            "BackoffRate": 1,
        }
    ]
    arn = machine(
        Tick=task(fn.arn, Retry=retry, Next="Pause"),
        Pause={"Type": "Wait", "SecondsPath": "$.wait", "End": True},
    )
    began = time.monotonic()
    started = client("stepfunctions").start_execution(stateMachineArn=arn, input='{"fail": 1}')
    done = finished(started["executionArn"])
    assert done["status"] == "SUCCEEDED"
    assert json.loads(done["output"])["calls"] == 2
    assert time.monotonic() - began >= 2


def test_an_error_that_no_retry_names_is_caught(client, machine, finished, function):
    fn = function(FLAKY)
    arn = machine(
        Tick=task(
            fn.arn,
            Retry=[{"ErrorEquals": ["NotYet"], "MaxAttempts": 3}],
            Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Caught"}],
            End=True,
        ),
        Caught={"Type": "Pass", "End": True},
    )
    started = client("stepfunctions").start_execution(
        stateMachineArn=arn, input='{"fail": "always"}'
    )
    done = finished(started["executionArn"])
    error = json.loads(done["output"])["error"]
    assert error["Error"] == "Broken"
    assert json.loads(error["Cause"])["errorMessage"] == "for good"


def test_a_schedule_invokes_its_function_with_a_constant_input(client, scheduled):
    logs = client("logs")

    def lines():
        try:
            found = logs.filter_log_events(logGroupName=f"/aws/lambda/{scheduled.name}")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return {e["message"] for e in found if e["message"].startswith("GOT")}

    assert eventually(lines, seconds=75, every=1) == {"GOT {'reconcile': 'all'}"}


def test_a_refused_transaction_names_the_condition(client, unique):
    db, table = client("dynamodb"), unique("table")
    db.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    new = "attribute_not_exists(pk)"

    def put(key, condition=None):
        item = {"TableName": table, "Item": {"pk": {"S": key}}}
        if condition:
            item |= {
                "ConditionExpression": condition,
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        return {"Put": item}

    db.transact_write_items(TransactItems=[put("a", new)], ClientRequestToken=str(uuid.uuid4()))
    with pytest.raises(db.exceptions.TransactionCanceledException) as refused:
        db.transact_write_items(TransactItems=[put("b"), put("a", new)])
    reasons = refused.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "ConditionalCheckFailed"]
    assert reasons[1]["Item"] == {"pk": {"S": "a"}}
    assert "Item" not in db.get_item(TableName=table, Key={"pk": {"S": "b"}})
    db.delete_table(TableName=table)
