"""Bets on a regression and on safety: signs, guards, long rollouts, carrying."""

import json
import math
from dataclasses import asdict

import pytest

from halftone.stats import GRID, Capital, Stratum, Tally, regression, safety

WORSE = Stratum(Tally(10, 3), Tally(90, 1))
EQUAL = Stratum(Tally(100, 1), Tally(900, 9))


def test_a_worse_challenger_is_found_and_an_equal_one_is_not():
    assert regression([WORSE] * 3) > math.log(20)
    assert regression([EQUAL] * 50) < 0


def test_an_equal_challenger_is_proven_safe_and_a_worse_is_not():
    assert safety([EQUAL] * 50) > math.log(20)
    assert safety([WORSE] * 3) < 0


@pytest.mark.parametrize(
    "stratum",
    [
        Stratum(),
        Stratum(Tally(10, 0), Tally(90, 0)),
        Stratum(Tally(10, 10), Tally(90, 90)),
        Stratum(Tally(0, 0), Tally(90, 20)),
        Stratum(Tally(10, 5), Tally(0, 0)),
    ],
    ids=["empty", "no events", "only events", "no challenger", "no champion"],
)
def test_a_bucket_that_cannot_tell_versions_apart_is_nothing(stratum):
    capital = Capital.on_regression().update(WORSE)
    assert capital.update(stratum) is capital


def test_before_the_first_bucket_the_e_value_is_one():
    assert regression([]) == pytest.approx(0, abs=1e-12)
    assert safety([]) == pytest.approx(0, abs=1e-12)


def test_a_grid_that_is_not_scaled_by_the_margin_is_refused():
    unscaled = tuple(factor for factor, _ in GRID)
    with pytest.raises(ValueError, match="scale the grid by the margin"):
        Capital(2.0, unscaled, (0.0,) * len(unscaled))
    with pytest.raises(ValueError, match="scale the grid by the margin"):
        Capital.on_regression(1.25, ((0.9, 1.0), (2.0, 1.0)))


@pytest.mark.parametrize("margin", [0.0, -1.0, math.inf, math.nan])
def test_a_margin_must_be_a_positive_number(margin):
    with pytest.raises(ValueError):
        Capital.on_regression(margin)


def test_a_state_without_a_part_for_each_alternative_is_refused():
    with pytest.raises(ValueError, match="1 parts for 2 alternatives"):
        Capital(1.0, (2.0, 3.0), (0.0,))


def test_a_stored_state_goes_on_as_if_it_had_never_been_stored():
    before = Capital.on_regression().fold([WORSE, EQUAL] * 7)
    stored = json.loads(json.dumps(asdict(before)))
    restored = Capital(stored["null"], tuple(stored["alternatives"]), tuple(stored["logs"]))
    assert restored.fold([EQUAL, WORSE]) == before.fold([EQUAL, WORSE])


def test_days_of_heavy_traffic_do_not_overflow_or_lose_digits():
    # Every bucket is the same, so that the exact answer is a multiple of the first one's.
    stratum = Stratum(Tally(4000, 44), Tally(36_000, 360))
    once = Capital.on_safety().update(stratum)
    start = Capital.on_safety()
    days = start.fold([stratum] * 20_000)
    gains = [20_000 * (b - a) for a, b in zip(start.logs, once.logs, strict=True)]
    for log, initial, gain in zip(days.logs, start.logs, gains, strict=True):
        assert log == pytest.approx(initial + gain, rel=1e-9)
    assert math.isfinite(days.log_e)
    assert days.log_e > 700  # beyond what a float could hold as an e-value
