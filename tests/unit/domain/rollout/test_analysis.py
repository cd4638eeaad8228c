"""From counts to a verdict, with the numbers that led to it."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halftone.domain.audit import canonical_json
from halftone.domain.rollout.analysis import judge, shown
from halftone.domain.rollout.evidence import BUCKET, Arm, Bucket, Evidence
from halftone.domain.rollout.plan import Margins
from halftone.domain.rollout.verdict import Verdict, VerdictKind
from halftone.domain.traffic.policy import Mode
from halftone.stats.share import Split
from halftone.stats.tally import Tally
from halftone.stats.tolerance import below
from tests.support.rollouts import PLAN, START, rollout


def seen(challenger: Arm, champion: Arm, *, buckets: int = 6, plan=PLAN, **changes) -> Verdict:
    value = rollout(plan=plan, **changes)
    counted = [Bucket(START + i * BUCKET, challenger, champion) for i in range(buckets)]
    evidence = Evidence.begin(value, START).fold(counted, START + buckets * BUCKET, value)
    return judge(evidence, plan, plan.stages[0])


def test_an_equal_challenger_with_enough_requests_passes():
    verdict = seen(Arm(100, 0, 100, 0), Arm(1900, 0, 1900, 0))
    assert verdict.kind is VerdictKind.PASS
    assert verdict.reason == (
        "no worse than the champion: errors 0 of 600 (champion 0 of 11400); "
        "late 0 of 600 (champion 0 of 11400)"
    )
    assert verdict.numbers["stage_requests"] == 600
    assert verdict.numbers["e_needed"] == 20.0


def test_one_that_errs_far_more_often_than_the_champion_fails():
    verdict = seen(Arm(100, 30, 100, 0), Arm(1900, 19, 1900, 0))
    assert verdict.kind is VerdictKind.FAIL
    assert verdict.reason.startswith("e-value ")
    assert "errors: 180 of 600 (champion 114 of 11400)" in verdict.reason


def test_one_that_is_late_far_more_often_fails_too():
    assert seen(Arm(100, 0, 100, 60), Arm(1900, 0, 1900, 19)).kind is VerdictKind.FAIL


def test_an_incident_that_hits_both_is_not_the_challengers():
    assert seen(Arm(100, 50, 100, 50), Arm(1900, 950, 1900, 950)).kind is not VerdictKind.FAIL


def test_fewer_than_the_least_requests_are_no_data():
    verdict = seen(Arm(16, 0, 16, 0), Arm(304, 0, 304, 0))
    assert verdict.kind is VerdictKind.NO_DATA
    assert verdict.reason == "96 of at least 100 requests at this stage"


def test_what_is_not_decided_yet_tells_the_requests_it_takes():
    verdict = seen(Arm(20, 1, 20, 0), Arm(380, 15, 380, 0))
    assert verdict.kind is VerdictKind.INCONCLUSIVE
    errors = verdict.numbers["errors"]
    needed = errors["requests_needed"]
    assert verdict.reason.startswith("errors not proven harmless yet: errors 6 of 120 (champion 90")
    assert verdict.reason.endswith(f"; about {needed} more requests at present rates")
    assert 100 < needed < 10_000
    low, high = errors["odds_ratio_interval"]
    assert low < errors["odds_ratio"] < high
    assert max(errors["e_worse"], errors["e_harmless"]) < 20


def test_where_a_key_draws_it_is_keys_that_are_told_of():
    evidence = Evidence.begin(rollout(), START)
    sticky = rollout(mode=Mode.GUARDED, sticky=True)
    assert (rollout().units, sticky.units, replace(sticky, mirror=5.0).units) == (
        "requests", "keys", "requests",
    )  # fmt: skip
    verdict = judge(evidence, PLAN, PLAN.stages[0], sticky.units)
    assert verdict.reason == "0 of at least 100 keys at this stage"


def test_silence_is_no_data():
    assert seen(Arm(), Arm()).kind is VerdictKind.NO_DATA
    assert seen(Arm(), Arm(15, 0, 15, 0)).kind is VerdictKind.NO_DATA


def test_a_challenger_that_vanished_is_told_as_lost_traffic():
    verdict = seen(Arm(), Arm(1900, 0, 1900, 0))
    assert verdict.kind is VerdictKind.LOST_TRAFFIC
    assert "share it was given: 0 of 9500 where 5 % were due" in verdict.reason


def test_one_that_vanishes_after_hours_is_not_outvoted_by_them():
    of = rollout()
    hours = replace(
        Evidence.begin(of, START), splits=(Split(50_000, 1_000_000, 0.05),), in_stage=50_000
    )
    buckets = [Bucket(START + i * BUCKET, Arm(), Arm(95, 0, 95, 0)) for i in range(1, 19)]
    verdict = judge(hours.fold(buckets, START + 19 * BUCKET, of), PLAN, PLAN.stages[0])
    assert verdict.kind is VerdictKind.LOST_TRAFFIC
    assert verdict.reason.endswith("; lately 0 of the last 665")


def test_one_that_scores_nothing_unseen_is_told_of_likewise():
    plan = replace(PLAN, stages=(replace(PLAN.stages[0], weight=0.0, mirror=10.0),))
    shares = {"share": 0.0, "mirror": 10.0, "target": 0.0}
    for champion, kind in ((30, VerdictKind.NO_DATA), (50, VerdictKind.LOST_TRAFFIC)):
        verdict = seen(Arm(), Arm(champion, 0, champion, 0), plan=plan, **shares)
        assert verdict.kind is kind
    assert verdict.reason == (
        "the challenger has scored none of 300 requests, of which 10 % were to be scored"
    )


def test_a_regression_is_told_before_the_least_requests():
    assert seen(Arm(8, 8, 8, 0), Arm(1900, 0, 1900, 0)).kind is VerdictKind.FAIL


def test_a_metric_that_was_never_seen_is_an_open_question():
    verdict = seen(Arm(100, 0, 0, 0), Arm(1900, 0, 1900, 0))
    assert verdict.kind is VerdictKind.INCONCLUSIVE
    assert verdict.reason.startswith("late not proven harmless yet")


def test_without_a_tolerance_only_the_comparison_proves():
    strict = replace(PLAN, errors=Margins(tolerance=0.0), late=Margins(tolerance=0.0))
    verdict = seen(Arm(100, 0, 100, 0), Arm(1900, 0, 1900, 0), plan=strict)
    assert verdict.kind is VerdictKind.INCONCLUSIVE
    assert verdict.reason.startswith("errors and late not proven harmless yet")


def test_an_e_value_just_below_the_bar_is_below_it():
    proven = below(Tally(400, 0), tolerance=0.01)
    bar = proven + 1e-5
    assert shown(proven) == shown(bar)
    strict = replace(PLAN, alpha=math.exp(-bar), late=Margins(tolerance=50.0))
    verdict = seen(Arm(400, 0, 400, 0), Arm(), buckets=1, plan=strict)
    assert verdict.kind is VerdictKind.INCONCLUSIVE
    assert verdict.reason.startswith("errors not proven harmless yet")


ARMS = st.builds(
    lambda n, x, m, y: Arm(n, min(n, x), m, min(m, y)),
    st.integers(0, 300), st.integers(0, 300), st.integers(0, 300), st.integers(0, 300),
)  # fmt: skip


@given(ARMS, ARMS, st.integers(1, 4))
def test_a_pass_needs_the_least_requests_and_both_metrics(ours, theirs, buckets):
    verdict = seen(ours, theirs, buckets=buckets)
    if verdict.kind is VerdictKind.PASS:
        assert ours.requests * buckets >= 100
        assert ours.timed > 0


@given(ARMS, ARMS)
def test_numbers_can_be_written_into_the_record(ours, theirs):
    verdict = seen(ours, theirs)
    assert canonical_json(verdict.numbers)
    assert verdict.reason


def test_shown_numbers_never_overflow():
    assert shown(1e9) == pytest.approx(1.94e130)
    assert shown(-1e9) == 0.0
