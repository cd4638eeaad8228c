"""The approximations of power against the test itself, run on simulated traffic."""

import math

import numpy as np
import pytest

from halftone.stats import Capital, Rates, Stratum, Tally, detectable, requests_needed

SEED = 7
PROVEN = math.log(20)


def requests_used(capital, rates, *, per_bucket, runs, most):
    """Challenger requests until a decision in each of ``runs`` simulated rollouts, or inf."""
    rng = np.random.default_rng(SEED)
    used = []
    for _ in range(runs):
        state, observed, result = capital, 0, math.inf
        while observed < most:
            n = int(rng.binomial(per_bucket, rates.share))
            m = per_bucket - n
            x, y = int(rng.binomial(n, rates.challenger)), int(rng.binomial(m, rates.champion))
            state, observed = state.update(Stratum(Tally(n, x), Tally(m, y))), observed + n
            if state.log_e >= PROVEN:
                result = observed
                break
        used.append(result)
    return used


@pytest.mark.parametrize(
    ("capital", "rates"),
    [
        (Capital.on_regression(), Rates(0.02, 0.01, 0.1)),
        (Capital.on_regression(), Rates(0.03, 0.01, 0.1)),
        (Capital.on_regression(), Rates(0.12, 0.06, 0.5)),
        (Capital.on_regression(), Rates(0.05, 0.005, 0.2)),
        (Capital.on_safety(), Rates(0.01, 0.01, 0.1)),
        (Capital.on_safety(), Rates(0.2, 0.2, 0.3)),
    ],
    ids=["1 to 2 %", "1 to 3 %", "6 to 12 %", "0.5 to 5 %", "equal at 1 %", "equal at 20 %"],
)
def test_requests_needed_are_those_that_simulation_needs(capital, rates):
    expected = {c: requests_needed(capital, rates, chance=c) for c in (0.5, 0.8)}
    used = requests_used(capital, rates, per_bucket=50, runs=400, most=4 * expected[0.8])
    for chance, needed in expected.items():
        simulated = sorted(used)[int(chance * len(used))]
        assert needed == pytest.approx(simulated, rel=0.25), chance


@pytest.mark.parametrize(("n", "base_rate"), [(300, 0.02), (1800, 0.01), (6000, 0.002)])
def test_what_is_detectable_is_detected_with_about_that_chance(n, base_rate):
    rate = detectable(n, share=0.1, base_rate=base_rate)
    used = requests_used(
        Capital.on_regression(), Rates(rate, base_rate, 0.1), per_bucket=100, runs=400, most=n
    )
    assert sum(u <= n for u in used) / len(used) == pytest.approx(0.8, abs=0.1)
