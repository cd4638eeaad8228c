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
Bools = npt.NDArray[np.bool_]

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
    """``x`` of ``n`` challenger units and ``y`` of ``m`` champion units failed.

    ``requests`` are the challenger's, where the units are not requests.
    """

    n: Ints
    m: Ints
    x: Ints
    y: Ints
    requests: Ints | None = None


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


@dataclass(frozen=True)
class Users:
    """How errors come by user: so many are ``unlucky``, and fail each request with ``fails``."""

    unlucky: float = 0.02
    fails: float = 0.5


USUAL = Users()
VISIT = 10
"""Requests of one user, in as many buckets."""


def visitors(
    rng: np.random.Generator,
    rollouts: int,
    per_second: float,
    *,
    by_key: bool,
    users: Users = USUAL,
    worse: Users | None = None,
) -> Errors:
    """Sticky routing: users who make ten requests in as many buckets, and are gone.

    ``worse`` are the users of the challenger (None: like the champion's). ``by_key`` counts as the
    product does (docs/decisions/0008), else requests are counted.
    """
    counts = np.zeros((rollouts, 5, BUCKETS), dtype=np.int64)
    arrivals = rng.poisson(per_second * SECONDS / VISIT, (rollouts, BUCKETS))
    for rollout in range(rollouts):
        start = np.repeat(np.arange(BUCKETS), arrivals[rollout])
        ours = rng.random(start.size) < SHARE
        failing = _failing(rng.random(start.size), ours, users, worse or users)
        failed = rng.random((start.size, VISIT)) < failing[:, None]
        user, when = np.divmod(np.arange(failed.size), VISIT)
        when = when + start[user]
        within = when < BUCKETS
        add(
            counts[rollout], ours, user[within], when[within], failed.ravel()[within], by_key=by_key
        )
    return _told(counts)


FOLLOWED = 300 // SECONDS
"""For how many buckets a key is followed after it was first seen."""

REGULARS = 3
"""Requests of one regular in ten minutes."""


def regulars(
    rng: np.random.Generator,
    rollouts: int,
    per_second: float,
    *,
    by_key: bool,
) -> Errors:
    """Sticky routing over a ramp of 5, 20 and 50 %: the same users through all three hours.

    Who is on the challenger stays there. ``by_key`` counts in each stage the keys that it draws
    afresh: from the share before to the present one they are the challenger's, from there on the
    control.
    """
    count = round(per_second * 600 / REGULARS)
    share, _ = ramp()
    stages = [np.flatnonzero(share == each) for each in np.unique(share)]
    counts = np.zeros((rollouts, 5, BUCKETS), dtype=np.int64)
    for rollout in range(rollouts):
        position, luck, since = rng.random(count), rng.random(count), 0.0
        for buckets in stages:
            part = share[buckets[0]]
            ours = position < part
            failing = _failing(luck, ours, USUAL, USUAL)
            requests = rng.poisson(per_second * SECONDS * buckets.size)
            when = buckets[0] + np.sort(rng.integers(0, buckets.size, requests))
            user = rng.integers(0, count, requests)
            failed = rng.random(requests) < failing[user]
            fresh = position >= since if by_key else None
            add(counts[rollout], ours, user, when, failed, by_key=by_key, fresh=fresh)
            since = part
    return _told(counts)


def _failing(luck: Floats, ours: Bools, users: Users, worse: Users) -> Floats:
    """With what probability each user's requests fail; ``luck`` is evenly spread from 0 to 1."""
    usual = np.where(luck < users.unlucky, users.fails, 0.0)
    return np.where(ours, np.where(luck < worse.unlucky, worse.fails, 0.0), usual)


def add(
    counts: Ints,
    ours: Bools,
    user: Ints,
    when: Ints,
    failed: Bools,
    *,
    by_key: bool,
    fresh: Bools | None = None,
) -> None:
    """Add one stage's requests, of ``user`` in bucket ``when``; each user's are in order of time.

    ``ours`` and ``fresh`` are by user: who is on the challenger, and who was drawn by this stage
    (None: all). Rows of ``counts``: n, m, x, y, and the challenger's requests.
    """
    counts[4] += np.bincount(when[ours[user]], minlength=BUCKETS)
    counted, events = np.ones(user.size, dtype=bool), failed
    if by_key:
        first = _first_of(user, np.arange(user.size), ours.size)
        fails = _first_of(user[failed], np.flatnonzero(failed), ours.size)
        # A key is counted when it is first seen, by whether it fails while it is followed.
        counted, events = np.zeros(user.size, dtype=bool), np.zeros(user.size, dtype=bool)
        counted[first[first >= 0]] = True
        both = (first >= 0) & (fails >= 0)
        first, fails = first[both], fails[both]
        events[first[when[fails] - when[first] <= FOLLOWED]] = True
        # It is judged when it has been followed: that is when its bucket is read.
        when = when + FOLLOWED
        within = when < BUCKETS
        user, when, counted, events = user[within], when[within], counted[within], events[within]
    if fresh is not None:
        counted, events = counted & fresh[user], events & fresh[user]
    for row, (version, what) in enumerate(
        ((ours, counted), (~ours, counted), (ours, events), (~ours, events))
    ):
        counts[row] += np.bincount(when[version[user] & what], minlength=BUCKETS)


def _first_of(user: Ints, index: Ints, count: int) -> Ints:
    """Each user's first index, or -1."""
    first = np.full(count, -1)
    first[user[::-1]] = index[::-1]  # the last one written stays
    return first


def _told(counts: Ints) -> Errors:
    n, m, x, y, requests = np.swapaxes(counts, 0, 1)
    return Errors(n, m, x, y, requests)


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
