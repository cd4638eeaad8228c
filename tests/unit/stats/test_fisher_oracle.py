"""Fisher's noncentral hypergeometric law against scipy's, bucket by bucket."""

import math
import time

import numpy as np
import pytest
from scipy.special import gammaln, logsumexp
from scipy.stats import nchypergeom_fisher

from halftone.stats import Capital, Stratum, Tally
from halftone.stats.fisher import normalisers, normalisers_and_means

BUCKETS = [(10, 90, 3), (1, 9, 1), (50, 50, 99), (7, 3, 5), (400, 3600, 55), (90, 10, 60)]


def log_terms(n, m, k, psi):
    x = np.arange(max(0, k - m), min(n, k) + 1)
    ours = gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1)
    theirs = gammaln(m + 1) - gammaln(k - x + 1) - gammaln(m - k + x + 1)
    return x, ours + theirs + x * math.log(psi)


@pytest.mark.parametrize(("n", "m", "k"), BUCKETS)
@pytest.mark.parametrize("psi", [0.01, 0.8, 1.0, 1.25, 7.0, 300.0])
def test_a_bet_on_one_bucket_is_scipys_likelihood_ratio(n, m, k, psi):
    null = 1.1
    x = min(n, k) - (min(n, k) - max(0, k - m)) // 3
    stratum = Stratum(Tally(n, x), Tally(m, k - x))
    ours = Capital(null, (psi,), (0.0,)).update(stratum).log_e
    scipys = [nchypergeom_fisher.logpmf(x, n + m, n, k, odds) for odds in (psi, null)]
    assert ours == pytest.approx(scipys[0] - scipys[1], rel=1e-7, abs=1e-7)


@pytest.mark.parametrize(("n", "m", "k"), BUCKETS)
def test_the_expected_events_are_scipys(n, m, k):
    for psi, (_, mean) in zip(
        (0.2, 1.0, 40.0), normalisers_and_means(n, m, k, (0.2, 1.0, 40.0)), strict=True
    ):
        assert mean == pytest.approx(nchypergeom_fisher.mean(n + m, n, k, psi), rel=1e-8)


@pytest.mark.parametrize(
    ("n", "m", "k"),
    [(30_000, 300_000, 60_000), (200_000, 9_000_000, 80_000), (50_000, 50_000, 99_000)],
)
@pytest.mark.parametrize("psi", [0.02, 1.25, 30.0])
def test_large_buckets_are_summed_without_losing_digits(n, m, k, psi):
    x, terms = log_terms(n, m, k, psi)
    ((log_z, mean),) = normalisers_and_means(n, m, k, (psi,))
    assert log_z == pytest.approx(logsumexp(terms), abs=1e-6)
    assert mean == pytest.approx(float((x * np.exp(terms - logsumexp(terms))).sum()), rel=1e-8)


def test_a_bucket_with_millions_of_events_takes_milliseconds():
    start = time.perf_counter()
    normalisers(20_000_000, 180_000_000, 8_000_000, (1.25, 2.5, 12.5))
    assert time.perf_counter() - start < 0.1
