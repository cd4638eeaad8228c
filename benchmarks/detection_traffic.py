"""Simulated rollouts for `benchmarks.detection`: what both versions did in each ten-second bucket.

All arrays are (rollouts, buckets). A rollout lasts three hours, which is how long CloudWatch keeps
high-resolution data and how long Spinnaker's guide says a canary should live. Requests reach the
challenger at random with the share of the moment.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

SECONDS = 10
BUCKETS = 3 * 3600 // SECONDS
PER_MINUTE = 60 // SECONDS
SHARE = 0.1

# Latencies: lognormal around 50 ms; quantiles of the champion as they would be fixed before a
# rollout.
MEDIAN, SIGMA = 0.050, 0.5
_Z = {0.5: 0.0, 0.9: 1.2815515655, 0.99: 2.3263478740}
QUANTILES = tuple(MEDIAN * np.exp(SIGMA * z) for z in _Z.values())
STALL = 1.0


@dataclass(frozen=True)
class Errors:
    """``x`` of ``n`` challenger units and ``y`` of ``m`` champion units failed."""

    n: Ints
    m: Ints
    x: Ints
    y: Ints


@dataclass(frozen=True)
class Latencies:
    """Counts above each of `QUANTILES` (last axis), sums and sums of squares of seconds, by
    version.

    ``slow`` counts challenger requests above one and a half times the champion's q90.
    """

    n: Ints
    m: Ints
    above: Ints
    above_champion: Ints
    sums: Floats
    squares: Floats
    sums_champion: Floats
    squares_champion: Floats
    slow: Ints


def errors(
    rng: np.random.Generator,
    rollouts: int,
    per_second: float,
    *,
    rate: float | Floats,
    worse: float | Floats | None = None,
    share: float | Floats = SHARE,
) -> Errors:
    """Independent requests: Poisson arrivals, and errors at ``rate`` (the challenger's:
    ``worse``).
    """
    shape = (rollouts, BUCKETS)
    n = rng.poisson(per_second * SECONDS * np.broadcast_to(share, BUCKETS), shape)
    m = rng.poisson(per_second * SECONDS * (1 - np.broadcast_to(share, BUCKETS)), shape)
    x = rng.binomial(n, rate if worse is None else worse)
    return Errors(n, m, x, rng.binomial(m, rate))


def incident(base: float, during: float) -> Floats:
    """A rate by bucket that jumps for ten minutes, forty minutes into the rollout."""
    rate = np.full(BUCKETS, base)
    rate[40 * PER_MINUTE : 50 * PER_MINUTE] = during
    return rate


def ramp() -> tuple[Floats, Floats]:
    """(share, rate) by bucket: 5, 20, 50 % for an hour each while errors drift from 0.5 to 3 %."""
    share = np.repeat([0.05, 0.2, 0.5], BUCKETS // 3)
    return share, np.linspace(0.005, 0.03, BUCKETS)


def clustered(
    rng: np.random.Generator, rollouts: int, per_second: float, *, by_key: bool
) -> Errors:
    """Sticky routing, and errors that come by user: one in fifty users fails at half his requests.

    A user makes ten requests in as many buckets and stays with one version. ``by_key`` counts users
    that have not failed before, and their first failures; otherwise requests and failed requests.
    """
    visit = 10
    counts = np.zeros((4, rollouts, BUCKETS + visit), dtype=np.int64)  # n, m, x, y
    arrivals = rng.poisson(per_second * SECONDS / visit, (rollouts, BUCKETS))
    for rollout in range(rollouts):
        start = np.repeat(np.arange(BUCKETS), arrivals[rollout])
        ours = rng.random(start.size) < SHARE
        unlucky = rng.random(start.size) < 0.02
        fails = unlucky[:, None] & (rng.random((start.size, visit)) < 0.5)
        counted = np.full(fails.shape, fill_value=True)
        if by_key:
            counted = np.cumsum(fails, axis=1) - fails == 0
            fails = fails & counted
        when = start[:, None] + np.arange(visit)
        told = (ours, counted), (~ours, counted), (ours, fails), (~ours, fails)
        for row, (version, what) in enumerate(told):
            where = when[version[:, None] & what]
            counts[row, rollout] = np.bincount(where, minlength=BUCKETS + visit)
    n, m, x, y = counts[:, :, :BUCKETS]
    return Errors(n, m, x, y)


def latencies(
    rng: np.random.Generator,
    rollouts: int,
    per_second: float,
    *,
    overall: float = 1.0,
    tail: float = 1.0,
    stalls: float = 0.0,
    load: Floats | None = None,
) -> Latencies:
    """Requests with latencies; the challenger's are changed, both versions' scaled by ``load``.

    ``tail`` scales the challenger's slowest tenth, ``stalls`` is the share that takes a second
    more.
    """
    width = int(per_second * SECONDS)
    out: list[list[npt.NDArray[np.float64]]] = []
    for _ in range(rollouts):
        ours = rng.random((BUCKETS, width)) < SHARE
        base = MEDIAN * np.exp(SIGMA * rng.standard_normal((BUCKETS, width)))
        changed = np.where(base > QUANTILES[1], base * tail, base) * overall
        changed = changed + STALL * (rng.random((BUCKETS, width)) < stalls)
        seconds = np.where(ours, changed, base)
        if load is not None:
            seconds = seconds * load[:, None]
        over = np.stack([seconds > quantile for quantile in QUANTILES], axis=-1)
        out.append(
            [
                ours.sum(1),
                (~ours).sum(1),
                (over & ours[..., None]).sum(1),
                (over & ~ours[..., None]).sum(1),
                np.where(ours, seconds, 0).sum(1),
                np.where(ours, seconds**2, 0).sum(1),
                np.where(ours, 0, seconds).sum(1),
                np.where(ours, 0, seconds**2).sum(1),
                (ours & (seconds > 1.5 * QUANTILES[1])).sum(1),
            ]
        )
    return Latencies(*(np.stack(column) for column in zip(*out, strict=True)))
