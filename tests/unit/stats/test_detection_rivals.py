"""The benchmark's rivals are what their descriptions say: a bent rival would flatter Halftone."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, norm

from benchmarks import detection_rivals as rivals
from benchmarks.detection_tables import into_page
from benchmarks.detection_traffic import (
    BUCKETS,
    FOLLOWED,
    PER_MINUTE,
    Errors,
    add,
    errors,
    regulars,
    visitors,
)
from halftone.domain.insight.capture import KeyObservation
from halftone.domain.insight.sticky_keys import news, seen_in

SEED = 3


def quiet(rollouts=1, n=10, m=90):
    zeros = np.zeros((rollouts, BUCKETS), dtype=np.int64)
    return Errors(zeros + n, zeros + m, zeros.copy(), zeros.copy())


@pytest.mark.parametrize(
    ("looks", "two_sided", "published"),
    [(2, 0.05, 1.977), (3, 0.05, 2.004), (5, 0.05, 2.040), (5, 0.10, 1.751), (10, 0.05, 2.087)],
)
def test_the_obrien_fleming_boundary_is_the_published_one(looks, two_sided, published):
    # Jennison and Turnbull, Group Sequential Methods, table 2.3.
    constant = rivals.obrien_fleming_constant(looks, two_sided / 2)
    assert constant == pytest.approx(published, abs=0.002)


def test_one_look_is_the_ordinary_test():
    assert rivals.obrien_fleming_constant(1, 0.05) == pytest.approx(norm.isf(0.05), abs=1e-3)


def test_obrien_fleming_looks_at_its_five_moments_only():
    observed = quiet()
    observed.x[:, 5:30] = 5
    assert rivals.repeated_z(observed)[0] < 30
    assert rivals.obrien_fleming(observed)[0] == BUCKETS // 5 - 1
    assert rivals.obrien_fleming(observed, buckets=100)[0] == 19


def test_a_threshold_alarm_asks_for_two_of_three_minutes():
    observed = quiet()
    observed.x[0, 0] = 60  # one bad minute
    observed.x[0, 20 * PER_MINUTE] = 6
    assert rivals.threshold_alarm(observed)[0] == -1
    observed.x[0, 22 * PER_MINUTE] = 6  # the second within three
    assert rivals.threshold_alarm(observed)[0] == 23 * PER_MINUTE - 1


def test_the_mann_whitney_statistic_is_scipys_with_ties():
    rng = np.random.default_rng(SEED)
    for _ in range(20):
        x, y = rng.poisson(2.0, 50) / 60, rng.poisson(1.5, 50) / 60
        ours = norm.sf(rivals.standardised(0.0, x, y))
        theirs = mannwhitneyu(x, y, alternative="greater", method="asymptotic").pvalue
        assert ours == pytest.approx(theirs, abs=0.005)


@pytest.mark.parametrize(
    ("shift", "high"), [(0.0, False), (-1.0, False), (0.2, False), (2.0, True)]
)
def test_kayenta_calls_high_what_is_clearly_above(shift, high):
    rng = np.random.default_rng(SEED)
    control = rng.normal(10, 1, 50)
    assert rivals.is_high(rng.normal(10, 1, 50) + shift, control) is high


def test_kayenta_does_not_judge_before_fifty_points():
    observed = quiet()
    observed.x[:] = 5
    verdict = rivals.kayenta(observed, np.random.default_rng(SEED))
    assert verdict[0] == 50 * PER_MINUTE - 1


@pytest.mark.parametrize(("drawn", "failing"), [(visitors, 0.02), (regulars, 0.0153)])
def test_clustered_errors_are_the_same_in_both_versions(drawn, failing):
    """A regular's requests come over ten minutes, and half of them while its key is followed."""
    by_request, by_key = (
        drawn(np.random.default_rng(SEED), 12, 10, by_key=by_key) for by_key in (False, True)
    )
    for observed in (by_request, by_key):
        rates = observed.x.sum() / observed.n.sum(), observed.y.sum() / observed.m.sum()
        assert rates[0] == pytest.approx(rates[1], rel=0.2)
    assert by_request.y.sum() / by_request.m.sum() == pytest.approx(0.01, rel=0.1)
    assert by_key.y.sum() / by_key.m.sum() == pytest.approx(failing, rel=0.1)
    assert by_request.y.sum() > 4 * by_key.y.sum()
    assert (by_key.requests == by_request.requests).all()
    assert (by_request.requests == by_request.n).all()


def test_keys_are_counted_as_the_harvest_counts_them():
    rng = np.random.default_rng(SEED)
    user, failed = rng.integers(0, 30, 400), rng.random(400) < 0.1
    when = np.sort(rng.integers(0, BUCKETS, 400))
    ours, fresh = rng.random(30) < 0.3, rng.random(30) < 0.8
    counts = np.zeros((5, BUCKETS), dtype=np.int64)
    add(counts, ours, user, when, failed, by_key=True, fresh=fresh)

    expected, fields = np.zeros((4, BUCKETS), dtype=np.int64), {}
    first = {}
    for who, bucket, bad in zip(user, when, failed, strict=True):
        at = datetime(2026, 1, 1, tzinfo=UTC) + int(bucket) * timedelta(seconds=10)
        sighting = KeyObservation("2", "fraud-r1", 0, f"{who:016x}", at, bool(bad), None)
        added = news(fields.get(who), sighting)
        now = seen_in(sighting)
        fields[who] = fields[who].and_then(now) if who in fields else now
        # Counted in the bucket of its first sighting, which is read once it has been followed.
        place = first.setdefault(who, bucket) + FOLLOWED
        if fresh[who] and place < BUCKETS:
            expected[0 if ours[who] else 1, place] += added.errors is not None
            expected[2 if ours[who] else 3, place] += (added.errors or 0) + added.errors_later
    assert (counts[:4] == expected).all()
    assert counts[4].sum() == ours[user].sum()


def test_a_regular_counts_once_in_each_stage_that_draws_it():
    """Of 2,000 users 5, 15 and 30 % come to the challenger in turn; who is there draws no more."""
    observed = regulars(np.random.default_rng(SEED), 4, 10, by_key=True)
    late = 4 * 2000 * 0.02  # the most that may be observed twice, a stage
    for hour, (ours, theirs) in enumerate([(0.05, 0.95), (0.15, 0.8), (0.3, 0.5)]):
        part = slice(hour * BUCKETS // 3, (hour + 1) * BUCKETS // 3)
        for result, share in ((observed.n, ours), (observed.m, theirs)):
            assert result[:, part].sum() == pytest.approx(4 * 2000 * share, rel=0.12, abs=late)


def test_simulated_rates_are_those_asked_for():
    observed = errors(np.random.default_rng(SEED), 50, 10, rate=0.01, worse=0.03, share=0.2)
    assert observed.n.mean() == pytest.approx(20, rel=0.01)
    assert observed.m.mean() == pytest.approx(80, rel=0.01)
    assert observed.x.sum() / observed.n.sum() == pytest.approx(0.03, rel=0.02)
    assert observed.y.sum() / observed.m.sum() == pytest.approx(0.01, rel=0.02)


def test_a_page_without_markers_is_not_written_to():
    with pytest.raises(ValueError, match="once each"):
        into_page("# Analysis\n", "tables")
