"""A preview of any traffic is consistent, and foretells what simulated rollouts need."""

from dataclasses import replace
from datetime import timedelta
from statistics import median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halftone.domain.rollout.plan import PRESETS, OnInconclusive, Plan, Stage
from halftone.domain.rollout.preview import Traffic, preview
from halftone.stats.comparison import Standing
from halftone.stats.tally import Stratum, Tally

LAG = timedelta(seconds=60)


@pytest.mark.parametrize("base", [0.001, 0.01, 0.03])
def test_proof_is_reckoned_as_simulated_rollouts_find_it(base):
    """Half of all rollouts of an equal challenger need less, by the very test that judges them."""
    chance = np.random.default_rng(20260101)
    [step] = preview(
        Plan((Stage(10.0),), bakes=False), Traffic(100, base, base, "given"), lag=LAG
    ).steps

    def needed(tolerance: float) -> int:
        standing = Standing.start()
        while not standing.compare(tolerance=tolerance).is_harmless:
            arms = (Tally(n, int(chance.binomial(n, base))) for n in (50, 450))
            standing = standing.update(Stratum(*arms))
        return standing.total.challenger.n

    simulated = median(needed(0.01) for _ in range(15))

    assert simulated / 1.5 <= step.proof <= simulated * 1.5


@given(
    st.sampled_from(sorted(PRESETS)),
    st.floats(1e-6, 1e6),
    st.floats(1e-6, 0.99),
    st.sampled_from(OnInconclusive),
)
@settings(max_examples=12, deadline=None)
def test_any_traffic_can_be_previewed(name, rate, errors, word):
    plan = replace(PRESETS[name], on_inconclusive=word)

    previewed = preview(plan, Traffic(rate, errors, 0.01, "given"), lag=LAG)

    for step in previewed.steps:
        assert step.lasts is None or step.lasts >= step.stage.min_time
        assert step.visible is None or errors < step.visible < 1
    ends = [step.lasts for step in previewed.steps]
    assert (previewed.promoted_after is None) is (None in ends)
