"""Evidence is a fold over closed buckets: in one batch or many, and never twice."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halftone.domain.rollout.analysis import judge
from halftone.domain.rollout.border import Border
from halftone.domain.rollout.evidence import BUCKET, Arm, Bucket, Evidence, bucket_start
from halftone.domain.rollout.rollout import Rollout
from halftone.domain.rollout.verdict import VerdictKind
from halftone.domain.traffic.policy import Mode
from halftone.stats.share import ShareWindows
from tests.support.rollouts import MINUTE, PLAN, START, rollout

GIVEN = rollout()
ARMS = st.builds(
    lambda n, x, y: Arm(n, min(n, x), n, min(n, y)),
    st.integers(0, 30), st.integers(0, 30), st.integers(0, 30),
)  # fmt: skip
BATCHES = st.lists(st.lists(st.tuples(ARMS, ARMS), max_size=3), min_size=1, max_size=4)


OURS, THEIRS = Arm(10, 1, 10, 2), Arm(90, 9, 90, 9)


def bucket(i: int, ours: Arm = OURS, theirs: Arm = THEIRS) -> Bucket:
    return Bucket(START + i * BUCKET, ours, theirs)


@given(BATCHES)
def test_many_looks_and_one_look_see_the_same(batches):
    arms = [pair for batch in batches for pair in batch]
    every = [bucket(i, *pair) for i, pair in enumerate(arms)]
    at_once = Evidence.begin(GIVEN, START).fold(every, START + len(every) * BUCKET, GIVEN)
    looked, done = Evidence.begin(GIVEN, START), 0
    for batch in batches:
        done += len(batch)
        # CloudWatch is asked again for what it said before: that must not count twice.
        looked = looked.fold(every[:done], START + done * BUCKET, GIVEN)
    assert looked == at_once


def test_a_bucket_that_is_not_closed_waits():
    half = START + BUCKET + timedelta(seconds=5)
    evidence = Evidence.begin(GIVEN, START).fold([bucket(0), bucket(1)], half, GIVEN)
    assert evidence.challenger == Arm(10, 1, 10, 2)


def test_a_bucket_before_the_watermark_is_counted_or_late():
    evidence = Evidence.begin(GIVEN, START).fold([bucket(0)], START + 2 * BUCKET, GIVEN)
    assert evidence.fold([bucket(0), bucket(1)], START + 2 * BUCKET, GIVEN) == evidence


def test_the_watermark_never_goes_back():
    evidence = Evidence.begin(GIVEN, START).fold([bucket(0)], START + BUCKET, GIVEN)
    assert evidence.fold([], START, GIVEN).until == START + BUCKET


def test_the_stage_counts_afresh_and_the_rest_carries_over():
    first = Evidence.begin(GIVEN, START).fold([bucket(0)], START + BUCKET, GIVEN)
    following = rollout(stage=1, stage_since=START + 2 * BUCKET)
    then = first.fold([bucket(1), bucket(2)], START + 3 * BUCKET, following)
    # Bucket 1 still belongs to the stage before.
    assert (then.stage, then.in_stage) == (1, 10)
    assert then.challenger == Arm(30, 3, 30, 6)
    assert (
        then.metrics
        == Evidence.begin(GIVEN, START)
        .fold([bucket(0), bucket(1), bucket(2)], START + 3 * BUCKET, GIVEN)
        .metrics
    )


FEW = Arm(1, 1, 1, 0), Arm(2, 0, 2, 0)


def waiting(stage_since, count, **changes) -> list[int]:
    """Units of ``errors`` that wait after each of ``count`` buckets with three each."""
    value = rollout(stage_since=stage_since, **changes)
    evidence, result = Evidence.begin(value, START), []
    for i in range(count):
        evidence = evidence.fold([bucket(i, *FEW)], START + (i + 1) * BUCKET, value)
        result.append(evidence.metrics["errors"].waiting.units)
    return result


def test_buckets_of_few_requests_are_pooled_at_one_share():
    assert waiting(START - timedelta(hours=1), 8) == [3, 6, 9, 12, 15, 18, 0, 3]


@pytest.mark.parametrize(
    ("mode", "apart"), [("weighted", [2]), ("guarded", [2, 3, 4])], ids=["weighted", "guarded"]
)
def test_what_was_drawn_while_the_share_changed_is_not_pooled(mode, apart):
    since = START + 2 * BUCKET
    result = waiting(since, 6, mode=Mode(mode))
    assert result[:2] == [3, 6]
    assert [i for i in range(2, 6) if not result[i]] == apart
    assert result[apart[-1] + 1] == 3


@pytest.mark.parametrize("looks", [[5], [3, 5], [3, 4, 5], [4, 5]])
def test_nor_is_what_came_before_it_where_nobody_asked(looks):
    """CloudWatch has no bucket for a silence: the first one there is may be drawn anew already."""
    before = rollout(stage_since=START - MINUTE)
    after = rollout(stage=1, stage_since=START + 3 * BUCKET, share=50.0)
    evidence = Evidence.begin(before, START).fold([bucket(0, *FEW)], START + 2 * BUCKET, before)
    assert evidence.metrics["errors"].waiting.units == 3
    every = [bucket(0, *FEW), bucket(4, *FEW)]
    for look in looks:
        evidence = evidence.fold(every, START + look * BUCKET, after)
    assert evidence.metrics["errors"].waiting.units == 3
    assert evidence.metrics["errors"].total.units == 3


def test_when_a_look_comes_makes_no_difference_to_pooling():
    since: dict[str, Any] = {"exposed_at": START - MINUTE}
    before = rollout(stage_since=START - MINUTE, **since)
    after = rollout(stage=1, stage_since=START + 3 * BUCKET + MINUTE / 12, **since)
    every = [bucket(i, *FEW) for i in range(9)]
    end = START + 9 * BUCKET
    at_once = Evidence.begin(before, START).fold(every, end, after)
    for look in range(4):
        first = Evidence.begin(before, START).fold(every[:look], START + look * BUCKET, before)
        assert first.fold(every, end, after).metrics == at_once.metrics


@pytest.mark.parametrize(("seconds", "start"), [(0, 0), (9.9, 0), (10, 10), (19.999, 10)])
def test_buckets_are_aligned_as_cloudwatch_aligns_them(seconds, start):
    assert bucket_start(START + timedelta(seconds=seconds)) == START + timedelta(seconds=start)


def mirrored(at: timedelta, **changes: Any) -> Rollout:
    """A rollout whose first stage scores unseen, in the second one since START + ``at``."""
    stages = (replace(PLAN.stages[0], weight=0.0, mirror=10.0), *PLAN.stages[1:])
    first = Border(0, START, 0.0, mirror=10.0)
    second = Border(1, START + at, 50.0)
    return rollout(
        plan=replace(PLAN, stages=stages), stage=1, share=50.0, target=50.0,
        stage_since=START + at, borders=(first, second), **changes,
    )  # fmt: skip


@given(st.integers(0, 9), st.lists(st.integers(0, 60), max_size=3), st.lists(st.integers(0, 12)))
def test_no_clock_that_moves_takes_a_bucket_from_its_stage(border, pauses, looks):
    """Whoever pauses and resumes moves the plan's clock; what happened belongs where it did."""
    still = mirrored(border * BUCKET)
    every, end = [bucket(i) for i in range(12)], START + 12 * BUCKET
    plain = Evidence.begin(still, START).fold(every, end, still)
    moved = replace(still, stage_since=still.stage_since + sum(pauses) * BUCKET)
    evidence = Evidence.begin(moved, START)
    for look in sorted(looks):
        evidence = evidence.fold(every, START + look * BUCKET, moved)
    evidence = evidence.fold(every, end, moved)
    assert evidence.metrics == plain.metrics
    assert (evidence.in_stage, evidence.beside) == (plain.in_stage, plain.beside)
    assert evidence.in_stage == 10 * (12 - border)
    assert [moved.owner(b.start).stage for b in every] == [0] * border + [1] * (12 - border)


def test_an_older_rollout_has_its_borders_by_its_records():
    older = mirrored(3 * BUCKET, exposed_at=START)
    assert replace(older, borders=()).begun == older.begun


@pytest.mark.parametrize(
    ("arm", "why"),
    [
        (Arm(3, 5, 3, 0), "5 errors of 3 requests"),
        (Arm(3, 0, 2, 3), "3 late of 2 timed"),
        (Arm(3, 0, 4, 0), "4 timed of 3 requests"),
        (Arm(3, 0, 3, 0, judged=1, bad=2), "2 bad of 1 judged"),
        (Arm(3, 0, 3, 0, paired=2, changed=3), "3 changed of 2 paired"),
        (Arm(3, 0, 3, 0, paired=4), "4 paired of 3 requests"),
        (Arm(3, 0, 3, 0, over=(4,)), "4 over[0] of 3 timed"),
        (Arm(-1, 0, 0, 0), "requests is no count"),
        (Arm(3, -1, 3, 0), "errors is no count"),
    ],
)
@pytest.mark.parametrize("whose", ["challenger", "champion"])
def test_impossible_counts_hold_and_are_told(arm, why, whose):
    fine = Arm(100, 0, 100, 0), Arm(1900, 0, 1900, 0)
    wrong = (arm, fine[1]) if whose == "challenger" else (fine[0], arm)
    every = [bucket(i, *fine) for i in range(6)] + [bucket(6, *wrong)]
    evidence = Evidence.begin(GIVEN, START).fold(every, START + 7 * BUCKET, GIVEN)
    verdict = judge(evidence, PLAN, PLAN.stages[0])
    assert verdict.kind is VerdictKind.ERROR
    message = f"the counts of 00:01:00 UTC can't be right: the {whose} has {why}"
    assert verdict.reason == f"{message}; held until none was seen for 2m"
    assert evidence.challenger == Arm(600, 0, 600, 0)
    later = evidence.fold([], START + 20 * BUCKET, GIVEN)
    assert judge(later, PLAN, PLAN.stages[0]).kind is VerdictKind.PASS
    assert later.set_aside == 1


FINE = Arm(100, 1, 100, 1), Arm(1900, 10, 1900, 19)


@pytest.mark.parametrize(
    ("now", "held"),
    [
        (FINE, False),
        ((replace(FINE[0], requests=101, timed=101), FINE[1]), False),  # trickled in
        ((replace(FINE[0], requests=99), FINE[1]), True),
        ((replace(FINE[0], requests=102), FINE[1]), True),
        ((replace(FINE[0], errors=3), FINE[1]), True),
        ((FINE[0], replace(FINE[1], late=18)), True),
        (None, True),
    ],
)
def test_counts_that_differ_when_read_again_hold_and_count_once(now, held):
    first = Evidence.begin(GIVEN, START)
    evidence = first.fold([bucket(i, *FINE) for i in range(8)], START + 8 * BUCKET, GIVEN)
    again = [bucket(i, *FINE) for i in range(3)] + ([bucket(3, *now)] if now else [])
    again += [bucket(i, *FINE) for i in range(4, 9)]
    looked = evidence.fold(again, START + 9 * BUCKET, GIVEN, again=evidence.again)
    assert [d.start for d in looked.doubts] == ([bucket(3).start] if held else [])
    assert looked.challenger == Arm(900, 9, 900, 9)
    assert (judge(looked, PLAN, PLAN.stages[0]).kind is VerdictKind.ERROR) is held


def test_what_appears_later_is_noticed_unless_it_is_long_ago():
    first = Evidence.begin(GIVEN, START)
    evidence = first.fold([bucket(0, *FINE)], START + 20 * BUCKET, GIVEN)
    late = [bucket(i, *FINE) for i in (2, 12)]
    looked = evidence.fold(late, START + 21 * BUCKET, GIVEN, again=evidence.again)
    assert [d.start for d in looked.doubts] == [bucket(12).start]


def test_evidence_that_was_kept_before_goes_on():
    """As an earlier release wrote it: nothing is known of how its buckets read."""
    first = Evidence.begin(GIVEN, START)
    evidence = first.fold([bucket(i, *FINE) for i in range(8)], START + 8 * BUCKET, GIVEN)
    older = replace(evidence, watched=None, counted=(), windows=ShareWindows(), beside=0)
    looked = older.fold([bucket(8, *FINE)], START + 9 * BUCKET, GIVEN, again=older.again)
    assert older.again == older.until
    assert not looked.doubts
    assert looked.challenger == Arm(900, 9, 900, 9)
