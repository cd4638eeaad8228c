"""AWS's events, turned into what the use cases are asked."""

import json
from datetime import UTC, datetime

import pytest

from halftone.adapters.cloudformation import actor_of, release_request
from halftone.adapters.eventbridge import guardrail_alarm
from halftone.domain.errors import InvalidInput
from halftone.domain.names import guardrail_name

STACK = "arn:aws:cloudformation:eu-west-1:123456789012:stack/Halftone-prod-fraud/1b2c"
PROPERTIES = {
    "Endpoint": "fraud",
    "Bucket": "assets",
    "Key": "m1.zip",
    "Digest": "d1",
    "PackageName": "m1",
    "Settings": "s1",
    "Plan": json.dumps({"steps": [{"weight": 5}]}),
    "DeployWaits": "prepared",
}


def deploy(**changes):
    return {
        "RequestType": "Create",
        "RequestId": "r-1",
        "StackId": STACK,
        "ResourceProperties": PROPERTIES,
        **changes,
    }


def test_a_deploy_is_a_release_that_supersedes_under_cloudformations_request_id():
    wanted = release_request(deploy())
    assert (wanted.endpoint, wanted.digest, wanted.settings) == ("fraud", "d1", "s1")
    assert (wanted.key, wanted.actor) == ("r-1", "cloudformation/Halftone-prod-fraud")
    assert [stage.weight for stage in wanted.plan.stages] == [5.0, 95.0]
    assert wanted.supersede
    assert wanted.previous is None
    assert actor_of(deploy()) == wanted.actor


def test_an_update_tells_what_the_declaration_said_before():
    before = {**PROPERTIES, "Digest": "d0", "Settings": "s0"}
    wanted = release_request(deploy(RequestType="Update", OldResourceProperties=before))
    assert wanted.previous == ("d0", "s0")


def test_a_plan_that_can_not_be_taken_is_refused_by_its_field():
    wrong = {**PROPERTIES, "Plan": json.dumps({"steps": [{"weight": 500}]})}
    with pytest.raises(InvalidInput, match=r"plan.steps\[0\].weight is 500"):
        release_request(deploy(ResourceProperties=wrong))


ALARM = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:halftone-prod-fraud--"


def test_an_alarm_names_endpoint_moment_and_the_alarms_behind_it():
    triggers = [
        {"arn": f"{ALARM}errors-rate", "state": {"value": "ALARM"}},
        {"arn": f"{ALARM}errors-count", "state": {"value": "ALARM"}},
        {"arn": f"{ALARM}late-rate", "state": {"value": "OK"}},
    ]
    event = {
        "detail": {
            "alarmName": guardrail_name("prod", "fraud"),
            "state": {
                "value": "ALARM",
                "reason": "the rule is true",
                "reasonData": json.dumps({"triggeringAlarms": triggers}),
                "timestamp": "2026-01-01T12:00:10.250+0000",
            },
        }
    }
    alarm = guardrail_alarm(event, "prod")
    assert alarm.endpoint == "fraud"
    assert alarm.fired_at == datetime(2026, 1, 1, 12, 0, 10, 250_000, UTC)
    assert alarm.actor == "alarm/halftone-prod-guardrail--fraud"
    assert alarm.reason == "guardrail in alarm: errors-count, errors-rate"
    del event["detail"]["state"]["reasonData"]
    assert guardrail_alarm(event, "prod").reason == "guardrail in alarm: the rule is true"
