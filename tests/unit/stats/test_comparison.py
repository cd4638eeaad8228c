"""The numbers of a verdict."""

import math

import pytest

from halftone.stats import Capital, Standing, Stratum, Tally, compare, present_rates

WORSE = Stratum(Tally(20, 3), Tally(180, 3))
EQUAL = Stratum(Tally(100, 1), Tally(900, 9))
CLEAN = Stratum(Tally(10, 0), Tally(90, 0))


def test_a_worse_challenger_is_a_regression_with_an_odds_ratio():
    comparison = compare([WORSE] * 6)
    assert comparison.is_regression
    assert not comparison.is_harmless
    assert comparison.requests_needed == 0
    assert comparison.interval.low < comparison.estimate < comparison.interval.high
    assert comparison.interval.low > 1.25
    assert (comparison.challenger, comparison.champion) == (Tally(120, 18), Tally(1080, 18))


def test_an_equal_challenger_is_harmless():
    comparison = compare([EQUAL] * 30)
    assert comparison.is_harmless
    assert not comparison.is_regression
    assert comparison.estimate == pytest.approx(1, rel=0.01)


def test_without_events_only_a_tolerance_can_prove():
    assert compare([CLEAN] * 60).requests_needed is None
    assert not compare([CLEAN] * 60).is_harmless
    comparison = compare([CLEAN] * 5, tolerance=0.1)
    assert comparison.is_harmless
    assert comparison.log_e_tolerance > comparison.log_e_harmless  # one of two bets, averaged


def test_requests_still_needed_lead_to_a_decision():
    waiting = compare([CLEAN], tolerance=0.1)
    assert waiting.requests_needed
    more = math.ceil(waiting.requests_needed / 10)
    assert compare([CLEAN] * (1 + more), tolerance=0.1).is_harmless
    assert not compare([CLEAN] * (more - 1), tolerance=0.1).is_harmless

    undecided = compare([EQUAL] * 4)
    assert undecided.requests_needed
    more = math.ceil(undecided.requests_needed / 100)
    decided = [compare([EQUAL] * (4 + extra)).is_harmless for extra in range(3 * more)]
    assert more / 2 <= decided.index(True) <= 2 * more


def test_silence_proves_nothing():
    comparison = compare([], tolerance=0.01)
    assert not comparison.is_regression
    assert not comparison.is_harmless
    assert comparison.estimate is None


def test_a_carried_standing_compares_as_if_seen_at_once():
    carried = Standing.start().fold([WORSE, EQUAL]).fold([CLEAN, WORSE])
    assert carried.compare(tolerance=0.02) == compare([WORSE, EQUAL, CLEAN, WORSE], tolerance=0.02)


def test_few_units_are_bet_on_together_and_tell_nothing_before():
    few = Stratum(Tally(1, 1), Tally(5, 0))
    standing = Standing.start().fold([few] * 3)
    assert standing.compare(tolerance=0.5) == Standing.start().compare(tolerance=0.5)
    full = standing.update(few)
    assert (full.total, full.waiting) == (Stratum(Tally(4, 4), Tally(20, 0)), Stratum())
    assert full.regression == Capital.on_regression().update(full.total)
    settled = standing.settled()
    assert settled.regression == Capital.on_regression().update(Stratum(Tally(3, 3), Tally(15, 0)))
    assert settled.settled() is settled


def test_one_request_in_ten_seconds_says_something_in_a_pool():
    """Of one unit it is known who had its event: alone, none of these would be a bet."""
    each = [Stratum(Tally(1, 1), Tally()), *[Stratum(Tally(), Tally(1, 0))] * 9]
    assert Capital.on_regression().fold(each * 10).log_e == 0
    assert compare(each * 10).is_regression


def test_rates_lean_to_the_common_one_while_units_are_few():
    few = present_rates(Stratum(Tally(1, 0), Tally(99, 10)))
    assert few.challenger == pytest.approx(0.05)
    many = present_rates(Stratum(Tally(1000, 30), Tally(9000, 90)))
    assert many.challenger == pytest.approx(0.03, rel=0.01)
    assert many.share == 0.1
    assert present_rates(Stratum(Tally(5, 0), Tally(9, 0))) is None
    assert present_rates(Stratum(Tally(0, 0), Tally(9, 3))) is None
