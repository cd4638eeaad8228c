"""A person's word at a gate opens it for what was shown, and not for what became of it since."""

from dataclasses import replace
from datetime import timedelta

import pytest

from halftone.domain.errors import Unavailable
from halftone.domain.rollout.evidence import Arm
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import Routing
from halftone.domain.rollout.verdict import VerdictKind
from halftone.service.rollouts import operate
from tests.support.engine import FAILING, NAME, SILENT, Endpoint, scaled
from tests.support.operations import approve, grow, say
from tests.support.rollouts import MINUTE, PLAN

WORSE, BESIDE = Arm(50, 4, 50, 0), Arm(50, 2, 50, 0)
"""No proof of a regression, but none of harmlessness any more."""


@pytest.fixture(params=[1, 2, 3], ids=["50 %", "bake", "100 %"])
def gate(request):
    return request.param


@pytest.fixture
def waiting(endpoint, gate):
    """m2 did well and waits at ``gate``, on metrics that take a minute to be complete."""
    plan = replace(
        PLAN,
        stages=tuple(replace(s, approval=i == gate) for i, s in enumerate(PLAN.stages)),
        approve_all=gate == 3,
    )
    endpoint.release("m2", plan=plan)
    grow(endpoint, Phase.AWAITING_APPROVAL)
    endpoint.ports = endpoint.world.ports(metric_lag=MINUTE)
    return endpoint


def test_what_is_as_it_was_goes_on(waiting, gate):
    before = waiting.rollout.share
    waiting.traffic(MINUTE)
    approve(waiting, gate)
    waiting.tick()
    assert waiting.alias.share_of("2") > before
    assert waiting.rollout.gate == ""


@pytest.mark.parametrize("old", [timedelta(0), 3 * MINUTE], ids=["incomplete", "complete"])
def test_what_got_worse_since_asks_for_a_second_word(waiting, gate, old):
    share = waiting.rollout.share
    waiting.traffic(MINUTE, WORSE, BESIDE)
    waiting.world.clock.pass_by(old)
    approve(waiting, gate)
    waiting.tick()
    assert (waiting.phase, waiting.rollout.share) == (Phase.AWAITING_APPROVAL, share)
    assert waiting.alias.share_of("2") == share
    assert waiting.history[-1].action == "asks-again"
    when = "in the last minute" if not old else "since it was asked for"
    assert waiting.rollout.reason.startswith(f"approved, but it became worse {when}, inconclusive")
    assert waiting.rollout.gate == VerdictKind.INCONCLUSIVE
    approve(waiting, gate)
    waiting.tick()
    assert waiting.alias.share_of("2") > share


def test_what_looks_proven_in_the_last_minute_asks_again(waiting, gate):
    share = waiting.rollout.share
    waiting.traffic(MINUTE, FAILING)
    for _ in range(2):
        approve(waiting, gate)
        waiting.tick()
        assert (waiting.phase, waiting.rollout.gate) == (Phase.AWAITING_APPROVAL, VerdictKind.PASS)
        assert waiting.rollout.reason.startswith("approved, but it became worse in the last minute")
    assert waiting.alias.share_of("2") == share


def test_what_is_proven_to_be_worse_by_then_goes_back(waiting, gate):
    waiting.traffic(3 * MINUTE, FAILING)
    approve(waiting, gate)
    waiting.tick()
    assert (waiting.phase, waiting.alias) == (Phase.ROLLED_BACK, Routing("1"))
    assert waiting.rollout.reason.startswith("regression proven")


def test_traffic_that_was_lost_since_asks_again(waiting, gate):
    if waiting.rollout.share == 95.0:
        waiting.traffic(5 * MINUTE, SILENT)
    else:
        waiting.traffic(5 * MINUTE, SILENT, scaled(FAILING, 0))
        waiting.traffic(5 * MINUTE, SILENT)
    approve(waiting, gate)
    waiting.tick()
    assert waiting.phase is Phase.AWAITING_APPROVAL
    assert "lost_traffic" in waiting.rollout.reason


def test_without_metrics_nobody_gets_more_and_with_them_it_does(waiting, gate):
    share, real = waiting.rollout.share, waiting.world.metrics.buckets
    waiting.traffic(MINUTE)
    approve(waiting, gate)

    def silent(*_, **__):
        raise Unavailable("CloudWatch is away")

    waiting.world.metrics.buckets = silent
    tick = waiting.tick()
    assert tick.reason == "approved, and not looked at since: CloudWatch is away"
    assert (waiting.phase, waiting.alias.share_of("2")) == (Phase.SHIFTING, share)
    waiting.world.metrics.buckets = real
    waiting.tick()
    assert waiting.alias.share_of("2") > share


def test_the_first_gate_has_no_evidence_to_look_at():
    endpoint = Endpoint()
    endpoint.serve("m1")
    stages = (replace(PLAN.stages[0], approval=True), *PLAN.stages[1:])
    endpoint.release("m2", plan=replace(PLAN, stages=stages))
    endpoint.tick_until(Phase.AWAITING_APPROVAL)
    approve(endpoint, 0)
    endpoint.tick()
    assert endpoint.alias.share_of("2") == 5.0


def test_a_word_in_place_of_evidence_does_not_ask_again(waiting):
    waiting.traffic(MINUTE, WORSE, BESIDE)
    say(operate.promote, waiting)
    waiting.tick()
    assert waiting.phase is Phase.PROMOTED
    assert waiting.world.store.load(NAME).rollout.gate == ""
