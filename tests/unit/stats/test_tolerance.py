"""A rate proven small by the challenger's own counts."""

import math

import pytest

from halftone.stats import Stratum, Tally, below, requests_below

PROVEN = math.log(20)


def least(tolerance, x=0):
    return next(n for n in range(x, 10_000) if below(Tally(n, x), tolerance=tolerance) >= PROVEN)


def test_a_few_dozen_requests_without_an_error_prove_less_than_ten_percent():
    assert 30 <= least(0.1) <= 40


def test_each_error_asks_for_more_requests():
    needed = [least(0.1, x) for x in range(4)]
    assert needed == sorted(set(needed))


def test_buckets_and_their_sum_say_the_same():
    strata = [Stratum(Tally(12, 1), Tally(90, 5)), Stratum(Tally(30, 0), Tally(80, 80))]
    assert below(strata, tolerance=0.2) == below(Tally(42, 1), tolerance=0.2)


@pytest.mark.parametrize("tolerance", [0.0, 1.0, -0.1, math.nan])
def test_a_tolerance_is_a_rate(tolerance):
    with pytest.raises(ValueError, match="tolerance"):
        below(Tally(10, 0), tolerance=tolerance)


def test_requests_still_needed_are_those_that_then_suffice():
    have = Tally(11, 0)
    more = requests_below(have, tolerance=0.1)
    assert more == least(0.1) - 11
    assert requests_below(Tally(1000, 0), tolerance=0.1) == 0


def test_a_rate_that_is_not_below_the_tolerance_never_gets_there():
    assert requests_below(Tally(100, 10), tolerance=0.1) is None
    assert requests_below(Tally(0, 0), tolerance=0.1) == least(0.1)
