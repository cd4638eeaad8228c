"""How soon a changed model is found: by pairs on identical inputs, or by an A/B split.

    python -m benchmarks.paired

A model that turns some answers over changes what it answers to, say, 7 % of all requests, and by
that the rate of the label "yes" from 30 to 37 %. A split sees the second, in two groups of
different requests; pairs see the first, request by request. Both look every ten seconds, at one
error rate. Where as many answers turn one way as the other, the rate stays, and a split sees
nothing at all. Seeded; takes seconds.
"""

import math
from dataclasses import dataclass
from statistics import median

import numpy as np

from halftone.stats import Standing, Stratum, Tally, above

ALPHA = 0.05
YES = 0.3
"""The rate of "yes" that the champion answers with."""

MOST = 200_000
"""Scored requests after which a run is given up."""


@dataclass(frozen=True)
class Found:
    """Medians of the challenger's requests until the change is proven; None: not within MOST."""

    turned: float
    split: int | None
    paired: int | None


def found(turned: float, *, runs: int = 101, bucket: int = 10, seed: int = 20260101) -> Found:
    """A challenger that answers "yes" to ``turned`` (0 to 1) of all requests more than before.

    ``bucket`` are the challenger's requests in ten seconds, at 10 % of them.
    """
    chance = np.random.default_rng(seed)
    splits = [_by_split(chance, turned, bucket) for _ in range(runs)]
    pairs = [_by_pairs(chance, turned, bucket) for _ in range(runs)]
    return Found(turned, _median(splits), _median(pairs))


def _by_split(chance: np.random.Generator, turned: float, bucket: int) -> int:
    # Without a margin: any rise of the rate counts, as any change beyond 1 % does for pairs.
    standing, requests = Standing.start(regression_margin=1.0), 0
    while requests < MOST:
        requests += bucket
        ours = Tally(bucket, int(chance.binomial(bucket, YES + turned)))
        theirs = Tally(9 * bucket, int(chance.binomial(9 * bucket, YES)))
        standing = standing.update(Stratum(ours, theirs))
        if standing.regression.log_e >= -math.log(ALPHA):
            return requests
    return MOST


def _by_pairs(chance: np.random.Generator, turned: float, bucket: int) -> int:
    tally = Tally()
    while tally.n < MOST:
        tally += Tally(bucket, int(chance.binomial(bucket, turned)))
        if above(tally, tolerance=0.01) >= -math.log(ALPHA):
            return tally.n
    return MOST


def _median(requests: list[int]) -> int | None:
    middle = int(median(requests))
    return None if middle >= MOST else middle


if __name__ == "__main__":
    print("| answers turned over | by an A/B split | by pairs |")
    print("|---:|---:|---:|")
    for part in (0.07, 0.1, 0.2):
        one = found(part)
        print(f"| {100 * part:g} % | {one.split or 'never'} | {one.paired or 'never'} |")
