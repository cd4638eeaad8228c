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
from halftone.domain.names import alarm_rule_name, function_name, metric_alarm_name, tick_rule_name
from halftone.domain.phase import Phase
from halftone.domain.routing import Routing
from tests.e2e.support import Stage, set_handler
from tests.e2e.test_commands import halftone

NAME = "examined"
TICK = tick_rule_name("local", NAME)
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
    found = json.loads(ran.stdout)
    wrong = [finding for finding in found["findings"] if not finding["good"]]
    assert (ran.returncode, found["healthy"]) == (int(bool(wrong)), not wrong), ran.stderr
    assert {"credentials", "bootstrap", "stage", "control API", f"{NAME}: alias"} <= {
        finding["check"] for finding in found["findings"]
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
def broken(function: str) -> Iterator[None]:
    """The function with a handler that its code does not have."""
    functions = boto3.client("lambda")
    handler = functions.get_function_configuration(FunctionName=function)["Handler"]
    set_handler(function, "no_such_module.handler")
    try:
        yield
    finally:
        set_handler(function, handler)


def test_a_stage_in_order_is_all_green(rolling: Stage) -> None:
    assert bad(rolling) == {}


def test_rules_that_were_switched_off_are_found(rolling: Stage) -> None:
    with off(alarm_rule_name("local")):
        assert [*bad(rolling)] == ["alarm rule"]
    with off(TICK):
        assert [*bad(rolling)] == [f"{NAME}: schedule"]


def test_an_alarm_that_was_disarmed_or_removed_is_found(rolling: Stage) -> None:
    cloudwatch = boto3.client("cloudwatch")
    alarm = metric_alarm_name("local", NAME, "errors-rate")
    with off(TICK):
        [found] = cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
        names = ("Namespace", "MetricName", "Statistic", "Period", "EvaluationPeriods")
        names += ("Threshold", "ComparisonOperator", "TreatMissingData")
        disarmed = {name: found[name] for name in names}  # type: ignore[literal-required]
        elsewhere = [
            {**d, "Value": "none"} if d["Name"] == "Version" else d for d in found["Dimensions"]
        ]
        cloudwatch.put_metric_alarm(AlarmName=alarm, Dimensions=elsewhere, **disarmed)
        wrong = bad(rolling)
        assert [*wrong] == [f"{NAME}: alarms", f"{NAME}: schedule"]
        assert wrong[f"{NAME}: alarms"]["found"] == "armed for no version, expected 2"

        cloudwatch.delete_alarms(AlarmNames=[alarm])
        wrong = bad(rolling)
        assert [*wrong] == [f"{NAME}: alarms", f"{NAME}: schedule"]
        assert alarm in wrong[f"{NAME}: alarms"]["found"]

        watched = found["Dimensions"]
        cloudwatch.put_metric_alarm(AlarmName=alarm, Dimensions=watched, **disarmed)
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="put back")
    assert bad(rolling) == {}


def test_an_alias_that_was_edited_by_hand_is_found(rolling: Stage) -> None:
    functions, name = boto3.client("lambda"), function_name("local", NAME)
    with off(TICK):
        functions.update_alias(
            FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.9}}
        )
        wrong = bad(rolling)
        assert [*wrong] == [f"{NAME}: alias", f"{NAME}: schedule"]
        assert "90 %" in wrong[f"{NAME}: alias"]["found"]

        functions.update_alias(
            FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.2}}
        )
    assert bad(rolling) == {}


def test_with_the_control_api_down_rollback_says_how_and_direct_does_it(rolling: Stage) -> None:
    with broken(control_function()):
        assert [*bad(rolling)] == ["control API"]

        by_the_api = halftone(rolling, "rollback", NAME, "--yes")
        assert by_the_api.returncode == 6, by_the_api.stderr
        assert f"`halftone rollback {NAME} --direct`" in by_the_api.stderr
        assert rolling.parts.aliases.read(NAME).routing == Routing("1", "2", 20.0)

        direct = halftone(rolling, "rollback", NAME, "--direct", "--yes", "--reason", "scores")
        assert direct.returncode == 0, direct.stderr
        assert "100 % version 1; as recorded" in direct.stdout
        assert rolling.parts.aliases.read(NAME).routing == Routing("1")

    state = rolling.state(NAME)
    assert state.rollout is not None
    assert (state.rollout.phase, state.rollout.challenger) == (Phase.ROLLED_BACK, "2")
    fence = rolling.records(NAME)[-2]
    assert fence.action == "fence"
    assert fence.actor.startswith("local/")
    assert audit.verify(NAME, rolling.parts.store.audit(NAME), state.audit)
    assert bad(rolling) == {}


def control_function() -> str:
    """The name of the deployed control function."""
    pages = boto3.client("lambda").get_paginator("list_functions").paginate()
    [name] = [
        found["FunctionName"]
        for page in pages
        for found in page["Functions"]
        if "control" in found["Handler"]
    ]
    return name
