"""Lost traffic is a finding; changing weights are not."""

import math
from dataclasses import replace

import pytest

from halftone.stats import Split, share
from halftone.stats.share import ShareWindows

PROVEN = math.log(20)


def test_a_challenger_that_gets_its_share_raises_nothing():
    steps = [Split(5, 100, 0.05)] * 50 + [Split(20, 100, 0.2)] * 50 + [Split(50, 100, 0.5)] * 50
    assert share(steps) < 0


@pytest.mark.parametrize(
    ("served", "why"), [(3, "half of it lost"), (0, "all of it lost"), (14, "twice as much")]
)
def test_traffic_lost_or_gained_is_found_within_minutes(served, why):
    assert share([Split(served, 100, 0.07)] * 18) > PROVEN, why


@pytest.mark.parametrize("before", [0, 400, 4000])
def test_a_challenger_that_vanishes_after_hours_is_found(before):
    windows, every = ShareWindows(), [Split(5, 100, 0.05)] * before
    for split in every:
        windows = windows.update(split)
    for _ in range(10):
        windows = windows.update(Split(0, 100, 0.05))
    assert windows.log_e >= PROVEN
    assert not before or share([*every, *[Split(0, 100, 0.05)] * 10]) < PROVEN


def test_a_window_ends_by_what_was_due_and_not_by_what_came():
    for ours in (0, 5, 100):
        windows = ShareWindows()
        for _ in range(25):
            windows = windows.update(Split(ours, 100, 0.05))
        assert (windows.number, len(windows.splits)) == (3, 1)


def mean(paths):
    """The expected e-value."""
    return sum(chance * math.exp(windows.log_e) for windows, chance in paths.items())


def test_bets_that_begin_anew_are_fair():
    """Of a share that is kept the e-value is 1 on average, whenever somebody looks."""
    one = Split(0, 4, 0.25)
    paths = {ShareWindows(1, (Split(12, 49, 0.25), Split(1, 20, 0.5)), -1.0): 1.0}
    for _ in range(4):  # across the end of two windows
        following: dict[ShareWindows, float] = {}
        for windows, chance in paths.items():
            for ours in range(5):
                drawn = math.comb(4, ours) * 0.25**ours * 0.75 ** (4 - ours)
                after = windows.update(replace(one, challenger=ours))
                following[after] = following.get(after, 0.0) + chance * drawn
        assert mean(following) == pytest.approx(mean(paths))
        paths = following


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
