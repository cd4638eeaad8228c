"""Alarms over a real clock: "Alarm evaluation" and "Alarm events and EventBridge".

The rules of evaluation themselves are tested without waiting in tests/unit/local; here the server's
loop, its reading of metrics, its events and its actions are. All alarms have 10-second periods.
"""

import json
import time
from datetime import UTC, datetime

import pytest

from tests.contract.local.support import eventually

RECORDER = """
import json
def handler(event, context):
    print("GOT " + json.dumps(event))
"""


class Monitor:
    """Publishes to one namespace and makes alarms on it."""

    def __init__(self, client, unique):
        self.cloudwatch = client("cloudwatch")
        self.logs = client("logs")
        self.unique = unique
        self.namespace = unique("Alarms")
        self.made = []

    def put(self, *values, version="2"):
        """Publish high-resolution values of the metric Errors, at this moment."""
        self.cloudwatch.put_metric_data(
            Namespace=self.namespace,
            MetricData=[
                {
                    "MetricName": "Errors",
                    "Dimensions": [{"Name": "version", "Value": version}],
                    "Timestamp": datetime.now(UTC),
                    "Values": values,
                    "StorageResolution": 1,
                }
            ],
        )

    def alarm(self, **settings):
        """Create or update an alarm on version 2's errors; returns its name."""
        defaults = {
            "AlarmName": self.unique("alarm"),
            "Namespace": self.namespace,
            "MetricName": "Errors",
            "Dimensions": [{"Name": "version", "Value": "2"}],
            "Statistic": "Sum",
            "Period": 10,
            "EvaluationPeriods": 1,
            "Threshold": 3,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
        }
        settings = defaults | settings
        self.cloudwatch.put_metric_alarm(**settings)
        self.made.append(settings["AlarmName"])
        return settings["AlarmName"]

    def composite(self, rule):
        name = self.unique("composite")
        self.cloudwatch.put_composite_alarm(AlarmName=name, AlarmRule=rule)
        self.made.append(name)
        return name

    def read(self, name):
        answer = self.cloudwatch.describe_alarms(
            AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        (alarm,) = answer["MetricAlarms"] + answer["CompositeAlarms"]
        return alarm

    def state(self, name):
        return self.read(name)["StateValue"]

    def recorded(self, fn):
        """The events that a recording function was invoked with."""
        try:
            events = self.logs.filter_log_events(logGroupName=f"/aws/lambda/{fn.name}")["events"]
        except self.logs.exceptions.ResourceNotFoundException:
            return []
        lines = [event["message"] for event in events]
        return [json.loads(line[4:]) for line in lines if line.startswith("GOT ")]

    def close(self):
        for name in reversed(self.made):
            self.cloudwatch.delete_alarms(AlarmNames=[name])


@pytest.fixture
def monitor(client, unique):
    made = Monitor(client, unique)
    yield made
    made.close()


def test_an_alarm_watches_its_dimensions_and_explains_itself(monitor):
    red = monitor.alarm()
    other_version = monitor.alarm(Dimensions=[{"Name": "version", "Value": "1"}])
    no_dimension = monitor.alarm(Dimensions=[])
    by_rate = monitor.alarm(Statistic="Average", Threshold=0.9)
    monitor.put(1.0, 1.0, 1.0, 0.0, 0.0)
    monitor.put(1.0, 0.0, version="1")

    eventually(lambda: monitor.state(red) == "ALARM")
    found = monitor.read(red)
    reason = found["StateReason"]
    assert reason.startswith("Threshold Crossed: 1 out of the last 1 datapoints [3.0 (")
    assert "was greater than or equal to the threshold (3.0)" in reason
    data = json.loads(found["StateReasonData"])
    assert data["recentDatapoints"] == [3.0]
    assert data["evaluatedDatapoints"][0]["sampleCount"] == 5.0
    for name in (other_version, no_dimension, by_rate):
        eventually(lambda name=name: monitor.state(name) == "OK")
    history = monitor.cloudwatch.describe_alarm_history(
        AlarmName=red, HistoryItemType="StateUpdate"
    )["AlarmHistoryItems"]
    newest = json.loads(history[0]["HistoryData"])
    assert newest["newState"]["stateValue"] == "ALARM"


def test_a_change_of_state_is_an_event_and_invokes_functions(monitor, function, client, unique):
    listener, actor, rule = function(RECORDER), function(RECORDER), unique("rule")
    alias = actor.alias("live", "1")
    red = monitor.alarm(AlarmActions=[alias], AlarmDescription="too many errors")
    composite = monitor.composite(f'ALARM("{red}")')
    arns = [monitor.read(red)["AlarmArn"], monitor.read(composite)["AlarmArn"]]
    pattern = {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "resources": arns,
        "detail": {"state": {"value": ["ALARM"]}},
    }
    transformer = {
        "InputPathsMap": {"alarm": "$.detail.alarmName"},
        "InputTemplate": '{"alarm": <alarm>, "transformed": true}',
    }
    events = client("events")
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    events.put_targets(
        Rule=rule,
        Targets=[
            {"Id": "whole", "Arn": listener.arn},
            {"Id": "part", "Arn": listener.arn, "InputTransformer": transformer},
        ],
    )
    monitor.put(1.0, 1.0, 1.0)

    eventually(lambda: len(monitor.recorded(listener)) >= 4)
    seen = monitor.recorded(listener)
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
    named = {"namespace": monitor.namespace, "name": "Errors", "dimensions": {"version": "2"}}
    stat = detail["configuration"]["metrics"][0]["metricStat"]
    assert stat == {"metric": named, "period": 10, "stat": "Sum"}

    above = whole[composite]["detail"]
    assert above["configuration"]["alarmRule"] == f'ALARM("{red}")'
    triggering = json.loads(above["state"]["reasonData"])["triggeringAlarms"]
    assert [child["arn"] for child in triggering] == [arns[0]]

    (payload,) = eventually(lambda: monitor.recorded(actor))
    assert payload["source"] == "aws.cloudwatch"
    assert payload["alarmArn"] == arns[0]
    assert payload["accountId"] == arns[0].split(":")[4]
    assert payload["alarmData"]["alarmName"] == red
    assert payload["alarmData"]["state"]["value"] == "ALARM"
    events.remove_targets(Rule=rule, Ids=["whole", "part"])
    events.delete_rule(Name=rule)


def test_an_alarm_acts_on_changes_and_an_update_keeps_its_state(monitor, function):
    actor = function(RECORDER)
    settings = {"AlarmActions": [actor.arn], "EvaluationPeriods": 6, "DatapointsToAlarm": 1}
    red = monitor.alarm(**settings)
    monitor.put(3.0)
    eventually(lambda: monitor.state(red) == "ALARM")
    monitor.alarm(AlarmName=red, AlarmDescription="another text", **settings)
    found = monitor.read(red)
    assert found["StateValue"] == "ALARM"
    assert found["StateReasonData"]
    monitor.put(3.0)
    time.sleep(12)  # the next evaluation finds it red still
    assert len(monitor.recorded(actor)) == 1


def test_a_state_set_by_hand_lasts_until_the_next_evaluation(monitor):
    """This is how Halftone arms an alarm that is red for an older version."""
    by_hand = {"StateValue": "ALARM", "StateReason": "by hand"}
    red = monitor.alarm()
    monitor.cloudwatch.set_alarm_state(AlarmName=red, **by_hand)
    assert monitor.read(red)["StateReason"] == "by hand"
    eventually(lambda: monitor.state(red) == "OK", seconds=5)
    keeping = monitor.alarm(TreatMissingData="ignore", MetricName="Silent")
    monitor.cloudwatch.set_alarm_state(AlarmName=keeping, **by_hand)
    time.sleep(3)
    assert monitor.state(keeping) == "ALARM"


def test_a_composite_of_rate_and_count_needs_both(monitor):
    window = {"EvaluationPeriods": 6, "DatapointsToAlarm": 1}
    count = monitor.alarm(**window)
    rate = monitor.alarm(Statistic="Average", Threshold=0.5, **window)
    both = monitor.composite(f"ALARM({count}) AND ALARM({rate})")
    monitor.put(1.0, 1.0, 1.0, *[0.0] * 9)
    eventually(lambda: monitor.state(count) == "ALARM")
    eventually(lambda: monitor.state(rate) == "OK")
    assert monitor.state(both) == "OK"
    monitor.put(*[1.0] * 20)
    eventually(lambda: monitor.state(both) == "ALARM")
