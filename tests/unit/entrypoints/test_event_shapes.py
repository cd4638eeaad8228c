"""AWS's events, turned into what the use cases are asked."""

import json
from datetime import UTC, datetime

import pytest

from halftone.domain.access import principal_in
from halftone.domain.errors import InvalidInput
from halftone.domain.names import guardrail_name
from halftone.domain.rollout.deploys import Declaration
from halftone.entrypoints.cloudformation import actor_of, deletion_of, deploy_of
from halftone.entrypoints.eventbridge import guardrail_alarm
from halftone.service.releases.deploy_events import Resource

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
        "LogicalResourceId": "Release",
        "ResourceProperties": PROPERTIES,
        **changes,
    }


SENTENCE = "Threshold Crossed: 3 out of the last 3 datapoints were greater than the threshold " * 9


def test_a_create_is_a_deploy_with_nothing_before_it():
    wanted = deploy_of(deploy())
    assert (wanted.endpoint, wanted.request) == ("fraud", "r-1")
    assert wanted.actor == actor_of(deploy()) == "cloudformation/Halftone-prod-fraud"
    assert wanted.resource == Resource(STACK, "Release", "")
    assert wanted.now == Declaration(digest="d1", settings="s1")
    assert [stage.weight for stage in wanted.plan.stages] == [5.0, 95.0]
    assert (wanted.before, wanted.endpoint_before, wanted.renamed) == (None, None, False)


ANN = "arn:aws:iam::123456789012:user/ann"
SESSION = "arn:aws:sts::123456789012:assumed-role/Deployer/ann"


@pytest.mark.parametrize(
    ("arn", "principal"),
    [(ANN, ANN), (SESSION, "arn:aws:iam::123456789012:role/Deployer")],
)
def test_a_deploy_names_the_person_and_the_stack(arn, principal):
    event = deploy(ResourceProperties={**PROPERTIES, "Deployer": arn})
    wanted = deploy_of(event)
    assert wanted.actor == f"{arn} via cloudformation/Halftone-prod-fraud"
    assert principal_in(wanted.actor) == principal
    assert wanted.stack == "cloudformation/Halftone-prod-fraud"
    assert wanted.now == deploy_of(deploy()).now, "who deploys is no part of what is declared"
    assert deletion_of(event).actor == wanted.stack, "the template is that of the last deploy"


def test_an_update_says_what_was_declared_before():
    before = {
        **PROPERTIES,
        "Endpoint": "scam",
        "Digest": "d0",
        "Group": "clinic",
        "Serving": json.dumps({"mode": "guarded"}),
        "Upkeep": json.dumps({"concurrency": 2}),
    }
    wanted = deploy_of(
        deploy(RequestType="Update", PhysicalResourceId="p", OldResourceProperties=before)
    )
    assert wanted.before == Declaration(
        {"mode": "guarded"}, {"concurrency": 2}, "clinic", "d0", "s1"
    )
    assert (wanted.endpoint_before, wanted.renamed) == ("scam", True)
    assert wanted.resource.physical == "p"


def test_a_delete_names_endpoint_and_resource():
    gone = deletion_of(deploy(RequestType="Delete", PhysicalResourceId="p"))
    assert (gone.endpoint, gone.request) == ("fraud", "r-1")
    assert gone.resource == Resource(STACK, "Release", "p")


def test_a_plan_that_can_not_be_taken_is_refused_by_its_field():
    wrong = {**PROPERTIES, "Plan": json.dumps({"steps": [{"weight": 500}]})}
    with pytest.raises(InvalidInput, match=r"plan.steps\[0\].weight is 500"):
        deploy_of(deploy(ResourceProperties=wrong))


ALARM = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:halftone-prod-fraud--"


def test_an_alarm_names_endpoint_moment_and_alarms_behind_it():
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
    triggers[0]["state"]["timestamp"] = "2026-01-01T11:58:00.000+0000"
    triggers[1]["state"]["timestamp"] = "2026-01-01T11:59:00.000+0000"
    event["detail"]["state"]["reasonData"] = json.dumps({"triggeringAlarms": triggers})
    followed_late = guardrail_alarm(event, "prod")
    assert followed_late.fired_at == datetime(2026, 1, 1, 11, 59, tzinfo=UTC)
    del event["detail"]["state"]["reasonData"]
    assert guardrail_alarm(event, "prod").reason == "guardrail in alarm: the rule is true"
    event["detail"]["state"]["reason"] = SENTENCE
    flooded = guardrail_alarm(event, "prod")
    assert len(flooded.reason) < 150
    assert flooded.detail == SENTENCE
