"""What a verdict puts on record, number by number, and the bounds between its kinds."""

import math
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from halftone.domain.rollout.analysis import judge, log_e_worse, stake
from halftone.domain.rollout.evidence import BUCKET, Arm, Bucket, Doubt, Evidence
from halftone.domain.rollout.plan import Margins
from halftone.domain.rollout.verdict import VerdictKind
from halftone.stats.share import Split
from halftone.stats.tally import Tally
from halftone.stats.tolerance import above, below
from tests.support.rollouts import PLAN, START, rollout

MIRRORING = replace(PLAN, changed=5.0, stages=(replace(PLAN.stages[0], weight=0.0, mirror=10.0),))
UNSEEN = {"share": 0.0, "mirror": 10.0, "target": 0.0}


def judged(challenger, champion, *, buckets=6, plan=PLAN, evidence=None, **changes):
    of = rollout(plan=plan, **changes)
    counted = [Bucket(START + i * BUCKET, challenger, champion) for i in range(buckets)]
    begun = evidence or Evidence.begin(of, START)
    return judge(begun.fold(counted, START + buckets * BUCKET, of), plan, plan.stages[0])


def test_a_metric_compared_with_the_champion_is_on_record_whole():
    numbers = judged(Arm(20, 1, 20, 0), Arm(380, 15, 380, 0)).numbers
    assert numbers["errors"] == {
        "challenger": 6,
        "challenger_of": 120,
        "champion": 90,
        "champion_of": 2280,
        "e_worse": 0.175,
        "e_harmless": 0.448,
        "odds_ratio": 1.28,
        "odds_ratio_interval": [0.287, 3.75],
        "requests_needed": 831,
    }
    assert numbers["late"] == {
        "challenger": 0,
        "challenger_of": 120,
        "champion": 0,
        "champion_of": 2280,
        "e_worse": 1.0,
        "e_harmless": 83.8,
        "odds_ratio": None,
        "odds_ratio_interval": [0.0, None],
        "requests_needed": 0,
    }


def test_beside_the_metrics_the_sums_are_on_record():
    verdict = judged(Arm(20, 1, 20, 0), Arm(380, 15, 380, 0))
    sums = {name: number for name, number in verdict.numbers.items() if type(number) is not dict}
    assert sums == {
        "stage_requests": 120,
        "least_requests": 100,
        "e_worse": 0.588,
        "e_needed": 20.0,
        "e_share": 0.272,
        "set_aside": 0,
    }
    assert verdict.proof == pytest.approx(0.588 / 20, rel=0.01)


def test_changed_labels_are_judged_by_the_plans_tolerance():
    same = judged(Arm(100, 0, 100, paired=100), Arm(900, 0, 900), plan=MIRRORING, **UNSEEN)
    assert same.kind is VerdictKind.PASS
    assert same.reason.endswith("; changed 0 of 600")
    other = judged(
        Arm(100, 0, 100, paired=100, changed=60), Arm(900, 0, 900), plan=MIRRORING, **UNSEEN
    )
    assert other.kind is VerdictKind.FAIL
    assert other.reason.endswith("most of it by changed: 360 of 600")
    proof = {"tolerance": 0.05}
    assert other.numbers["changed"] == {
        "challenger": 360,
        "challenger_of": 600,
        "e_worse": float(f"{math.exp(min(300, above(Tally(600, 360), **proof))):.3g}"),
        "e_harmless": float(f"{math.exp(below(Tally(600, 360), **proof)):.3g}"),
        "requests_needed": None,
    }


@pytest.mark.parametrize(
    "plan",
    [replace(MIRRORING, changed=0.0), replace(MIRRORING, stages=PLAN.stages)],
    ids=["no tolerance", "no mirror"],
)
def test_labels_are_no_metric_where_the_plan_compares_none(plan):
    assert "changed" not in judged(Arm(100, 0, 100), Arm(900, 0, 900), plan=plan).numbers


def test_feedback_is_required_only_where_there_is_some():
    verdict = judged(Arm(100, 0, 100, judged=50, bad=1), Arm(1900, 0, 1900, judged=900, bad=9))
    assert verdict.reason.startswith("bad not proven harmless yet: errors 0 of 600")
    assert "bad 6 of 300 (champion 54 of 5400)" in verdict.reason
    single = judged(Arm(100, 0, 100, judged=1), Arm(1900, 0, 1900), buckets=1)
    assert "bad 0 of 1 (champion 0 of 0)" in single.reason


def half_of(log_e):
    """Half of the bet is on the comparison, which learns nothing where there is no event."""
    return (1 + math.exp(log_e)) / 2


@pytest.mark.parametrize(
    ("metric", "margins"), [("errors", "errors"), ("late", "late"), ("bad", "quality")]
)
def test_each_metric_has_the_tolerance_of_its_own_margins(metric, margins):
    challenger = Arm(100, 0, 100, 0, judged=100)
    champion = Arm(900, 0, 900, 0, judged=900)
    for tolerance in (3.0, 7.0):
        plan = replace(PLAN, **{margins: Margins(tolerance=tolerance)})
        numbers = judged(challenger, champion, plan=plan).numbers
        expected = half_of(below(Tally(600, 0), tolerance=tolerance / 100))
        assert numbers[metric]["e_harmless"] == pytest.approx(expected, rel=0.005)


def test_latency_limits_have_the_tolerance_of_latency():
    plan = replace(PLAN, latency=Margins(tolerance=7.0))
    numbers = judged(
        Arm(100, 0, 100, 0, over=(0,)),
        Arm(900, 0, 900, 0, over=(0,)),
        plan=plan,
        latency_limits=(0.1,),
    ).numbers
    expected = half_of(below(Tally(600, 0), tolerance=0.07))
    assert numbers["over_0"]["e_harmless"] == pytest.approx(expected, rel=0.005)


@dataclass(frozen=True)
class Stands:
    log_e_regression: float


def test_the_bet_lies_on_errors_twice_as_heavily_as_on_lateness():
    """Weights 4, 2, 2, 2, and 1 for each latency limit."""
    log_es = {"errors": 1.0, "late": 2.0, "bad": 3.0, "changed": 4.0, "over_0": 5.0, "over_1": 6.0}
    weights = [4, 2, 2, 2, 1, 1]
    mean = sum(w * math.exp(e) for w, e in zip(weights, log_es.values(), strict=True)) / 12
    worse = log_e_worse({name: Stands(log_e) for name, log_e in log_es.items()})
    assert worse == pytest.approx(math.log(mean))


@pytest.mark.parametrize(
    ("metric", "part"), [("errors", 4 / 8), ("late", 2 / 8), ("over_0", 1 / 8), ("over_1", 1 / 8)]
)
def test_a_stake_is_a_metric_s_part_of_the_bet(metric, part):
    assert stake(metric, ["errors", "late", "over_0", "over_1"]) == pytest.approx(part)


def test_counts_that_cant_be_right_are_named_the_newest_first():
    seconds = timedelta(seconds=10)
    doubts = tuple(
        Doubt(START + i * seconds, START + 6 * BUCKET, f"{i} errors of 0 requests")
        for i in (1, 2, 3)
    )
    held = "held until none was seen for 2m"
    for noticed, beside in ((doubts[:1], ""), (doubts, " (and 2 more)")):
        newest = noticed[-1]
        evidence = replace(Evidence.begin(rollout(), START), doubts=noticed)
        verdict = judged(Arm(100, 0, 100), Arm(1900, 0, 1900), evidence=evidence)
        assert verdict.kind is VerdictKind.ERROR
        wrong = f"the counts of {newest.start:%H:%M:%S} UTC can't be right: {newest.why}"
        assert verdict.reason == f"{wrong}{beside}; {held}"


def test_a_regression_is_a_failure_even_with_counts_in_doubt():
    doubt = Doubt(START, START + 6 * BUCKET, "1 errors of 0 requests")
    evidence = replace(Evidence.begin(rollout(), START), doubts=(doubt,))
    verdict = judged(Arm(100, 60, 100), Arm(1900, 0, 1900), evidence=evidence)
    assert verdict.kind is VerdictKind.FAIL


@pytest.mark.parametrize(
    ("total", "kind"), [(60, VerdictKind.NO_DATA), (200, VerdictKind.LOST_TRAFFIC)]
)
def test_a_share_is_lost_once_its_proof_is_one_in_a_hundred(total, kind):
    evidence = replace(Evidence.begin(rollout(), START), splits=(Split(0, total, 0.05),))
    verdict = judge(evidence, PLAN, PLAN.stages[0])
    assert verdict.kind is kind
    assert (verdict.numbers["e_share"] >= 100) is (kind is VerdictKind.LOST_TRAFFIC)


def test_lost_traffic_is_told_by_share_and_stage():
    splits = (Split(0, 2000, 0.05), Split(1, 300, 0.5))
    verdict = judge(replace(Evidence.begin(rollout(), START), splits=splits), PLAN, PLAN.stages[0])
    assert verdict.reason == (
        "the challenger does not get the share it was given: "
        "0 of 2000 where 5 % were due; 1 of 300 where 50 % were due"
    )


@pytest.mark.parametrize(
    ("scored", "beside", "kind"),
    [
        (0, 199, VerdictKind.NO_DATA),
        (0, 200, VerdictKind.LOST_TRAFFIC),
        (1, 2000, VerdictKind.NO_DATA),
    ],
)
def test_a_mirror_is_lost_where_twenty_were_due_and_none_came(scored, beside, kind):
    evidence = replace(
        Evidence.begin(rollout(), START), in_stage=scored, beside=beside, challenger=Arm(scored)
    )
    assert judge(evidence, MIRRORING, MIRRORING.stages[0]).kind is kind


def test_requests_needed_are_left_open_where_none_would_do():
    strict = replace(PLAN, errors=Margins(tolerance=0.0))
    silent = judged(Arm(100, 0, 100), Arm(1900, 0, 1900), plan=strict)
    assert silent.numbers["errors"]["requests_needed"] is None
    assert silent.reason == (
        "errors not proven harmless yet: errors 0 of 600 (champion 0 of 11400); "
        "late 0 of 600 (champion 0 of 11400)"
    )


def test_a_stricter_plan_needs_more_requests():
    arms = (Arm(20, 1, 20, 0), Arm(380, 15, 380, 0))
    usual, strict = judged(*arms), judged(*arms, plan=replace(PLAN, alpha=0.001))
    needed = [one.numbers["errors"]["requests_needed"] for one in (usual, strict)]
    assert needed[0] < needed[1]
    assert strict.numbers["e_needed"] == 1000.0
