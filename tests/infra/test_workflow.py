"""The rollout workflow ends in success or in a rollback, whatever fails."""

import json
from typing import Any

import pytest

from tests.infra.support import Synthesised, text


@pytest.fixture(scope="module")
def states(dev: Synthesised) -> dict[str, Any]:
    machine = dev.one("AWS::StepFunctions::StateMachine", StateMachineName="halftone-dev-rollout")
    ports = machine.properties["DefinitionString"]["Fn::Join"][1]
    definition = "".join(part if isinstance(part, str) else _name(part) for part in ports)
    return dict(json.loads(definition)["States"])


def _name(reference: dict[str, Any]) -> str:
    return str(reference.get("Ref") or ".".join(reference["Fn::GetAtt"]))


def test_every_task_retries_whatever_fails(states: dict[str, Any]) -> None:
    tasks = [state for state in states.values() if state["Type"] == "Task"]
    assert tasks
    for task in tasks:
        assert any("States.ALL" in retry["ErrorEquals"] for retry in task["Retry"])


def test_every_failure_reaches_the_rollback(states: dict[str, Any]) -> None:
    for name, state in states.items():
        if state["Type"] == "Task" and name != "RollBack":
            caught = [c["Next"] for c in state["Catch"] if "States.ALL" in c["ErrorEquals"]]
            assert caught == ["RollBack"], name


def test_the_rollback_tries_for_at_least_ten_minutes(states: dict[str, Any]) -> None:
    (retry,) = states["RollBack"]["Retry"]
    wait, waited = float(retry["IntervalSeconds"]), 0.0
    for _ in range(retry["MaxAttempts"]):
        waited += min(wait, retry["MaxDelaySeconds"])
        wait *= retry["BackoffRate"]
    assert waited >= 600


def test_a_rolled_back_execution_is_no_success(states: dict[str, Any]) -> None:
    assert states[states["RollBack"]["Next"]]["Type"] == "Fail"


def test_the_machine_knows_no_rule_beyond_done_and_wait(states: dict[str, Any]) -> None:
    read = {
        value
        for state in states.values()
        for key, value in _strings(state)
        if value.startswith("$.") and key != "ResultPath"
    }
    tick = {"$.tick.done", "$.tick.wait", "$.Payload.done", "$.Payload.wait"}
    assert read == {"$.endpoint", "$.rollout", "$.error"} | tick


def _strings(value: Any, key: str = "") -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [found for name, inner in value.items() for found in _strings(inner, name)]
    if isinstance(value, list):
        return [found for inner in value for found in _strings(inner, key)]
    return [(key, value)] if isinstance(value, str) else []


def test_no_function_of_the_loop_names_the_machine(dev: Synthesised) -> None:
    """Two resources that name each other could not be created."""
    for function in dev.resources("AWS::Lambda::Function"):
        if any(name in text(function.id) for name in ("EngineRollout", "EngineRollback")):
            assert "HALFTONE_WORKFLOW" not in function.properties["Environment"]["Variables"]
