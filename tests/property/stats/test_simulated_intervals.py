"""The interval of the odds ratio holds at all looks together, in simulated rollouts."""

import numpy as np
import pytest

from halftone.stats import Likelihood, Stratum, Tally

SEED = 20_260_401


@pytest.mark.parametrize("psi", [0.5, 1.0, 4.0])
def test_at_all_looks_the_interval_misses_in_at_most_5_percent(psi):
    rng = np.random.default_rng(SEED)
    runs, missed = 150, 0
    rate = 0.05
    worse = psi * rate / (1 - rate + psi * rate)
    for _ in range(runs):
        likelihood = Likelihood()
        for look in range(60):
            x = int(rng.binomial(8, worse))
            y = int(rng.binomial(24, rate))
            likelihood = likelihood.update(Stratum(Tally(8, x), Tally(24, y)))
            if look % 10 == 9:
                interval = likelihood.interval(0.05)
                if not interval.low <= psi <= interval.high:
                    missed += 1
                    break
    assert missed / runs <= 0.05
