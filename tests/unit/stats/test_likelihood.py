"""The odds ratio: its estimate, and an interval that holds at every look."""

import math

import pytest
from scipy.stats import nchypergeom_fisher
from scipy.stats.contingency import odds_ratio

from halftone.stats import Likelihood, Stratum, Tally, odds_ratio_interval


@pytest.mark.parametrize(("x", "y"), [(9, 27), (3, 2), (1, 40), (60, 60)])
def test_the_estimate_on_one_bucket_is_scipys_conditional_one(x, y):
    ours = Likelihood().update(Stratum(Tally(100, x), Tally(900, y))).estimate()
    theirs = odds_ratio([[x, 100 - x], [y, 900 - y]], kind="conditional").statistic
    assert ours == pytest.approx(theirs, rel=0.005)


def test_one_sided_counts_bound_one_side_only():
    only_ours = [Stratum(Tally(10, 1), Tally(90, 0))] * 6
    only_theirs = [Stratum(Tally(50, 0), Tally(50, 2))] * 9
    assert Likelihood().fold(only_ours).estimate() == math.inf
    assert Likelihood().fold(only_theirs).estimate() == 0
    ours, theirs = odds_ratio_interval(only_ours), odds_ratio_interval(only_theirs)
    assert ours.high == math.inf
    assert ours.low > 1
    assert theirs.low == 0
    assert theirs.high < 1


def test_nothing_seen_bounds_nothing():
    nothing = Likelihood().fold([Stratum(Tally(10, 0), Tally(90, 0))] * 5)
    assert nothing.estimate() is None
    assert (nothing.interval(0.05).low, nothing.interval(0.05).high) == (0, math.inf)


def test_the_interval_narrows_and_widens_with_the_confidence():
    buckets = [Stratum(Tally(100, 3), Tally(900, 9))]
    widths = []
    for repeats in (1, 10, 100, 1000):
        interval = odds_ratio_interval(buckets * repeats)
        assert interval.low < 3.06 < interval.high
        widths.append(math.log(interval.high) - math.log(max(interval.low, 1e-9)))
    assert widths == sorted(widths, reverse=True)
    wide, narrow = (odds_ratio_interval(buckets * 10, alpha=a) for a in (0.01, 0.2))
    assert wide.low < narrow.low < narrow.high < wide.high


@pytest.mark.parametrize("log_psi", [-3.0, -0.4, 0.0, 0.1, 1.1, 3.3])
def test_the_cubic_between_the_points_follows_the_likelihood(log_psi):
    bucket = Stratum(Tally(200, 7), Tally(1800, 22))
    likelihood = Likelihood().fold([bucket] * 30)

    def exact(at):
        return 30 * nchypergeom_fisher.logpmf(7, 2000, 200, 29, math.exp(at))

    ours = likelihood.at(log_psi) - likelihood.at(1.0)
    assert ours == pytest.approx(exact(log_psi) - exact(1.0), abs=0.02)


def test_the_bet_against_an_odds_ratio_is_the_mean_likelihood():
    """Over a Cauchy prior around "no difference", cut off at the outer points."""
    likelihood = Likelihood().fold([Stratum(Tally(100, 4), Tally(900, 20))] * 5)
    low, high = math.log(2**-8), math.log(2**10)
    step = (high - low) / 40_000
    points = [low + (i + 0.5) * step for i in range(40_000)]
    prior = [1 / (1 + point * point) for point in points]
    best = likelihood.at(0.5)
    mean = math.fsum(
        p * math.exp(likelihood.at(x) - best) for p, x in zip(prior, points, strict=True)
    )
    expected = best + math.log(mean / math.fsum(prior))
    assert likelihood.log_bet() == pytest.approx(expected, abs=0.01)
    interval = likelihood.interval(0.05)
    for bound in (interval.low, interval.high):
        expected = math.log(0.05) + likelihood.log_bet()
        assert likelihood.at(math.log(bound)) == pytest.approx(expected, abs=1e-4)
