"""Alarms over a real clock: "Alarm evaluation" and "Alarm events and EventBridge".

The rules of evaluation themselves are tested without waiting in tests/unit/local; here the server's
loop, its reading of metrics, its events and its actions are. All alarms have 10-second periods.
"""

import json
import time
from datetime import UTC, datetime

import pytest
from conftest import eventually

RECORDER = """
import json
def handler(event, context):
    print("GOT " + json.dumps(event))
"""


@pytest.fixture
def put(client):
    """Publish high-resolution values, at this moment."""

    def publish(namespace, name, values, **dimensions):
        client("cloudwatch").put_metric_data(
            Namespace=namespace,
            MetricData=[
                {
                    "MetricName": name,
                    "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
                    "Timestamp": datetime.now(UTC),
                    "Values": values,
                    "StorageResolution": 1,
                }
            ],
        )

    return publish


@pytest.fixture
def alarm(client, unique):
    """Create an alarm on a metric of its own; returns its name. Deleted after the test."""
    made = []

    def create(namespace, **how):
        settings = {
            "AlarmName": unique("alarm"),
            "Namespace": namespace,
            "MetricName": "Errors",
            "Dimensions": [{"Name": "version", "Value": "2"}],
            "Statistic": "Sum",
            "Period": 10,
            "EvaluationPeriods": 1,
            "Threshold": 3,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
        } | how
        client("cloudwatch").put_metric_alarm(**settings)
        made.append(settings["AlarmName"])
        return settings["AlarmName"]

    yield create
    for name in made:
        client("cloudwatch").delete_alarms(AlarmNames=[name])


@pytest.fixture
def state(client):
    def read(name, kind="MetricAlarm"):
        answer = client("cloudwatch").describe_alarms(AlarmNames=[name], AlarmTypes=[kind])
        return answer[f"{kind}s"][0]

    return read


@pytest.fixture
def recorded(client):
    """The events that a recording function was invoked with."""

    def read(fn, wanted=lambda event: True):
        group = f"/aws/lambda/{fn.name}"
        try:
            events = client("logs").filter_log_events(logGroupName=group)["events"]
        except client("logs").exceptions.ResourceNotFoundException:
            return []
        lines = [e["message"] for e in events if e["message"].startswith("GOT ")]
        return [event for line in lines if wanted(event := json.loads(line[4:]))]

    return read


def test_an_alarm_watches_exactly_its_dimensions_and_explains_itself(
    unique, put, alarm, state, client
):
    namespace = unique("Alarms")
    red = alarm(namespace)
    other_version = alarm(namespace, Dimensions=[{"Name": "version", "Value": "1"}])
    no_dimension = alarm(namespace, Dimensions=[])
    by_rate = alarm(namespace, Statistic="Average", Threshold=0.9)
    for _ in range(3):
        put(namespace, "Errors", [1.0], version="2")
    put(namespace, "Errors", [0.0, 0.0], version="2")
    put(namespace, "Errors", [1.0, 0.0], version="1")

    eventually(lambda: state(red)["StateValue"] == "ALARM")
    found = state(red)
    assert found["StateReason"].startswith(
        "Threshold Crossed: 1 out of the last 1 datapoints [3.0 ("
    )
    assert "was greater than or equal to the threshold (3.0)" in found["StateReason"]
    data = json.loads(found["StateReasonData"])
    assert data["recentDatapoints"] == [3.0]
    assert data["evaluatedDatapoints"][0]["sampleCount"] == 5.0
    for name in (other_version, no_dimension, by_rate):
        eventually(lambda name=name: state(name)["StateValue"] == "OK")
    history = client("cloudwatch").describe_alarm_history(
        AlarmName=red, HistoryItemType="StateUpdate"
    )["AlarmHistoryItems"]
    changes = [json.loads(item["HistoryData"])["newState"]["stateValue"] for item in history]
    assert changes[0] == "ALARM"
    eventually(lambda: state(red)["StateValue"] == "OK", seconds=60)


def test_a_change_of_state_is_an_event_and_invokes_functions_and_composites(
    unique, put, alarm, state, function, client, recorded
):
    namespace, rule = unique("Alarms"), unique("rule")
    listener, actor = function(RECORDER), function(RECORDER)
    alias = actor.alias("live", "1")
    red = alarm(namespace, AlarmActions=[alias], AlarmDescription="too many errors")
    composite = unique("composite")
    client("cloudwatch").put_composite_alarm(AlarmName=composite, AlarmRule=f'ALARM("{red}")')
    arns = [state(red)["AlarmArn"], state(composite, "CompositeAlarm")["AlarmArn"]]
    events = client("events")
    events.put_rule(
        Name=rule,
        EventPattern=json.dumps(
            {
                "source": ["aws.cloudwatch"],
                "detail-type": ["CloudWatch Alarm State Change"],
                "resources": arns,
                "detail": {"state": {"value": ["ALARM"]}},
            }
        ),
    )
    transformer = {
        "InputPathsMap": {"alarm": "$.detail.alarmName"},
        "InputTemplate": '{"alarm": <alarm>, "transformed": true}',
    }
    events.put_targets(
        Rule=rule,
        Targets=[
            {"Id": "whole", "Arn": listener.arn},
            {"Id": "part", "Arn": listener.arn, "InputTransformer": transformer},
        ],
    )
    put(namespace, "Errors", [1.0, 1.0, 1.0], version="2")

    seen = eventually(lambda: (got := recorded(listener)) and len(got) >= 4 and got)
    whole = {event["detail"]["alarmName"]: event for event in seen if "detail" in event}
    assert sorted(e["alarm"] for e in seen if "transformed" in e) == sorted([red, composite])

    metric = whole[red]
    assert metric["source"] == "aws.cloudwatch"
    assert metric["detail-type"] == "CloudWatch Alarm State Change"
    assert metric["resources"] == [arns[0]]
    detail = metric["detail"]
    assert detail["state"]["value"] == "ALARM"
    assert json.loads(detail["state"]["reasonData"])["recentDatapoints"] == [3.0]
    assert detail["previousState"]["value"] in {"OK", "INSUFFICIENT_DATA"}
    assert detail["configuration"]["description"] == "too many errors"
    stat = detail["configuration"]["metrics"][0]["metricStat"]
    assert stat == {
        "metric": {"namespace": namespace, "name": "Errors", "dimensions": {"version": "2"}},
        "period": 10,
        "stat": "Sum",
    }

    above = whole[composite]["detail"]
    assert above["configuration"]["alarmRule"] == f'ALARM("{red}")'
    triggering = json.loads(above["state"]["reasonData"])["triggeringAlarms"]
    assert [child["arn"] for child in triggering] == [arns[0]]

    (payload,) = eventually(lambda: recorded(actor))
    assert payload["source"] == "aws.cloudwatch"
    assert payload["alarmArn"] == arns[0]
    assert payload["accountId"] == arns[0].split(":")[4]
    assert payload["alarmData"]["alarmName"] == red
    assert payload["alarmData"]["state"]["value"] == "ALARM"

    events.remove_targets(Rule=rule, Ids=["whole", "part"])
    events.delete_rule(Name=rule)
    client("cloudwatch").delete_alarms(AlarmNames=[composite])


def test_an_alarm_acts_on_a_change_only_and_an_update_keeps_its_state(
    unique, put, alarm, state, function, recorded, client
):
    namespace = unique("Alarms")
    actor = function(RECORDER)
    settings = {"AlarmActions": [actor.arn], "EvaluationPeriods": 6, "DatapointsToAlarm": 1}
    red = alarm(namespace, **settings)
    put(namespace, "Errors", [3.0], version="2")
    eventually(lambda: state(red)["StateValue"] == "ALARM")
    alarm(namespace, AlarmName=red, AlarmDescription="another text", **settings)
    found = state(red)
    assert found["StateValue"] == "ALARM"
    assert found["StateReasonData"]
    put(namespace, "Errors", [3.0], version="2")
    time.sleep(12)  # the next evaluation finds it red still
    assert len(recorded(actor)) == 1


def test_a_state_set_by_hand_lasts_until_the_next_evaluation(unique, put, alarm, state, client):
    """This is how Halftone arms an alarm that is red for an older version."""
    namespace = unique("Alarms")
    red = alarm(namespace)
    client("cloudwatch").set_alarm_state(
        AlarmName=red, StateValue="ALARM", StateReason="by hand", StateReasonData="{}"
    )
    assert state(red)["StateValue"] == "ALARM"
    assert state(red)["StateReason"] == "by hand"
    eventually(lambda: state(red)["StateValue"] == "OK", seconds=5)
    keeping = alarm(namespace, TreatMissingData="ignore", MetricName="Silent")
    client("cloudwatch").set_alarm_state(
        AlarmName=keeping, StateValue="ALARM", StateReason="by hand"
    )
    time.sleep(3)
    assert state(keeping)["StateValue"] == "ALARM"


def test_a_composite_of_rate_and_count_needs_both(unique, put, alarm, state, client):
    namespace, composite = unique("Alarms"), unique("composite")
    count = alarm(namespace, EvaluationPeriods=6, DatapointsToAlarm=1)
    rate = alarm(
        namespace, Statistic="Average", Threshold=0.5, EvaluationPeriods=6, DatapointsToAlarm=1
    )
    client("cloudwatch").put_composite_alarm(
        AlarmName=composite, AlarmRule=f"ALARM({count}) AND ALARM({rate})"
    )
    try:
        put(namespace, "Errors", [1.0, 1.0, 1.0] + [0.0] * 9, version="2")
        eventually(lambda: state(count)["StateValue"] == "ALARM")
        eventually(lambda: state(rate)["StateValue"] == "OK")
        assert state(composite, "CompositeAlarm")["StateValue"] == "OK"
        put(namespace, "Errors", [1.0] * 20, version="2")
        eventually(lambda: state(composite, "CompositeAlarm")["StateValue"] == "ALARM")
    finally:
        client("cloudwatch").delete_alarms(AlarmNames=[composite])
