"""An endpoint at the moments of a rollout that tests begin at."""

from dataclasses import replace

import pytest

from halftone.domain.rollout.phase import Phase
from halftone.service.rollouts import operate
from tests.support.engine import Endpoint
from tests.support.operations import grow, say
from tests.support.rollouts import PLAN

GATED = replace(
    PLAN, stages=(PLAN.stages[0], replace(PLAN.stages[1], approval=True), PLAN.stages[2])
)


@pytest.fixture
def endpoint():
    """m1 serves as version 1."""
    endpoint = Endpoint()
    endpoint.serve("m1")
    return endpoint


@pytest.fixture
def watched(endpoint):
    """m2 is watched at 5 % as version 2."""
    endpoint.release("m2")
    endpoint.tick_until(Phase.OBSERVING)
    return endpoint


@pytest.fixture
def paused(watched):
    """m2 is at 5 % as version 2, and paused."""
    say(operate.pause, watched)
    return watched


@pytest.fixture
def gated(endpoint):
    """m2 has done well at 5 % as version 2 and waits for approval of 50 %."""
    endpoint.release("m2", plan=GATED)
    grow(endpoint, Phase.AWAITING_APPROVAL)
    return endpoint
