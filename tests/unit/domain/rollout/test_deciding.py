"""Every rule of promotion and rollback, from values alone."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halftone.domain.rollout.decide import (
    Advance,
    Alarmed,
    AskAgain,
    Hold,
    RollBack,
    decide,
    decide_at_gate,
)
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import OnInconclusive
from halftone.domain.rollout.verdict import Verdict, VerdictKind
from tests.support.rollouts import MINUTE, PLAN, START, rollout

K = VerdictKind
WATCHED = (Phase.OBSERVING, Phase.BAKING)
HELD = (Phase.AWAITING_APPROVAL, Phase.PAUSED)
RED = Alarmed("errors-rate: 7 % over 5 %", "Threshold Crossed: 3 datapoints")


def decided(kind, age, *, word=OnInconclusive.HOLD, alarmed=None, phase=Phase.OBSERVING):
    running = rollout(phase=phase, plan=replace(PLAN, on_inconclusive=word), reason="asked to")
    return decide(running, Verdict(kind, "7 of 100"), alarmed, START + age)


TABLE = [
    # verdict, age, the plan's word, decision
    (K.PASS, MINUTE, "hold", Advance),
    (K.PASS, MINUTE / 2, "hold", Hold),
    (K.FAIL, MINUTE / 2, "hold", RollBack),
    (K.FAIL, MINUTE / 2, "promote", RollBack),
    (K.INCONCLUSIVE, MINUTE, "promote", Hold),
    (K.NO_DATA, MINUTE, "promote", Hold),
    (K.INCONCLUSIVE, 10 * MINUTE, "hold", Hold),
    (K.INCONCLUSIVE, 10 * MINUTE, "promote", Advance),
    (K.INCONCLUSIVE, 10 * MINUTE, "rollback", RollBack),
    (K.NO_DATA, 10 * MINUTE, "hold", Hold),
    (K.NO_DATA, 10 * MINUTE, "promote", Hold),
    (K.NO_DATA, 10 * MINUTE, "rollback", RollBack),
    (K.ERROR, 10 * MINUTE, "hold", Hold),
    (K.ERROR, 10 * MINUTE, "promote", Hold),
    (K.ERROR, 10 * MINUTE, "rollback", RollBack),
]


@pytest.mark.parametrize("phase", WATCHED)
@pytest.mark.parametrize(("kind", "age", "word", "decision"), TABLE)
def test_the_table_of_decisions(kind, age, word, decision, phase):
    assert type(decided(kind, age, word=OnInconclusive(word), phase=phase)) is decision


def test_reasons_carry_numbers():
    assert decided(K.PASS, timedelta(seconds=20)) == Hold("20s of at least 1m at 5 %")
    assert decided(K.PASS, MINUTE) == Advance("7 of 100")
    assert decided(K.FAIL, MINUTE) == RollBack("regression proven: 7 of 100")
    assert decided(K.PASS, MINUTE, alarmed=RED) == RollBack(
        "guardrail in alarm: errors-rate: 7 % over 5 %", "Threshold Crossed: 3 datapoints"
    )
    assert decided(K.NO_DATA, 10 * MINUTE) == Hold("held, no_data after 10m at 5 %: 7 of 100")
    assert decided(K.PASS, MINUTE, phase=Phase.PAUSED) == Hold("paused: asked to")
    assert decided(K.INCONCLUSIVE, 9 * MINUTE) == Hold("inconclusive: 7 of 100")
    aged = "inconclusive after 10m at 5 %: 7 of 100"
    promote, rollback = OnInconclusive.PROMOTE, OnInconclusive.ROLLBACK
    assert decided(K.INCONCLUSIVE, 10 * MINUTE, word=promote) == Advance(
        f"{aged}; the plan says promote"
    )
    assert decided(K.INCONCLUSIVE, 10 * MINUTE, word=rollback) == RollBack(
        f"{aged}; the plan says roll back"
    )


VERDICTS = st.sampled_from(K)
AGES = st.timedeltas(-MINUTE, 30 * MINUTE)
WORDS = st.sampled_from(OnInconclusive)
ALARMS = st.sampled_from([None, RED])
PHASES = st.sampled_from(WATCHED + HELD)


@given(VERDICTS, AGES, WORDS, PHASES)
def test_an_alarm_ends_the_rollout_in_every_phase_with_traffic(kind, age, word, phase):
    assert isinstance(decided(kind, age, word=word, alarmed=RED, phase=phase), RollBack)


@given(AGES, WORDS, PHASES)
def test_a_proven_regression_does_so_too(age, word, phase):
    assert isinstance(decided(K.FAIL, age, word=word, phase=phase), RollBack)


@given(VERDICTS, AGES, WORDS, ALARMS, PHASES)
def test_nothing_goes_on_without_a_pass_or_the_plans_word(kind, age, word, alarmed, phase):
    if isinstance(decided(kind, age, word=word, alarmed=alarmed, phase=phase), Advance):
        assert phase in WATCHED
        assert alarmed is None
        assert age >= MINUTE
        says_so = word is OnInconclusive.PROMOTE and age >= 10 * MINUTE
        assert kind is K.PASS or (kind is K.INCONCLUSIVE and says_so)


@given(st.sampled_from([K.NO_DATA, K.ERROR]), AGES, WORDS, PHASES)
def test_silence_never_promotes(kind, age, word, phase):
    assert not isinstance(decided(kind, age, word=word, phase=phase), Advance)


@given(VERDICTS, AGES, WORDS)
def test_a_stage_that_has_not_begun_is_only_waited_for(kind, age, word):
    running = rollout(stage=-1, plan=replace(PLAN, on_inconclusive=word))
    decision = decide(running, Verdict(kind, ""), None, START + age)
    assert isinstance(decision, RollBack if kind is K.FAIL else Hold)


def at_gate(now, ahead, asked="inconclusive"):
    waiting = rollout(phase=Phase.AWAITING_APPROVAL, gate=asked)
    return decide_at_gate(waiting, Verdict(now, "7 of 100"), Verdict(ahead, "9 of 120"))


SINCE = "approved, but it became worse since it was asked for, "
LATELY = "approved, but it became worse in the last minute, "
AT_GATE = [
    # verdict now, with the last minute, what the gate was asked for, decision
    (K.PASS, K.PASS, "pass", Advance("7 of 100")),
    (K.PASS, K.PASS, "inconclusive", Advance("7 of 100")),
    (K.INCONCLUSIVE, K.PASS, "inconclusive", Advance("7 of 100")),
    (K.INCONCLUSIVE, K.INCONCLUSIVE, "inconclusive", Advance("7 of 100")),
    (K.NO_DATA, K.NO_DATA, "no_data", Advance("7 of 100")),
    (K.FAIL, K.PASS, "inconclusive", RollBack("regression proven: 7 of 100")),
    (K.FAIL, K.ERROR, "fail", RollBack("regression proven: 7 of 100")),
    (K.ERROR, K.PASS, "error", Hold("approved, and not looked at since: 7 of 100")),
    (K.PASS, K.ERROR, "error", Hold("approved, and not looked at since: 9 of 120")),
    (K.INCONCLUSIVE, K.PASS, "pass", AskAgain(f"{SINCE}inconclusive: 7 of 100", "inconclusive")),
    (K.NO_DATA, K.PASS, "inconclusive", AskAgain(f"{SINCE}no_data: 7 of 100", "no_data")),
    (K.PASS, K.NO_DATA, "pass", AskAgain(f"{LATELY}no_data: 9 of 120", "no_data")),
    # What is not complete proves nothing: the same word is asked for again.
    (K.PASS, K.FAIL, "pass", AskAgain(f"{LATELY}fail: 9 of 120", "pass")),
    (K.PASS, K.FAIL, "fail", AskAgain(f"{LATELY}fail: 9 of 120", "fail")),
]


@pytest.mark.parametrize(("now", "ahead", "asked", "decision"), AT_GATE)
def test_the_table_of_what_follows_an_approval(now, ahead, asked, decision):
    assert at_gate(now, ahead, asked) == decision
