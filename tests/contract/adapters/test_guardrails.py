"""Arming makes every alarm watch one version from a clean state, and changes nothing else."""

from typing import Any

import pytest
from moto.cloudwatch.models import cloudwatch_backends
from moto.core import DEFAULT_ACCOUNT_ID

from halftone.adapters.aws.cloudwatch_alarms import CloudWatchGuardrails
from halftone.domain.errors import NotFound, Unavailable
from halftone.domain.names import (
    ALIAS,
    CHALLENGER,
    GUARDRAIL_ALARMS,
    guardrail_name,
    metric_alarm_name,
)
from halftone.ports.guardrails import AlarmState
from halftone.testing import MemoryGuardrails
from tests.contract.adapters.conftest import REGION

COMPOSITE = guardrail_name("dev", "fraud")
OWN = [{"Name": "Endpoint", "Value": "fraud"}, {"Name": "Version", "Value": "none"}]
PLATFORM = [
    {"Name": "FunctionName", "Value": "halftone-dev-fraud"},
    {"Name": "Resource", "Value": "halftone-dev-fraud:live"},
    {"Name": "ExecutedVersion", "Value": "none"},
]
TOPIC = f"arn:aws:sns:{REGION}:{DEFAULT_ACCOUNT_ID}:people"


def name(kind):
    return metric_alarm_name("dev", "fraud", kind)


def definition(kind: str) -> dict[str, Any]:
    """One metric alarm, unlike the others in all that arming must keep."""
    number = GUARDRAIL_ALARMS.index(kind)
    platform = kind.startswith("crashes")
    return {
        "AlarmName": name(kind),
        "AlarmDescription": f"watches {kind}",
        "ActionsEnabled": number % 2 == 0,
        "OKActions": [TOPIC] if number == 1 else [],
        "AlarmActions": [TOPIC] if number == 2 else [],
        "InsufficientDataActions": [TOPIC] if number == 3 else [],
        "MetricName": "Errors" if platform else "Late",
        "Namespace": "AWS/Lambda" if platform else "Halftone",
        "Dimensions": PLATFORM if platform else OWN,
        "Period": 60 if platform else 10,
        "EvaluationPeriods": number + 2,
        "DatapointsToAlarm": number + 1,
        "Threshold": 0.5 + number,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        **({"ExtendedStatistic": "p99"} if kind == "late-rate" else {"Statistic": "Sum"}),
    }


@pytest.fixture
def cloudwatch(aws):
    """The alarms of an endpoint as its stack makes them."""
    client = aws("cloudwatch")
    for kind in GUARDRAIL_ALARMS:
        client.put_metric_alarm(**definition(kind))
    # moto describes composite alarms, but has no call that makes one.
    cloudwatch_backends[DEFAULT_ACCOUNT_ID][REGION].put_metric_alarm(
        name=COMPOSITE, rule=" OR ".join(f'ALARM("{name(kind)}")' for kind in GUARDRAIL_ALARMS),
        description="", dimensions=[], alarm_actions=[], namespace="", metric_name="",
        comparison_operator="", statistic="", evaluation_periods=1, period=10, threshold=0,
    )  # fmt: skip
    return client


def alarms(client):
    """The metric alarms as CloudWatch describes them, by kind."""
    alarms = client.describe_alarms(AlarmNames=[name(kind) for kind in GUARDRAIL_ALARMS])
    return {a["AlarmName"].rsplit("--", 1)[1]: a for a in alarms["MetricAlarms"]}


class OnCloudWatch:
    def __init__(self, client):
        self.client, self.port = client, CloudWatchGuardrails(client, "dev")

    def trip(self, reason):
        """Turn an alarm red, and with it the composite, as CloudWatch would."""
        for alarm in (name("errors-rate"), name("errors-count"), COMPOSITE):
            self.client.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason=reason)


class InMemory:
    def __init__(self):
        self.port = MemoryGuardrails()

    def trip(self, reason):
        self.port.trip("fraud", reason)


@pytest.fixture(params=["in memory", "on CloudWatch"])
def guarded(request):
    if request.param == "in memory":
        return InMemory()
    return OnCloudWatch(request.getfixturevalue("cloudwatch"))


def test_the_guardrail_reads_back_the_version_it_was_armed_for(guarded):
    for version in ("2", "3", "2"):
        guarded.port.arm("fraud", version, "rollout fraud-r1")
        assert guarded.port.read("fraud").armed_for == version


def test_the_guardrail_reads_back_the_alias_that_is_watched(guarded):
    for alias in (CHALLENGER, ALIAS):
        guarded.port.arm("fraud", "2", "rollout fraud-r1", alias=alias)
        reading = guarded.port.read("fraud")
        assert (reading.armed_for, reading.alias) == ("2", alias)


def test_crashes_are_counted_at_the_alias_that_is_called(cloudwatch):
    CloudWatchGuardrails(cloudwatch, "dev").arm("fraud", "7", "rollout", alias=CHALLENGER)
    for kind, result in alarms(cloudwatch).items():
        by_name = {d["Name"]: d["Value"] for d in result["Dimensions"]}
        if kind.startswith("crashes"):
            assert by_name["Resource"] == "halftone-dev-fraud:challenger"
            assert by_name["ExecutedVersion"] == "7"
        else:
            assert by_name == {d["Name"]: d["Value"] for d in OWN} | {"Version": "7"}


def test_a_red_guardrail_tells_why(guarded):
    guarded.port.arm("fraud", "2", "rollout fraud-r1")
    guarded.trip("3 of 3 above 5 %")
    guard = guarded.port.read("fraud")
    assert (guard.state, guard.armed_for) == (AlarmState.ALARM, "2")
    assert "3 of 3 above 5 %" in guard.reason


def red(client, *kinds, composite="OK"):
    """What the port reads where those metric alarms are in alarm."""
    for kind in kinds:
        client.set_alarm_state(AlarmName=name(kind), StateValue="ALARM", StateReason="bad")
    client.set_alarm_state(AlarmName=COMPOSITE, StateValue=composite, StateReason="follows")
    return CloudWatchGuardrails(client, "dev").read("fraud").state


@pytest.mark.parametrize(
    ("kinds", "state"),
    [
        ((), AlarmState.OK),
        (("errors-rate",), AlarmState.OK),
        (("errors-rate", "late-count"), AlarmState.OK),
        (("errors-rate", "errors-count"), AlarmState.ALARM),
        (("crashes-rate", "crashes-count", "late-rate"), AlarmState.ALARM),
        (("proof",), AlarmState.ALARM),
    ],
)
@pytest.mark.parametrize("composite", ["OK", "ALARM"])
def test_its_state_is_that_of_the_metric_alarms(cloudwatch, kinds, state, composite):
    assert red(cloudwatch, *kinds, composite=composite) is state


def test_what_was_red_before_arming_is_not_red_afterwards(cloudwatch):
    assert red(cloudwatch, "errors-rate", "errors-count", composite="ALARM") is AlarmState.ALARM
    port = CloudWatchGuardrails(cloudwatch, "dev")
    port.arm("fraud", "8", "rollout fraud-r2")
    assert port.read("fraud").state is AlarmState.OK


def test_arming_changes_the_version_of_every_alarm_alone(cloudwatch):
    CloudWatchGuardrails(cloudwatch, "dev").arm("fraud", "7", "rollout fraud-r1")
    for kind, result in alarms(cloudwatch).items():
        expected = definition(kind)
        *others, version = expected["Dimensions"]
        expected["Dimensions"] = [*others, {**version, "Value": "7"}]
        assert {field: result.get(field) for field in expected} == expected
    assert alarms(cloudwatch).keys() == {*GUARDRAIL_ALARMS}


def test_arming_takes_the_red_off_every_metric_alarm(cloudwatch):
    for kind in GUARDRAIL_ALARMS:
        cloudwatch.set_alarm_state(AlarmName=name(kind), StateValue="ALARM", StateReason="bad")
    CloudWatchGuardrails(cloudwatch, "dev").arm("fraud", "7", "rollout fraud-r1")
    assert {(a["StateValue"], a["StateReason"]) for a in alarms(cloudwatch).values()} == {
        ("OK", "armed for version 7: rollout fraud-r1")
    }


@pytest.mark.parametrize("kind", GUARDRAIL_ALARMS)
def test_alarms_that_watch_different_versions_are_not_armed(cloudwatch, kind):
    guardrails = CloudWatchGuardrails(cloudwatch, "dev")
    guardrails.arm("fraud", "7", "rollout fraud-r1")
    cloudwatch.put_metric_alarm(**definition(kind))  # as a deploy would put it back
    assert guardrails.read("fraud").armed_for is None


@pytest.mark.parametrize("missing", [*map(name, GUARDRAIL_ALARMS), COMPOSITE])
def test_an_alarm_that_is_not_there_is_named(cloudwatch, missing):
    guardrails = CloudWatchGuardrails(cloudwatch, "dev")
    cloudwatch.delete_alarms(AlarmNames=[missing])
    with pytest.raises(NotFound, match=f"no alarm '{missing}'"):
        guardrails.read("fraud")
    with pytest.raises(NotFound, match=f"no alarm '{missing}'"):
        guardrails.arm("fraud", "7", "rollout fraud-r1")


def test_alarms_that_do_not_take_the_version_are_unavailable(cloudwatch):
    # A deploy that runs at the same time puts an alarm back right after it was armed.
    def put_back(**_):
        cloudwatch.meta.events.unregister("after-call.cloudwatch.SetAlarmState", put_back)
        cloudwatch.put_metric_alarm(**definition("errors-rate"))

    cloudwatch.meta.events.register("after-call.cloudwatch.SetAlarmState", put_back)
    with pytest.raises(Unavailable, match="none in common through '' after being armed for 7"):
        CloudWatchGuardrails(cloudwatch, "dev").arm("fraud", "7", "rollout fraud-r1")


@pytest.mark.parametrize("call", ["put_metric_alarm", "set_alarm_state", "describe_alarms"])
def test_cloudwatch_at_fault_is_unavailable(cloudwatch, call):
    operation = "".join(part.title() for part in call.split("_"))

    def refuse(**_):
        answer = {"Error": {"Code": "ThrottlingException", "Message": "slow down"}}
        raise cloudwatch.exceptions.ClientError(answer, operation)

    cloudwatch.meta.events.register(f"before-call.cloudwatch.{operation}", refuse)
    with pytest.raises(Unavailable, match="ThrottlingException"):
        CloudWatchGuardrails(cloudwatch, "dev").arm("fraud", "7", "rollout fraud-r1")


SENTENCE = (
    "Threshold Crossed: 2 out of the last 2 datapoints [0.41 (01/12/26 01:00:10), 0.375 (01/12/26 "
    "01:00:00)] were greater than or equal to the threshold (1.5) (minimum 2 datapoints for OK -> "
    "ALARM transition)."
)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('{"recentDatapoints": [0.375, 0.41], "threshold": 1.5}', "0.41 at or over"),
        ('{"recentDatapoints": []}', "Threshold Crossed: 2 out"),
        ("", "Threshold Crossed: 2 out"),
        ("[1]", "Threshold Crossed: 2 out"),
    ],
)
def test_the_reason_is_short_and_cloudwatchs_sentence_is_kept(cloudwatch, data, expected):
    for kind in GUARDRAIL_ALARMS:
        state = {"StateValue": "ALARM", "StateReason": SENTENCE}
        cloudwatch.set_alarm_state(AlarmName=name(kind), StateReasonData=data or "{}", **state)
    guard = CloudWatchGuardrails(cloudwatch, "dev").read("fraud")
    reasons, details = sorted(guard.reason.split("; ")), sorted(guard.detail.split("; "))
    assert len(reasons) == len(details) == len(GUARDRAIL_ALARMS)
    for reason, detail, kind in zip(reasons, details, sorted(GUARDRAIL_ALARMS), strict=True):
        assert reason.startswith(f"{kind}: {expected}")
        assert len(reason) < 140
        assert detail == f"{kind}: {SENTENCE}"
