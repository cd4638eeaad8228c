"""A rate proven small by the challenger's own counts."""

import math

import numpy as np
import pytest

from halftone.stats import Stratum, Tally, Tolerated, above, below, requests_below

PROVEN = math.log(20)


def least(tolerance, x=0):
    return next(n for n in range(x, 10_000) if below(Tally(n, x), tolerance=tolerance) >= PROVEN)


def test_a_few_dozen_requests_prove_less_than_ten_percent():
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


def test_a_rate_not_below_the_tolerance_never_gets_there():
    assert requests_below(Tally(100, 10), tolerance=0.1) is None
    assert requests_below(Tally(0, 0), tolerance=0.1) == least(0.1)


def test_a_rate_above_the_tolerance_is_proven_and_at_it_is_not():
    assert above(Tally(100, 20), tolerance=0.05) >= PROVEN
    assert above(Tally(100, 5), tolerance=0.05) < 0
    assert above(Tally(), tolerance=0.05) == pytest.approx(0, abs=1e-12)


def test_both_directions_never_agree():
    for changed in range(0, 101, 5):
        tally = Tally(100, changed)
        assert min(above(tally, tolerance=0.1), below(tally, tolerance=0.1)) < PROVEN


@pytest.mark.parametrize("tolerance", [0.01, 0.05, 0.3, 0.5])
@pytest.mark.parametrize("fraction", [1.0, 0.5, 0.1])
def test_the_bet_on_more_than_the_tolerance_is_fair_at_it(tolerance, fraction):
    """The mean of the e-value after one request, over the request's outcome, is at most 1."""
    rate = tolerance * fraction
    hit, missed = (above(Tally(1, x), tolerance=tolerance) for x in (1, 0))
    mean = rate * math.exp(hit) + (1 - rate) * math.exp(missed)
    assert mean <= 1 + 1e-12
    if fraction == 1.0:
        assert mean == pytest.approx(1.0)


def test_false_alarms_stay_below_alpha_at_any_look():
    chance, alarms = np.random.default_rng(20260101), 0
    for _ in range(400):
        n = x = 0
        for _ in range(100):
            n, x = n + 10, x + int(chance.binomial(10, 0.05))
            if above(Tally(n, x), tolerance=0.05) >= PROVEN:
                alarms += 1
                break
    assert alarms / 400 <= 0.05


@pytest.mark.parametrize("tolerance", [0.0, 1.0, -0.1, math.nan])
def test_a_tolerance_is_a_rate_in_the_other_direction_too(tolerance):
    with pytest.raises(ValueError, match="tolerance"):
        above(Tally(10, 0), tolerance=tolerance)


def test_what_is_tolerated_says_what_is_proven_and_missing():
    calm = Tolerated.of(Tally(300, 2), tolerance=0.05, alpha=0.05)
    assert calm.is_harmless
    assert calm.requests_needed == 0
    young = Tolerated.of(Tally(10, 0), tolerance=0.05, alpha=0.05)
    assert not young.is_harmless
    assert young.requests_needed
