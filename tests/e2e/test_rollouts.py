"""The main job on real parts: releases that go out, and releases that come back."""

import time
from collections import Counter
from datetime import timedelta

import boto3
import pytest
from scipy.stats import binom

from halftone.domain import audit
from halftone.domain.audit import Author
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import Routing
from halftone.service.releases.revert import revert
from tests.e2e.support import Stage, redeclare


def test_a_good_challenger_goes_out_and_nobody_notices(stage: Stage) -> None:
    with stage.traffic("promoted") as traffic:
        redeclare(stage.cloud, "promoted", model="models/challenger")
        stage.cloud.deploy("promoted")
        rollout = stage.until_over("promoted")
        time.sleep(1)

    assert (rollout.phase, rollout.share) == (Phase.PROMOTED, 100.0), rollout.reason
    assert stage.ports.aliases.read("promoted").routing == Routing("2")
    shares = [r.after["share"] for r in stage.records("promoted") if r.action == "shifted"]
    assert shares == [5, 20, 50, 95]
    assert {answer.status for answer in traffic.answers} == {200}
    assert traffic.answers[-1].version == "2"
    state = stage.state("promoted")
    # One a deploy beside the releases' own: what it declares.
    assert [r.action for r in stage.records("promoted")].count("declared") == 2
    assert audit.verify("promoted", stage.ports.store.audit("promoted"), state.audit) == 18


def test_a_bad_challenger_is_rolled_back_by_its_alarm_alone(stage: Stage) -> None:
    """The orchestrator is gone: no tick comes that could notice anything."""
    rollout = stage.release("alarmed", "bad")
    stage.until_phase("alarmed", Phase.OBSERVING)
    stage.stop_ticking("alarmed", rollout.id)
    with stage.traffic("alarmed") as traffic:
        ended = stage.until_over("alarmed")
        fenced_at = stage.records("alarmed")[-2].at
        time.sleep(3)

    assert ended.phase is Phase.ROLLED_BACK
    assert stage.ports.aliases.read("alarmed").routing == Routing("1")
    fence, done = stage.records("alarmed")[-2:]
    assert (fence.action, done.action) == ("fence", "rolled-back")
    assert fence.actor == "alarm/halftone-local-guardrail--alarmed"
    assert fence.reason.startswith("guardrail in alarm: "), fence.reason
    errors = Counter(answer.version for answer in traffic.answers if answer.status != 200)
    assert set(errors) == {"2"}, "only the challenger failed"
    assert 3 <= errors.total() <= 0.05 * len(traffic.answers)
    over = fenced_at + timedelta(seconds=2)
    late = [a for a in traffic.answers if a.version == "2" and a.at > over]
    assert not late, "nothing reaches the challenger after the rollback"


def test_a_challenger_without_traffic_is_held_not_promoted(stage: Stage) -> None:
    stage.release(
        "silent",
        "challenger",
        steps=[{"weight": 20, "min_time": "2s", "max_time": "4s", "min_requests": 1}],
        on_inconclusive="promote",
    )
    rollout = stage.until_phase("silent", Phase.OBSERVING)
    time.sleep(12)  # real time on real parts: several looks after the step's greatest age

    held = stage.rollout("silent")
    assert (held.id, held.phase, held.share) == (rollout.id, Phase.OBSERVING, 20.0)
    assert stage.ports.aliases.read("silent").routing == Routing("1", "2", 20.0)


def test_a_deploy_in_mid_rollout_moves_no_weight(stage: Stage) -> None:
    stage.release(
        "redeployed", "challenger", steps=[{"weight": 20, "min_time": "1h", "min_requests": 1}]
    )
    stage.until_phase("redeployed", Phase.OBSERVING)
    before = stage.ports.aliases.read("redeployed")

    redeclare(
        stage.cloud, "redeployed", description="other words", guardrails={"errors": {"count": 7}}
    )
    stage.cloud.deploy("redeployed")

    assert stage.ports.aliases.read("redeployed") == before, "not even written again"
    assert stage.rollout("redeployed").phase is Phase.OBSERVING
    stage.until(
        "alarms armed for the challenger, with the new threshold",
        lambda: stage.ports.guardrails.read("redeployed").armed_for == "2",
    )
    alarm = boto3.client("cloudwatch").describe_alarms(
        AlarmNames=["halftone-local-redeployed--errors-count"]
    )["MetricAlarms"][0]
    assert alarm["Threshold"] == 7


def test_starting_a_rollout_again_starts_nothing(stage: Stage) -> None:
    rollout = stage.release("restarted", "challenger", key="once")
    stage.until_phase("restarted", Phase.OBSERVING)
    records = len(stage.records("restarted"))

    stage.ports.workflow.start("restarted", rollout.id)
    assert stage.release("restarted", "challenger", key="once").id == rollout.id

    assert len(stage.records("restarted")) == records
    executions = boto3.client("stepfunctions").list_executions(
        stateMachineArn=stage.cloud.outputs()["Workflow"]
    )["executions"]
    assert [e["name"] for e in executions].count(rollout.id) == 1


def test_two_thousand_requests_split_as_the_alias_says(stage: Stage) -> None:
    stage.release(
        "split", "challenger", steps=[{"weight": 20, "min_time": "1h", "min_requests": 1}]
    )
    stage.until_phase("split", Phase.OBSERVING)
    with stage.traffic("split", rate=100) as traffic:
        stage.until("2,000 answers", lambda: len(traffic.answers) >= 2000)

    answers = traffic.answers[:2000]
    assert {a.status for a in answers} == {200}
    challenger = sum(a.version == "2" for a in answers)
    low, high = binom.interval(1 - 1e-6, 2000, 0.2)
    assert low <= challenger <= high, f"{challenger} of 2000 at 20 %"

    returned = revert(stage.ports, "split", version=None, author=Author("test", "enough"))
    assert returned.rollout is not None
    assert returned.rollout.phase is Phase.ROLLED_BACK
    assert stage.ports.aliases.read("split").routing == Routing("1")


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b"not json", 400, "body"),
        (b"[]", 422, "body"),
        (b'{"instances": [{"mean_radius": "wide"}]}', 422, "instances"),
        (b'{"instances": "' + b"x" * 1_000_001 + b'"}', 413, "body"),
    ],
)
def test_bad_requests_are_told_what_is_wrong(
    stage: Stage, body: bytes, status: int, told: str
) -> None:
    result, problem = stage.ask("promoted", body)

    assert result == status, problem
    assert told in str(problem["field"])


def test_an_onnx_package_serves_too(stage: Stage) -> None:
    with stage.traffic("digits", rate=10) as traffic:
        stage.until("20 answers", lambda: len(traffic.answers) >= 20)
    assert {answer.status for answer in traffic.answers} == {200}
