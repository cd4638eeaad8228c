"""Counts validate themselves and add."""

import pytest

from halftone.stats import POOLED, Stratum, Tally, pooled, total


@pytest.mark.parametrize(("n", "x"), [(1, 2), (0, 1), (5, -1), (-3, -3)])
def test_impossible_counts_are_refused_with_their_numbers(n, x):
    with pytest.raises(ValueError, match=f"{x} events in {n} units"):
        Tally(n, x)


def test_buckets_add_up_by_version():
    first, second = Stratum(Tally(10, 1), Tally(90, 2)), Stratum(Tally(5, 0), Tally(45, 3))
    assert total([first, second]) == Stratum(Tally(15, 1), Tally(135, 5))
    assert total([]) == Stratum()


def test_no_units_have_no_rate():
    assert Tally().rate is None
    assert Tally(8, 2).rate == 0.25


def test_a_pool_is_full_by_its_units_whatever_their_events():
    for ours, theirs in (((1, 0), (9, 0)), ((1, 1), (9, 9)), ((10, 3), (0, 0))):
        half = Stratum(Tally(*ours), Tally(*theirs))
        assert pooled(Stratum(), half) == (Stratum(), half)
        assert pooled(half, half) == (half + half, Stratum())
    large = Stratum(Tally(POOLED, 1), Tally())
    assert pooled(Stratum(), large) == (large, Stratum())
