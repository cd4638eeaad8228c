"""People and failures in the middle of a rollout, on real parts: nothing stops the way back."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest

from halftone.domain import audit
from halftone.domain.audit import Author
from halftone.domain.errors import Conflict
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import Routing
from halftone.service.releases.revert import revert
from halftone.service.rollouts import operate
from tests.e2e.support import Stage, set_handler

BEN = {"author": Author("ben", "the clinic asked")}
HELD = {"weight": 20, "min_time": "1h", "min_requests": 1}


def test_people_gate_and_supersede_and_an_alarm_rolls_back(stage: Stage) -> None:
    name, ports = "operated", stage.ports
    gated = stage.release(name, "challenger", steps=[{**HELD, "approval": "before"}])
    stage.until_phase(name, Phase.AWAITING_APPROVAL)
    assert ports.aliases.read(name).routing == Routing("1")
    operate.approve(ports, name, stage=0, **BEN)
    stage.until_phase(name, Phase.OBSERVING)
    assert ports.aliases.read(name).routing == Routing("1", "2", 20.0)

    with pytest.raises(Conflict, match=f"is rolling out .* \\({gated.id}, observing at 20 %\\)"):
        stage.release(name, "bad", steps=[HELD])
    bad = stage.release(name, "bad", steps=[HELD], supersede=True)
    assert ports.aliases.read(name).routing == Routing("1")
    stage.until_phase(name, Phase.OBSERVING)
    assert ports.aliases.read(name).routing == Routing("1", "3", 20.0)

    operate.pause(ports, name, **BEN)
    stage.stop_ticking(name, bad.id)
    with stage.traffic(name):
        ended = stage.until_over(name)

    assert (ended.id, ended.phase) == (bad.id, Phase.ROLLED_BACK)
    assert ports.aliases.read(name).routing == Routing("1")
    fence = stage.records(name)[-2]
    assert (fence.action, fence.before["phase"]) == ("fence", "paused")
    assert fence.actor == f"alarm/halftone-local-guardrail--{name}"
    pairs = [(r.action, r.actor) for r in stage.records(name) if r.actor == "ben"]
    assert pairs == [("approved", "ben"), ("paused", "ben")]


def test_the_version_three_releases_ago_takes_all_traffic_back(stage: Stage) -> None:
    name = "returned"
    for model in ("challenger", "champion", "challenger"):
        stage.release(name, model, steps=[{"weight": 100}], bake="none")
        assert stage.until_over(name).phase is Phase.PROMOTED
    assert stage.ports.aliases.read(name).routing == Routing("4")

    state = revert(stage.ports, name, version="1", **BEN)

    assert stage.ports.aliases.read(name).routing == Routing("1")
    assert state.champion is not None
    assert state.champion.version == "1"
    assert stage.ports.guardrails.read(name).armed_for == "1"
    with stage.traffic(name) as traffic:
        stage.until("ten answers", lambda: len(traffic.answers) >= 10)
    assert {(answer.version, answer.status) for answer in traffic.answers} == {("1", 200)}
    assert audit.verify(name, stage.ports.store.audit(name), state.audit)


@pytest.mark.alone
def test_a_workflow_that_fails_ends_rolled_back(stage: Stage) -> None:
    """The rollout function can't be loaded any more: no tick will ever come through."""
    name = "returned"
    home = stage.ports.aliases.read(name).routing
    with _impatient_workflow(stage):
        rollout = stage.release(name, "challenger", steps=[HELD])
        stage.until_phase(name, Phase.OBSERVING)
        with _broken_ticks(stage):
            ended = stage.until_over(name)
            stage.until("the execution's end", lambda: _execution(stage, rollout.id) != "RUNNING")

    assert (ended.id, ended.phase) == (rollout.id, Phase.ROLLED_BACK)
    assert stage.ports.aliases.read(name).routing == home
    fence = stage.records(name)[-2]
    assert (fence.action, fence.actor) == ("fence", "workflow")
    assert fence.reason.startswith("the workflow failed: ")
    assert _execution(stage, rollout.id) == "FAILED"


@contextmanager
def _impatient_workflow(stage: Stage) -> Iterator[None]:
    """The deployed workflow, with one repetition of a tick in place of two minutes of them."""
    functions, arn = boto3.client("stepfunctions"), stage.cloud.outputs()["Workflow"]
    deployed = functions.describe_state_machine(stateMachineArn=arn)["definition"]
    impatient = json.loads(deployed)
    for retry in impatient["States"]["Tick"]["Retry"]:
        retry |= {"MaxAttempts": 1, "IntervalSeconds": 1}
    functions.update_state_machine(stateMachineArn=arn, definition=json.dumps(impatient))
    try:
        yield
    finally:
        functions.update_state_machine(stateMachineArn=arn, definition=deployed)


@contextmanager
def _broken_ticks(stage: Stage) -> Iterator[None]:
    """The rollout function with a handler that its code does not have."""
    functions, name = boto3.client("lambda"), stage.cloud.outputs()["RolloutFunction"]
    handler = functions.get_function_configuration(FunctionName=name)["Handler"]
    set_handler(name, "no_such_module.handler")
    try:
        yield
    finally:
        set_handler(name, handler)


def _execution(stage: Stage, rollout: str) -> str:
    workflow = stage.cloud.outputs()["Workflow"].replace(":stateMachine:", ":execution:")
    execution = boto3.client("stepfunctions").describe_execution(
        executionArn=f"{workflow}:{rollout}"
    )
    return execution["status"]
