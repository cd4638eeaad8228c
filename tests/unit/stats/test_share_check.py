"""Lost traffic is a finding; changing weights are not."""

import math

import pytest

from halftone.stats import Split, share

PROVEN = math.log(20)


def test_a_challenger_that_gets_its_share_through_all_steps_raises_nothing():
    steps = [Split(5, 100, 0.05)] * 50 + [Split(20, 100, 0.2)] * 50 + [Split(50, 100, 0.5)] * 50
    assert share(steps) < 0


@pytest.mark.parametrize(
    ("served", "why"), [(3, "half of it lost"), (0, "all of it lost"), (14, "twice as much")]
)
def test_traffic_lost_or_gained_is_found_within_minutes(served, why):
    assert share([Split(served, 100, 0.07)] * 18) > PROVEN, why


def test_nothing_seen_says_nothing():
    assert share([]) == pytest.approx(0, abs=1e-12)
    assert share([Split(0, 0, 0.5)]) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("challenger", "total"), [(2, 1), (-1, 5)])
def test_impossible_counts_are_refused(challenger, total):
    with pytest.raises(ValueError, match="units"):
        Split(challenger, total, 0.5)


@pytest.mark.parametrize("expected", [0.0, 1.0])
def test_a_bucket_in_which_nothing_was_drawn_is_refused(expected):
    with pytest.raises(ValueError, match="leave out"):
        Split(0, 10, expected)
