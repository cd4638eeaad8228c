"""Rollouts that nobody moves: paused, or waiting for a person. None of that stops a way back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import OnInconclusive
from halftone.domain.rollout.routing import Routing
from halftone.service.rollouts import operate
from tests.support.engine import FAILING
from tests.support.operations import approve, changes_nothing, grow, say
from tests.support.rollouts import MINUTE, PLAN

STAGES = PLAN.stages


class TestPausing:
    """A pause stops the clock, and nothing else."""

    def test_the_share_stays_and_no_evidence_moves_it(self, paused):
        paused.traffic(30 * MINUTE)
        assert paused.tick().reason == "paused: the clinic asked"
        assert paused.alias == Routing("1", "2", 5.0)

    def test_it_does_not_count_towards_the_least_time(self, watched):
        watched.traffic(timedelta(seconds=40))
        say(operate.pause, watched)
        watched.traffic(10 * MINUTE)
        say(operate.resume, watched)
        assert watched.tick().reason == "40s of at least 1m at 5 %"
        watched.traffic(timedelta(seconds=20))
        watched.tick()
        assert watched.alias == Routing("1", "2", 50.0)

    def test_nor_towards_the_greatest(self, endpoint):
        endpoint.release("m2", plan=replace(PLAN, on_inconclusive=OnInconclusive.ROLLBACK))
        endpoint.tick_until(Phase.OBSERVING)
        for _ in range(2):
            endpoint.world.clock.pass_by(4 * MINUTE)
            say(operate.pause, endpoint)
            endpoint.world.clock.pass_by(60 * MINUTE)
            endpoint.tick()
            say(operate.resume, endpoint)
        assert endpoint.tick().reason.startswith("no_data")
        assert endpoint.phase is Phase.OBSERVING
        endpoint.world.clock.pass_by(2 * MINUTE)
        endpoint.tick()
        assert endpoint.phase is Phase.ROLLED_BACK

    def test_a_bake_goes_on_as_a_bake(self, endpoint):
        endpoint.release("m2")
        grow(endpoint, Phase.BAKING)
        say(operate.pause, endpoint)
        say(operate.resume, endpoint)
        assert endpoint.phase is Phase.BAKING

    @pytest.mark.parametrize("stopped", ["paused", "gated"])
    def test_an_alarm_rolls_back_all_the_same(self, stopped, request):
        endpoint = request.getfixturevalue(stopped)
        endpoint.trip("errors above 5 %")
        endpoint.tick()
        assert (endpoint.phase, endpoint.alias) == (Phase.ROLLED_BACK, Routing("1"))
        assert endpoint.rollout.reason == "guardrail in alarm: errors above 5 %"

    @pytest.mark.parametrize("stopped", ["paused", "gated"])
    def test_a_proven_regression_rolls_back_all_the_same(self, stopped, request):
        endpoint = request.getfixturevalue(stopped)
        endpoint.traffic(MINUTE, FAILING)
        endpoint.tick()
        assert (endpoint.phase, endpoint.alias) == (Phase.ROLLED_BACK, Routing("1"))
        assert endpoint.rollout.reason.startswith("regression proven")


class TestGates:
    """A person's word before the first stage, a middle one, the bake, and all traffic."""

    @pytest.mark.parametrize("gate", [0, 1, 2, 3])
    def test_the_challenger_waits_there_and_goes_on_with_the_word(self, endpoint, gate):
        stages = [replace(stage, approval=i == gate) for i, stage in enumerate(STAGES)]
        endpoint.release("m2", plan=replace(PLAN, stages=tuple(stages), approve_all=gate == 3))
        grow(endpoint, Phase.AWAITING_APPROVAL)
        shares = [0.0, 5.0, 50.0, 95.0, 100.0]
        endpoint.traffic(10 * MINUTE)
        assert endpoint.tick().reason.startswith("awaiting_approval: ")
        assert endpoint.alias.share_of("2") == endpoint.rollout.share == shares[gate]
        approve(endpoint, gate)
        endpoint.tick()
        assert endpoint.alias.share_of("2") == shares[gate + 1]

    def test_a_word_said_twice_does_not_open_the_next_gate(self, endpoint):
        stages = tuple(replace(stage, approval=True) for stage in STAGES)
        endpoint.release("m2", plan=replace(PLAN, stages=stages, approve_all=True))
        endpoint.tick_until(Phase.AWAITING_APPROVAL)
        for stage, share in enumerate([5.0, 50.0, 95.0]):
            approve(endpoint, stage)
            endpoint.tick_until(Phase.OBSERVING, Phase.BAKING)
            assert changes_nothing(endpoint, operate.approve, stage=stage)
            endpoint.traffic(2 * MINUTE)
            endpoint.tick()
            assert endpoint.phase is Phase.AWAITING_APPROVAL
            assert changes_nothing(endpoint, operate.approve, stage=stage)
            endpoint.tick()
            assert endpoint.alias.share_of("2") == share
        approve(endpoint, 3)
        endpoint.tick()
        assert endpoint.phase is Phase.PROMOTED
        assert changes_nothing(endpoint, operate.approve, stage=3)

    def test_an_approval_opens_nothing_for_a_challenger_in_alarm(self, gated):
        gated.trip()
        approve(gated, 1)
        gated.tick()
        assert (gated.phase, gated.alias) == (Phase.ROLLED_BACK, Routing("1"))


@pytest.mark.parametrize("stopped", ["paused", "gated"])
def test_the_next_release_supersedes_it(stopped, request):
    endpoint = request.getfixturevalue(stopped)
    endpoint.release("m3")
    assert endpoint.alias == Routing("1")
    fence = next(record for record in endpoint.history if record.action == "fence")
    assert fence.reason.startswith("superseded by m3")
    endpoint.tick_until(Phase.OBSERVING)
    assert endpoint.alias == Routing("1", "3", 5.0)
