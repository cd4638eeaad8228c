"""The usual ways to judge a canary, from their published descriptions, for `benchmarks.detection`.

Each judge answers per rollout with the bucket at whose end it raises the alarm, or -1.

- Threshold alarm. "M out of N": CloudWatch User Guide, "Evaluating an alarm". Here two of the last
three
  one-minute periods beyond a limit that was set beforehand.
- Repeated z-test. The test of two proportions (or means) of every textbook, looked at after each
bucket. - O'Brien-Fleming. P. C. O'Brien and T. R. Fleming, A multiple testing procedure for
clinical trials,
  Biometrics 35 (1979); boundary by recursive integration as in C. Jennison and B. W. Turnbull,
  Group Sequential Methods (2000), ch. 2 and 19.
- Kayenta. Netflix's judge (NetflixACAJudge-v1.0): a 98 % confidence interval of the shift between
the two
  series by the Mann-Whitney test with tie and continuity correction; "High" if its lower end is
  above a quarter of the Hodges-Lehmann estimate. Series of one-minute points, a run once 50 new
  ones are there, a baseline of the canary's size: spinnaker.io, "Best practices for configuring
  canary".
"""

import math
from functools import cache
from typing import TypeVar

import numpy as np

from benchmarks.detection_traffic import (
    BUCKETS,
    PER_MINUTE,
    Bools,
    Errors,
    Floats,
    Ints,
    Latencies,
)

Numbers = TypeVar("Numbers", Ints, Floats)

# One-sided 5 % for all that have a level.
Z_95 = 1.6448536270
_Z_99 = 2.3263478740
RATE_LIMIT = 0.05
SLOW_LIMIT = 0.10
LOOKS = 5
POINTS = 50


def threshold_alarm(traffic: Errors | Latencies) -> Ints:
    """Errors above 5 % (or a p90 above 1.5 times the champion's) in 2 of the last 3 minutes."""
    if isinstance(traffic, Errors):
        count, limit = traffic.x, RATE_LIMIT
    else:  # the p90 exceeds a bound when more than a tenth of the requests do
        count, limit = traffic.slow, SLOW_LIMIT
    breaching = _minutes(count) > limit * _minutes(traffic.n)
    recent = sum(
        np.pad(breaching, ((0, 0), (back, 0)))[:, : breaching.shape[1]].astype(int)
        for back in range(3)
    )
    minute = _first(np.asarray(recent) >= 2)
    return np.where(minute < 0, -1, (minute + 1) * PER_MINUTE - 1)


def repeated_z(traffic: Errors | Latencies) -> Ints:
    """A z-test at 5 % on all data so far, after every bucket."""
    return _first(_z(traffic) > Z_95)


def obrien_fleming(traffic: Errors | Latencies, *, buckets: int = BUCKETS) -> Ints:
    """Five equally spaced looks over ``buckets``, at an overall level of 5 %."""
    ends = (np.arange(1, LOOKS + 1) * buckets) // LOOKS - 1
    bounds = obrien_fleming_constant(LOOKS, 0.05) * np.sqrt(LOOKS / np.arange(1, LOOKS + 1))
    look = _first(_z(traffic)[:, ends] > bounds)
    return np.where(look < 0, -1, ends[look])


def kayenta(traffic: Errors | Latencies, rng: np.random.Generator) -> Ints:
    """A Mann-Whitney run on the last 50 one-minute points each time as many new ones are there."""
    ours, theirs = _points(traffic, rng)
    first = np.full(len(ours), -1)
    for end in range(POINTS, ours.shape[1] + 1, POINTS):
        for rollout in np.flatnonzero(first < 0):
            window = slice(end - POINTS, end)
            if is_high(ours[rollout, window], theirs[rollout, window]):
                first[rollout] = end * PER_MINUTE - 1
    return first


def is_high(experiment: Floats, control: Floats) -> bool:
    """Kayenta's classification of one metric, in the direction of an increase."""
    experiment = experiment[~np.isnan(experiment)]
    control = control[~np.isnan(control)]
    if np.unique(np.concatenate([experiment, control])).size <= 1:
        return False
    if standardised(0.0, experiment, control) <= _Z_99:
        return False  # then the interval's lower end is not above 0
    low, high = experiment.min() - control.max(), experiment.max() - control.min()
    for _ in range(40):
        middle = (low + high) / 2
        if standardised(middle, experiment, control) > 0:
            low = middle
        else:
            high = middle
    return standardised(0.25 * abs(high), experiment, control) > _Z_99


def standardised(shift: float, x: Floats, y: Floats) -> float:
    """The Mann-Whitney statistic of ``x - shift`` and ``y``, standardised; falls with ``shift``."""
    moved, ordered = np.round(x - shift, 12), np.sort(np.round(y, 12))
    wins = np.searchsorted(ordered, moved, "left").sum()
    ties = np.searchsorted(ordered, moved, "right").sum() - wins
    n, m = len(x), len(y)
    distance = wins + ties / 2 - n * m / 2
    _, repeats = np.unique(np.concatenate([moved, ordered]), return_counts=True)
    correction = (repeats**3 - repeats).sum() / ((n + m) * (n + m - 1))
    variance = n * m / 12 * (n + m + 1 - correction)
    if variance <= 0:
        return 0.0
    return float((distance - 0.5 * np.sign(distance)) / math.sqrt(variance))


@cache
def obrien_fleming_constant(looks: int, level: float) -> float:
    """C such that a Brownian motion exceeds C·√(looks/k) times its deviation at a look k with
    ``level``.

    The sums S_k of k standard normals are compared with one number, C·√looks; the density of those
    that have not crossed is carried from look to look on a grid.
    """
    low, high = 0.5, 4.0
    for _ in range(24):
        middle = (low + high) / 2
        low, high = (middle, high) if _crossing(looks, middle) > level else (low, middle)
    return high


def _crossing(looks: int, constant: float) -> float:
    barrier = constant * math.sqrt(looks)
    grid, step = np.linspace(-8 * math.sqrt(looks), barrier, 601, retstep=True)
    kernel = np.exp(-((grid[:, None] - grid[None, :]) ** 2) / 2) / math.sqrt(2 * math.pi)
    weights = np.full(grid.size, step)
    weights[[0, -1]] /= 2
    density = np.exp(-(grid**2) / 2) / math.sqrt(2 * math.pi)
    for _ in range(looks - 1):
        density = kernel @ (weights * density)
    return 1.0 - float((weights * density).sum())


def _z(traffic: Errors | Latencies) -> Floats:
    """The z statistic of all data so far, by bucket; -inf before both versions have 30 units."""
    n, m = np.cumsum(traffic.n, axis=1), np.cumsum(traffic.m, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        if isinstance(traffic, Errors):
            x, y = np.cumsum(traffic.x, axis=1), np.cumsum(traffic.y, axis=1)
            pooled = (x + y) / (n + m)
            z = (x / n - y / m) / np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
        else:
            (mean, error), (mean_champion, error_champion) = (
                _mean(np.cumsum(sums, axis=1), np.cumsum(squares, axis=1), units)
                for sums, squares, units in (
                    (traffic.sums, traffic.squares, n),
                    (traffic.sums_champion, traffic.squares_champion, m),
                )
            )
            z = (mean - mean_champion) / np.sqrt(error + error_champion)
    return np.where(np.isfinite(z) & (n >= 30) & (m >= 30), z, -np.inf)


def _mean(sums: Floats, squares: Floats, units: Ints) -> tuple[Floats, Floats]:
    """The mean and its squared standard error."""
    mean = sums / units
    return mean, (squares / units - mean**2) / units


def _points(traffic: Errors | Latencies, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """One-minute series of the error rate or the mean latency, of the canary and its baseline."""
    n, m = _minutes(traffic.n), _minutes(traffic.m)
    with np.errstate(divide="ignore", invalid="ignore"):
        if isinstance(traffic, Latencies):
            return _minutes(traffic.sums) / n, _minutes(traffic.sums_champion) / m
        y = _minutes(traffic.y)
        size = np.minimum(n, m)
        return _minutes(traffic.x) / n, rng.hypergeometric(y, m - y, size) / size


def _minutes(by_bucket: Numbers) -> Numbers:
    minutes: Numbers = by_bucket.reshape(len(by_bucket), -1, PER_MINUTE).sum(axis=2)
    return minutes


def _first(hits: Bools) -> Ints:
    """The first column that is true in each row, or -1."""
    return np.where(hits.any(axis=1), hits.argmax(axis=1), -1)
