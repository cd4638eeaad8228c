"""Sticky routing over a ramp: keys that a stage draws afresh keep the false-alarm rate, requests do
not.

Users persist through all stages and send many requests; a few of them fail almost always, whoever
answers. The share rises from 5 to 20 to 50 %; a user who was on the challenger stays there.
"""

import math

import numpy as np
import pytest

from halftone.stats import Standing, Stratum, Tally

PROVEN = math.log(20)
SHARES = (5.0, 20.0, 50.0)
USERS, ROUNDS, RUNS = 400, 12, 120


def alarms(unit: str, *, worse: float = 0.0) -> float:
    """The part of rollouts in which a regression was called, at looks after every bucket."""
    chance, called = np.random.default_rng(20260101), 0
    for _ in range(RUNS):
        positions = chance.uniform(0.0, 100.0, USERS)
        fails = np.where(chance.uniform(size=USERS) < 0.05, 0.9, 0.0)
        called += _called(chance, positions, fails, unit, worse)
    return called / RUNS


def _called(chance, positions, fails, unit, worse) -> bool:
    standing, since = Standing.start(), 0.0
    for share in SHARES:
        ours = positions < share
        rates = np.minimum(1.0, fails + worse * ours)
        fresh = positions >= since
        first = chance.integers(0, ROUNDS, USERS)
        failed = chance.uniform(size=(ROUNDS, USERS)) < rates
        for bucket in range(ROUNDS):
            if unit == "keys":
                counted = fresh & (first == bucket)
                events = counted & failed[bucket:].any(axis=0)
            else:
                counted, events = np.ones(USERS, bool), failed[bucket]
            stratum = Stratum(
                Tally(int((counted & ours).sum()), int((events & ours).sum())),
                Tally(int((counted & ~ours).sum()), int((events & ~ours).sum())),
            )
            standing = standing.update(stratum)
            if standing.regression.log_e >= PROVEN:
                return True
        since = share
    return False


def test_equal_versions_are_called_different_by_keys_as_seldom_as_promised():
    assert alarms("keys") <= 0.05


def test_equal_versions_are_called_different_by_requests_too_often():
    assert alarms("requests") >= 0.1


@pytest.mark.parametrize("worse", [0.1])
def test_a_worse_version_is_still_found_by_keys(worse):
    assert alarms("keys", worse=worse) >= 0.9
