"""Keys are counted once, by whether they fail within five minutes: exact at any rate (decision 8).

Simulated by the harvest's own rules: sightings become news, news become counts of ten seconds, and
these are judged when their keys have been followed. benchmarks/error_rates.py has more of it.
"""

import math
import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest

from halftone.domain.insight.capture import KeyObservation
from halftone.domain.insight.sticky_keys import Seen, news, seen_in
from halftone.domain.rollout.border import bucket_start
from halftone.stats import Standing, Stratum, Tally

PROVEN = math.log(20)  # at an error rate of 5 %
START = datetime(2026, 1, 1, tzinfo=UTC)
KEYS, LIFE, GAP, SHARE = 500, 8, timedelta(seconds=30), 0.2


def strata(chance: random.Random, failing: dict[bool, float], keys: int = KEYS) -> list[Stratum]:
    """What is counted of keys that come at random and ask eight times, half a minute apart.

    ``failing`` is the chance of each request of a key of the challenger (True) or the champion.
    """
    counts: dict[datetime, dict[bool, list[int]]] = defaultdict(
        lambda: {True: [0, 0], False: [0, 0]}
    )
    for number in range(keys):
        ours = chance.random() < SHARE
        existing: Seen | None = None
        for request in range(LIFE):
            at = START + number * timedelta(seconds=2) + request * GAP
            failed = chance.random() < failing[ours]
            sighting = KeyObservation("2", "fraud-r1", 0, f"{number:016x}", at, failed, None)
            added = news(existing, sighting)
            now = seen_in(sighting)
            existing = existing.and_then(now) if existing else now
            if added.since is not None:
                n_x = counts[bucket_start(added.since)][ours]
                n_x[0] += added.errors is not None
                n_x[1] += (added.errors or 0) + added.errors_later
    return [Stratum(Tally(*counts[at][True]), Tally(*counts[at][False])) for at in sorted(counts)]


def proven(
    chance: random.Random,
    ever: dict[bool, float],
    *,
    worse: bool,
    margin: float,
    keys: int = KEYS,
) -> bool:
    """Whether a stage ever proves a regression or (not ``worse``) harmlessness, where keys fail
    ``ever`` so often in all their requests together.
    """
    each = {ours: 1 - (1 - rate) ** (1 / LIFE) for ours, rate in ever.items()}
    standing = Standing.start(regression_margin=margin, safety_margin=margin)
    for stratum in strata(chance, each, keys):
        standing = standing.update(stratum)
        if (standing.regression if worse else standing.safety).log_e >= PROVEN:
            return True
    return False


def odds(rate: float, ratio: float) -> float:
    """The rate whose odds are ``ratio`` times those of ``rate``."""
    return ratio * rate / (1 - rate + ratio * rate)


@pytest.mark.parametrize("rate", [0.03, 0.5])
@pytest.mark.parametrize(("worse", "margin"), [(True, 1.0), (True, 1.25), (False, 2.0)])
def test_what_is_not_so_is_proven_in_no_more_than_5_percent(rate, worse, margin):
    """Also where half of all keys fail, most of them late: with failures counted as further keys,
    an odds ratio of 2.2 was proven to be below 2 in 30 of 30.
    """
    chance = random.Random(f"{rate} {worse} {margin}")  # noqa: S311 - a simulation
    ever = {True: odds(rate, margin), False: rate}
    result = sum(proven(chance, ever, worse=worse, margin=margin) for _ in range(20))
    assert result <= 3  # of 20 at 5 %: more than three in 1 of 60


def test_a_challenger_whose_keys_fail_three_times_more_is_found():
    chance = random.Random(7)  # noqa: S311 - a simulation
    ever = {True: odds(0.1, 3.0), False: 0.1}
    assert sum(proven(chance, ever, worse=True, margin=1.25, keys=1500) for _ in range(10)) >= 8


def test_late_failures_are_most_of_what_is_seen():
    chance = random.Random(7)  # noqa: S311 - a simulation
    each = 1 - 0.5 ** (1 / LIFE)
    counted = strata(chance, {True: each, False: each})
    failed = sum(s.events for s in counted)
    assert sum(s.units for s in counted) == KEYS
    assert failed == pytest.approx(0.5 * KEYS, rel=0.1)
