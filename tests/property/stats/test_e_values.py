"""No bet can be expected to win while its hypothesis is true: by enumeration of every outcome."""

import math
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from halftone.stats import (
    GRID,
    Capital,
    Likelihood,
    Split,
    Standing,
    Stratum,
    Tally,
    below,
    compare,
    regression,
    safety,
    share,
)
from halftone.stats.likelihood import POINTS
from halftone.stats.mixture import log_sum

SLACK = 1 + 1e-9
sizes = st.integers(0, 5)
rates = st.floats(0.001, 0.999)
margins = st.sampled_from([0.5, 1.0, 1.25, 2.0, 5.0])
counts = st.integers(0, 400)


@st.composite
def tallies(draw, largest=400):
    n = draw(st.integers(0, largest))
    return Tally(n, draw(st.integers(0, n)))


strata = st.builds(Stratum, tallies(), tallies())
histories = st.lists(strata, max_size=12)


def binomial(n, x, p):
    return math.comb(n, x) * p**x * (1 - p) ** (n - x)


def worsened(rate, psi):
    """The rate whose odds are ``psi`` times those of ``rate``."""
    return psi * rate / (1 - rate + psi * rate)


def expected(capital, buckets, psi):
    """The mean e-value over every outcome of ``buckets`` (n, m, champion's rate), odds ratio
    psi.
    """
    outcomes = [
        [
            (
                Stratum(Tally(n, x), Tally(m, y)),
                binomial(n, x, worsened(rate, psi)) * binomial(m, y, rate),
            )
            for x, y in product(range(n + 1), range(m + 1))
        ]
        for n, m, rate in buckets
    ]
    return math.fsum(
        math.exp(capital.fold(s for s, _ in path).log_e) * math.prod(p for _, p in path)
        for path in product(*outcomes)
    )


buckets = st.lists(st.tuples(sizes, sizes, rates), min_size=1, max_size=2)
fractions = st.floats(0.01, 1.0)


@given(buckets, margins, fractions)
def test_bets_on_regression_do_not_win_on_a_harmless_challenger(buckets, margin, fraction):
    assert expected(Capital.on_regression(margin), buckets, margin * fraction) <= SLACK


@given(buckets, margins, fractions)
def test_bets_on_safety_do_not_win_on_a_harmful_challenger(buckets, margin, fraction):
    assert expected(Capital.on_safety(margin), buckets, margin / fraction) <= SLACK


@given(st.lists(st.tuples(sizes, sizes, rates), min_size=1, max_size=2), margins)
def test_at_the_margin_the_bets_are_fair_at_any_base_rate(buckets, margin):
    assert math.isclose(expected(Capital.on_regression(margin), buckets, margin), 1, rel_tol=1e-9)
    assert math.isclose(expected(Capital.on_safety(margin), buckets, margin), 1, rel_tol=1e-9)


def test_the_enumeration_convicts_an_unscaled_grid():
    unscaled = tuple(factor for factor, _ in GRID if factor < 5)
    wrong = Capital(5.0, unscaled, (-math.log(len(unscaled)),) * len(unscaled))
    assert expected(wrong, [(5, 5, 0.3)], 1.0) > 1.5


@given(st.integers(0, 12), st.floats(0.02, 0.9), st.floats(0, 1))
def test_a_rate_at_the_tolerance_does_not_look_below_it(n, tolerance, way):
    rate = tolerance + way * (1 - tolerance)
    mean = math.fsum(
        binomial(n, x, rate) * math.exp(below(Tally(n, x), tolerance=tolerance))
        for x in range(n + 1)
    )
    assert mean <= SLACK


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0.01, 0.99)), max_size=3))
def test_draws_at_the_expected_shares_do_not_look_otherwise(drawn):
    mean = math.fsum(
        math.exp(share(Split(c, n, s) for c, (n, s) in zip(path, drawn, strict=True)))
        * math.prod(binomial(n, c, s) for c, (n, s) in zip(path, drawn, strict=True))
        for path in product(*(range(n + 1) for n, _ in drawn))
    )
    assert math.isclose(mean, 1, rel_tol=1e-9)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 11), st.sampled_from(POINTS))
def test_the_bet_behind_the_interval_is_fair_at_any_odds_ratio(n, m, k, log_psi):
    k = min(k, n + m)
    weights, wealth = [], []
    for x in range(max(0, k - m), min(n, k) + 1):
        likelihood = Likelihood().update(Stratum(Tally(n, x), Tally(m, k - x)))
        weights.append(math.comb(n, x) * math.comb(m, k - x) * math.exp(x * log_psi))
        wealth.append(math.exp(likelihood.log_bet() - likelihood.at(log_psi)))
    mean = math.fsum(w * v for w, v in zip(weights, wealth, strict=True)) / math.fsum(weights)
    assert math.isclose(mean, 1, rel_tol=0.01)


@given(histories, histories)
def test_folding_in_two_parts_is_folding_at_once(first, second):
    assert Standing.start().fold(first).fold(second) == Standing.start().fold(first + second)
    whole = Capital.on_regression().fold(first).fold(second).log_e
    assert whole == regression(first + second)


@given(histories, st.randoms())
def test_the_order_of_buckets_does_not_matter(history, random):
    shuffled = random.sample(history, len(history))
    for test in (regression, safety):
        assert math.isclose(test(history), test(shuffled), rel_tol=1e-9, abs_tol=1e-6)


@given(histories, tallies(), tallies(), st.integers(1, 20))
def test_one_more_error_is_more_evidence_of_regression(history, ours, theirs, more):
    worse = Tally(ours.n, min(ours.n, ours.x + more))
    # The same bucket's total: the champion has the fewer. So only who erred changes.
    moved = worse.x - ours.x
    if moved > theirs.x:
        moved = theirs.x
        worse = Tally(ours.n, ours.x + moved)
    before = [*history, Stratum(ours, theirs)]
    after = [*history, Stratum(worse, Tally(theirs.n, theirs.x - moved))]
    assert regression(after) >= regression(before) - 1e-7
    assert safety(after) <= safety(before) + 1e-7
    low, high = compare(before).interval, compare(after).interval
    assert low.low <= high.low + 1e-6
    assert low.high <= high.high + 1e-6


@given(tallies())
def test_an_error_less_is_more_proof_of_a_low_rate(tally):
    now = below(tally, tolerance=0.1)
    assert below(Tally(tally.n + 1, tally.x), tolerance=0.1) >= now
    if tally.x:
        assert below(Tally(tally.n, tally.x - 1), tolerance=0.1) >= now


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=6))
def test_a_sum_of_e_values_in_logarithms_is_their_sum(logs):
    assert math.isclose(math.exp(log_sum(logs)), math.fsum(map(math.exp, logs)), rel_tol=1e-9)
