"""What people say to a rollout under way: recorded once, refused where it does not fit."""

from dataclasses import replace

import pytest

from halftone.domain.errors import Conflict, InvalidInput, NotFound
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import Routing
from halftone.service.rollouts import operate
from halftone.service.rollouts.advance import advance
from halftone.testing import MemoryGuardrails
from tests.support.engine import EVERY, NAME, Endpoint
from tests.support.operations import approve, changes_nothing, say
from tests.support.rollouts import PLAN

STAGES = PLAN.stages


class TestEachIsOnRecordOnce:
    """One record with the person and the reason; none when it is said again."""

    def recorded(self, endpoint, action, phase):
        record = endpoint.history[-1]
        assert (record.action, record.actor, record.reason) == (action, "ben", "the clinic asked")
        assert (record.after["phase"], endpoint.rollout.reason) == (phase, "the clinic asked")

    def test_pause(self, watched):
        answer = say(operate.pause, watched)
        self.recorded(watched, "paused", "paused")
        assert answer == watched.rollout
        assert changes_nothing(watched, operate.pause)

    def test_resume(self, paused):
        answer = say(operate.resume, paused)
        self.recorded(paused, "resumed", "observing")
        assert answer == paused.rollout
        assert changes_nothing(paused, operate.resume)

    def test_approve(self, gated):
        approve(gated, 1)
        self.recorded(gated, "approved", "shifting")
        assert changes_nothing(gated, operate.approve, stage=1)

    def test_promote(self, watched):
        say(operate.promote, watched)
        self.recorded(watched, "promote-now", "shifting")
        assert changes_nothing(watched, operate.promote)
        watched.tick()
        assert watched.phase is Phase.PROMOTED
        assert changes_nothing(watched, operate.promote)

    @pytest.mark.parametrize("operation", [operate.reject, operate.abort])
    def test_reject_and_abort(self, gated, operation):
        answer = say(operation, gated)
        assert answer == gated.state
        fence, confirmed = gated.history[-2:]
        assert (fence.action, fence.actor) == ("fence", "ben")
        assert fence.reason in ("rejected: the clinic asked", "aborted: the clinic asked")
        assert confirmed.action == "rolled-back"
        assert gated.alias == Routing("1")
        assert changes_nothing(gated, operation)


# What each phase does not let people say. Everything else is said and answered in the other tests.
UNFIT = {
    Phase.PREPARING: ("pause", "resume", "reject", "promote", "approve"),
    Phase.SHIFTING: ("pause", "resume", "reject", "promote", "approve"),
    Phase.OBSERVING: ("reject", "approve"),
    Phase.AWAITING_APPROVAL: ("pause", "resume"),
    Phase.PAUSED: ("reject", "approve"),
    Phase.BAKING: ("reject", "approve"),
    Phase.PROMOTED: ("pause", "resume", "reject", "abort"),
    Phase.ROLLING_BACK: ("pause", "resume", "promote", "approve"),
    Phase.ROLLED_BACK: ("pause", "resume", "promote", "approve"),
    Phase.FAILED: ("pause", "resume", "reject", "promote", "abort", "approve"),
}


class TestWhatDoesNotFit:
    """Refused with the phase that is, and nothing is written."""

    def refusal(self, endpoint, name, **changes):
        before = endpoint.state
        if name == "approve":
            changes.setdefault("stage", 3)
        with pytest.raises(Conflict) as refused:
            say(getattr(operate, name), endpoint, **changes)
        assert endpoint.state == before
        return str(refused.value)

    @pytest.mark.parametrize(
        ("phase", "name"), [(phase, name) for phase, names in UNFIT.items() for name in names]
    )
    def test_is_refused_with_the_present_phase(self, watched, phase, name):
        state = watched.state
        stopped = replace(state, rollout=replace(state.rollout, phase=phase, target=50.0))
        watched.world.store.states[NAME] = stopped
        assert f"rollout {state.rollout.id} is {phase}: it can be" in self.refusal(watched, name)

    def test_an_approval_of_another_gate_than_the_one_it_waits_at(self, gated):
        refusal = self.refusal(gated, "approve", stage=3)
        assert refusal.endswith("is awaiting_approval of step 2, not 4")

    def test_an_approval_of_a_gate_that_was_open_once_it_went_back(self, gated):
        approve(gated, 1)
        say(operate.abort, gated)
        assert "is rolled_back: it can be" in self.refusal(gated, "approve", stage=1)
        assert "is rolled_back: it can be" in self.refusal(gated, "approve", stage=0)

    def test_all_traffic_for_a_challenger_that_has_had_none(self, endpoint):
        endpoint.release("m2", plan=replace(PLAN, stages=(replace(STAGES[0], approval=True),)))
        endpoint.tick_until(Phase.AWAITING_APPROVAL)
        assert "can be promoted once it has some" in self.refusal(endpoint, "promote")

    @pytest.mark.parametrize("name", UNFIT[Phase.FAILED])
    def test_a_rollout_that_is_not_the_one_meant(self, gated, name):
        refusal = self.refusal(gated, name, rollout="fraud-yesterday")
        assert refusal.startswith(
            "'fraud' is not rolling out fraud-yesterday: its newest rollout is "
        )

    @pytest.mark.parametrize("stage", [-1, 4])
    def test_a_stage_that_the_plan_does_not_have(self, gated, stage):
        with pytest.raises(InvalidInput, match=f"stage is {stage}, expected 0 to 3"):
            approve(gated, stage)

    @pytest.mark.parametrize("name", ["pause", "resume", "reject", "promote", "abort"])
    def test_an_endpoint_that_there_is_not(self, name):
        with pytest.raises(NotFound, match="no endpoint 'fraud'"):
            say(getattr(operate, name), Endpoint())

    def test_an_endpoint_on_which_nothing_ever_rolled_out(self, endpoint):
        endpoint.world.store.states[NAME] = replace(endpoint.state, rollout=None)
        with pytest.raises(Conflict, match="nothing is rolling out on 'fraud'"):
            say(operate.abort, endpoint)


@pytest.mark.parametrize("phase", [p for p in Phase if not p.final])
def test_what_is_not_over_can_be_aborted_in_every_phase(watched, phase):
    state = watched.state
    watched.world.store.states[NAME] = replace(state, rollout=replace(state.rollout, phase=phase))
    say(operate.abort, watched)
    assert watched.phase is Phase.ROLLED_BACK
    assert watched.alias == Routing("1")


class Gone(MemoryGuardrails):
    """Alarms that somebody has deleted."""

    def read(self, endpoint):
        """See the port."""
        raise NotFound("alarm", endpoint)


class TestPromotingNow:
    """A person's word in place of the evidence, and never in place of the alarms."""

    @pytest.mark.parametrize("given", ["watched", "paused", "gated"])
    def test_the_challenger_takes_all_traffic(self, given, request):
        endpoint = request.getfixturevalue(given)
        say(operate.promote, endpoint)
        endpoint.tick()
        assert (endpoint.phase, endpoint.alias) == (Phase.PROMOTED, Routing("2"))
        assert (endpoint.champion, endpoint.rollout.paused_at) == ("2", None)

    @pytest.mark.parametrize("tripped", ["before", "after"])
    def test_with_a_red_guardrail_it_goes_back_instead(self, watched, tripped):
        if tripped == "before":
            watched.trip("errors above 5 %")
        say(operate.promote, watched)
        watched.trip("errors above 5 %")
        watched.tick()
        assert (watched.phase, watched.alias) == (Phase.ROLLED_BACK, Routing("1"))
        assert watched.rollout.reason == "guardrail in alarm: errors above 5 %"

    def test_with_a_guardrail_on_another_version_it_goes_back(self, watched):
        say(operate.promote, watched)
        watched.world.guardrails.arm(NAME, "1", "somebody put it back")
        watched.tick()
        assert (watched.phase, watched.alias) == (Phase.ROLLED_BACK, Routing("1"))
        assert watched.rollout.reason == "the guardrail is not armed for the challenger"

    def test_with_no_guardrail_any_more_it_goes_back_instead(self, watched):
        say(operate.promote, watched)
        advance(replace(watched.ports, guardrails=Gone()), NAME, None, every=EVERY)
        assert (watched.phase, watched.alias) == (Phase.ROLLED_BACK, Routing("1"))
        assert watched.rollout.reason.startswith("there is no guardrail any more: ")
