"""A stage that somebody has been at behind our back: `doctor` finds what, and the way back needs
no control API.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest

from halftone.domain import audit
from halftone.domain.names import (
    ALIAS,
    alarm_rule_name,
    function_name,
    guardrail_name,
    metric_alarm_name,
    tick_rule_name,
)
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import Routing
from tests.e2e.support import Stage, set_handler
from tests.e2e.test_commands import halftone

NAME = "examined"
TICK = tick_rule_name("local", NAME)
KEPT = {
    *("AlarmName", "Namespace", "MetricName", "Statistic", "Period", "EvaluationPeriods"),
    *("DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData"),
}
HELD = {"weight": 20, "min_time": "1h", "min_requests": 1}


@pytest.fixture
def rolling(stage: Stage) -> Stage:
    """The stage, where version 2 of the endpoint is at 20 %; no workflow ticks, only the schedule.

    The schedule's tick comes once a minute: what is broken under it may be repaired meanwhile.
    """
    if stage.state(NAME).active is None:
        rollout = stage.release(NAME, "challenger", steps=[HELD])
        stage.until_phase(NAME, Phase.OBSERVING)
        stage.stop_ticking(NAME, rollout.id)
        boto3.client("events").enable_rule(Name=TICK)
    return stage


def bad(stage: Stage) -> dict[str, Any]:
    """What `halftone doctor` finds wrong, by check; its exit code must agree.

    Dead letters are left out: other tests break functions on purpose.
    """
    ran = halftone(stage, "doctor", NAME, "--json")
    document = json.loads(ran.stdout)
    wrong = [finding for finding in document["findings"] if not finding["good"]]
    assert (ran.returncode, document["healthy"]) == (int(bool(wrong)), not wrong), ran.stderr
    assert {"credentials", "bootstrap", "stage", "control API", f"{NAME}: alias"} <= {
        finding["check"] for finding in document["findings"]
    }
    return {finding["check"]: finding for finding in wrong if finding["check"] != "dead letters"}


@contextmanager
def off(rule: str) -> Iterator[None]:
    events = boto3.client("events")
    events.disable_rule(Name=rule)
    try:
        yield
    finally:
        events.enable_rule(Name=rule)


@contextmanager
def without_control() -> Iterator[None]:
    """The control API's alias on a version whose handler its code does not have."""
    functions, name = boto3.client("lambda"), "halftone_local_control"
    handler = functions.get_function_configuration(FunctionName=name)["Handler"]
    good = functions.get_alias(FunctionName=name, Name=ALIAS)["FunctionVersion"]
    set_handler(name, "no_such_module.handler")
    broken = functions.publish_version(FunctionName=name)["Version"]
    functions.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=broken)
    try:
        yield
    finally:
        functions.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=good)
        functions.delete_function(FunctionName=name, Qualifier=broken)
        set_handler(name, handler)


def test_doctor_finds_what_somebody_did_to_an_endpoint(rolling: Stage) -> None:
    assert bad(rolling) == {}, "a stage in order is all green"
    with off(TICK):
        assert [*bad(rolling)] == [f"{NAME}: schedule"]
        an_alarm_that_was_disarmed_or_removed(rolling)
        an_alias_that_was_edited_by_hand(rolling)
    assert bad(rolling) == {}


def an_alarm_that_was_disarmed_or_removed(rolling: Stage) -> None:
    cloudwatch, expected = boto3.client("cloudwatch"), [f"{NAME}: alarms", f"{NAME}: schedule"]
    name, guardrail = metric_alarm_name("local", NAME, "errors-rate"), guardrail_name("local", NAME)
    [alarm] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    rule = cloudwatch.describe_alarms(AlarmNames=[guardrail], AlarmTypes=["CompositeAlarm"])
    watched = alarm["Dimensions"]
    elsewhere = [{**d, "Value": "none"} if d["Name"] == "Version" else d for d in watched]

    def watch(dimensions: list[Any]) -> None:
        by_key = {key: value for key, value in alarm.items() if key in KEPT}
        cloudwatch.put_metric_alarm(**{**by_key, "Dimensions": dimensions})  # type: ignore[arg-type]
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="edited")

    watch(elsewhere)
    disarmed = bad(rolling)
    watch(watched)
    cloudwatch.delete_alarms(AlarmNames=[guardrail])
    removed = bad(rolling)
    [composite] = rule["CompositeAlarms"]
    cloudwatch.put_composite_alarm(AlarmName=guardrail, AlarmRule=composite["AlarmRule"])

    assert [*disarmed] == expected
    assert disarmed[expected[0]]["found"] == "armed for no version, expected 2"
    assert [*removed] == expected
    assert f"there is no alarm '{guardrail}'" in removed[expected[0]]["found"]


def an_alias_that_was_edited_by_hand(rolling: Stage) -> None:
    def share(of_version_2: float) -> None:
        boto3.client("lambda").update_alias(
            FunctionName=function_name("local", NAME),
            Name=ALIAS,
            RoutingConfig={"AdditionalVersionWeights": {"2": of_version_2}},
        )

    share(0.9)
    wrong = bad(rolling)
    share(0.2)

    assert [*wrong] == [f"{NAME}: alias", f"{NAME}: schedule"]
    assert "90 %" in wrong[f"{NAME}: alias"]["found"]


@pytest.mark.alone
def test_an_alarm_rule_that_was_switched_off_is_found(rolling: Stage) -> None:
    with off(alarm_rule_name("local")):
        assert [*bad(rolling)] == ["alarm rule"]


@pytest.mark.alone
def test_without_the_control_api_rollback_says_how_to_go_direct(rolling: Stage) -> None:
    with without_control():
        assert [*bad(rolling)] == ["control API"]

        by_the_api = halftone(rolling, "rollback", NAME, "--yes")
        assert by_the_api.returncode == 6, by_the_api.stderr
        assert f"`halftone rollback {NAME} --direct`" in by_the_api.stderr
        assert rolling.ports.aliases.read(NAME).routing == Routing("1", "2", 20.0)

        direct = halftone(rolling, "rollback", NAME, "--direct", "--yes", "--message", "scores")
        assert direct.returncode == 0, direct.stderr
        assert "100 % version 1; as recorded" in direct.stdout
        assert rolling.ports.aliases.read(NAME).routing == Routing("1")

    state = rolling.state(NAME)
    assert state.rollout is not None
    assert (state.rollout.phase, state.rollout.challenger) == (Phase.ROLLED_BACK, "2")
    fence = rolling.records(NAME)[-2]
    assert fence.action == "fence"
    assert fence.actor.startswith("local/")
    assert audit.verify(NAME, rolling.ports.store.audit(NAME), state.audit)
    assert bad(rolling) == {}
