"""Evidence is a fold over closed buckets: in one batch or many, and never twice."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halftone.domain.evidence import BUCKET, Arm, Bucket, Evidence, bucket_start
from halftone.domain.serving import Mode
from tests.support.rollouts import MINUTE, START, rollout

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


def test_a_bucket_before_the_watermark_was_counted_or_is_too_late():
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
    given = rollout(stage_since=stage_since, **changes)
    evidence, found = Evidence.begin(given, START), []
    for i in range(count):
        evidence = evidence.fold([bucket(i, *FEW)], START + (i + 1) * BUCKET, given)
        found.append(evidence.metrics["errors"].waiting.units)
    return found


def test_buckets_with_few_requests_are_pooled_while_the_share_stands():
    assert waiting(START - timedelta(hours=1), 8) == [3, 6, 9, 12, 15, 18, 0, 3]


@pytest.mark.parametrize(
    ("mode", "apart"), [("weighted", [2]), ("guarded", [2, 3, 4])], ids=["weighted", "guarded"]
)
def test_what_was_drawn_while_the_share_changed_is_pooled_with_nothing(mode, apart):
    since = START + 2 * BUCKET
    found = waiting(since, 6, mode=Mode(mode))
    assert found[:2] == [3, 6]
    assert [i for i in range(2, 6) if not found[i]] == apart
    assert found[apart[-1] + 1] == 3


@pytest.mark.parametrize("looks", [[5], [3, 5], [3, 4, 5], [4, 5]])
def test_nor_is_what_came_before_it_where_nobody_asked_anything_then(looks):
    """CloudWatch has no bucket for a silence: the first one there is may be drawn anew already."""
    before = rollout(stage_since=START - MINUTE)
    after = rollout(stage=1, stage_since=START + 3 * BUCKET, share=50.0)
    known = Evidence.begin(before, START).fold([bucket(0, *FEW)], START + 2 * BUCKET, before)
    assert known.metrics["errors"].waiting.units == 3
    every = [bucket(0, *FEW), bucket(4, *FEW)]
    for look in looks:
        known = known.fold(every, START + look * BUCKET, after)
    assert known.metrics["errors"].waiting.units == 3
    assert known.metrics["errors"].total.units == 3


def test_when_a_look_comes_makes_no_difference_to_what_is_pooled():
    before = rollout(stage_since=START - MINUTE)
    after = rollout(stage=1, stage_since=START + 3 * BUCKET + MINUTE / 12)
    every = [bucket(i, *FEW) for i in range(9)]
    end = START + 9 * BUCKET
    at_once = Evidence.begin(before, START).fold(every, end, after)
    for look in range(4):
        first = Evidence.begin(before, START).fold(every[:look], START + look * BUCKET, before)
        assert first.fold(every, end, after).metrics == at_once.metrics


@pytest.mark.parametrize(("seconds", "start"), [(0, 0), (9.9, 0), (10, 10), (19.999, 10)])
def test_buckets_are_aligned_as_cloudwatch_aligns_them(seconds, start):
    assert bucket_start(START + timedelta(seconds=seconds)) == START + timedelta(seconds=start)
