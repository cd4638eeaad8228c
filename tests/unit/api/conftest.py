"""An endpoint with a champion and a rollout under way, and the API in front of it."""

from datetime import timedelta

import pytest

from halftone.domain.rollout.phase import Phase
from tests.support.control import Api, on
from tests.support.engine import Endpoint


@pytest.fixture
def endpoint() -> Endpoint:
    """Version 1 serves, version 2 is watched at its first step; ann began both."""
    endpoint = Endpoint()
    endpoint.serve("first")
    endpoint.release("second", message="sharper at night")
    endpoint.tick_until(Phase.OBSERVING)
    endpoint.traffic(timedelta(seconds=30))
    endpoint.tick()
    return endpoint


@pytest.fixture
def api(endpoint: Endpoint) -> Api:
    return on(endpoint.world)


@pytest.fixture
def rollout(endpoint: Endpoint) -> str:
    """Where the rollout under way is."""
    assert endpoint.rollout is not None
    return f"/v1/endpoints/fraud/rollouts/{endpoint.rollout.id}"
