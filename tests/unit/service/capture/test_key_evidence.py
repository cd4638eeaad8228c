"""Keys that are observed again when they fail late: no bolder, and far quicker (decision 8)."""

import math
import random

import pytest

from halftone.domain.insight.sticky_keys import Seen, news
from halftone.stats import Capital, Stratum, Tally

PROVEN = math.log(20)  # at an error rate of 5 %
BUCKETS, NEW_KEYS, LIFE, RATE, SHARE = 80, 12, 30, 0.4, 0.2


def proven(chance: random.Random, capital: Capital, *, new: float, old: float) -> bool:
    """Whether a stage ever proves it, whose keys fail a request with ``new`` or ``old``."""
    keys: list[tuple[bool, int]] = []
    known: dict[int, Seen] = {}
    for bucket in range(BUCKETS):
        counts = {True: [0, 0], False: [0, 0]}
        keys += [(chance.random() < SHARE, bucket) for _ in range(NEW_KEYS)]
        for number, (challenger, since) in enumerate(keys):
            before = known.get(number)
            if bucket - since > LIFE or (before is not None and chance.random() >= RATE):
                continue
            now = Seen(chance.random() < (new if challenger else old), None)
            now = before.and_then(now) if before else now
            added, known[number] = news(before, now).errors, now
            if added is not None:
                counts[challenger][0] += 1
                counts[challenger][1] += added
        capital = capital.update(Stratum(Tally(*counts[True]), Tally(*counts[False])))
        if capital.log_e >= PROVEN:
            return True
    return False


@pytest.mark.parametrize("capital", [Capital.on_regression(1.0), Capital.on_safety(1.0)])
def test_what_is_not_so_is_proven_in_no_more_than_5_percent(capital):
    chance = random.Random(7)  # noqa: S311 - a simulation
    found = sum(proven(chance, capital, new=0.03, old=0.03) for _ in range(60))
    assert found <= 3


def test_a_challenger_that_fails_three_times_as_often_is_found():
    chance = random.Random(7)  # noqa: S311 - a simulation
    capital = Capital.on_regression(1.25)
    assert sum(proven(chance, capital, new=0.09, old=0.03) for _ in range(20)) >= 16
