"""A preview at the traffic that an endpoint had."""

from datetime import timedelta

import pytest

from halftone.domain.errors import NotFound, Refused
from halftone.domain.evidence import Arm
from halftone.domain.phase import Phase
from halftone.domain.plan import PRESETS
from halftone.domain.preview import Traffic
from halftone.service.preview import preview_endpoint
from tests.support.engine import NAME, Endpoint
from tests.support.rollouts import PLAN

HOUR = timedelta(hours=1)
BUSY = Arm(requests=100, errors=2, timed=90, late=1)


@pytest.fixture
def serving():
    """risk-1 serves, and nothing has been asked of it."""
    endpoint = Endpoint()
    endpoint.serve("risk-1")
    return endpoint


def test_the_last_hour_is_what_the_champion_answered(serving):
    serving.traffic(2 * HOUR, champion=BUSY)

    found = preview_endpoint(serving.parts, NAME, plan=PRESETS["gradual"])

    seen = found.preview.traffic
    assert (seen.rate, found.plan_of) == (10.0, "")
    assert seen.errors == pytest.approx(720.5 / 36_001)
    assert seen.late == pytest.approx(360.5 / 32_401)
    assert seen.source.startswith("the last hour: 36,000 requests, 720 errors of 36,000")
    assert found.preview.steps[0].rate == 0.5


def test_a_challenger_under_way_counts_as_traffic_but_not_as_a_measure_of_errors(serving):
    serving.release("risk-2", plan=PLAN)
    serving.tick_until(Phase.OBSERVING)
    serving.traffic(HOUR, challenger=Arm(requests=5, errors=5, timed=5), champion=Arm(5, 0, 5))

    found = preview_endpoint(serving.parts, NAME)

    assert found.plan_of == f"rollout {serving.rollout.id}"
    assert found.plan == PLAN
    assert found.preview.traffic.rate == 10.0
    assert found.preview.traffic.errors == pytest.approx(0.5 / (360 * 95 + 1))


def test_the_champion_before_the_present_one_counts_as_a_champion(serving):
    serving.serve("risk-2")
    serving.traffic(HOUR, challenger=BUSY, champion=BUSY)

    seen = preview_endpoint(serving.parts, NAME).preview.traffic

    assert seen.rate == 20.0
    assert seen.errors == pytest.approx(1440.5 / 72_001)


def test_what_is_given_takes_the_place_of_what_was_seen(serving):
    given = Traffic(3.0, 0.01, 0.02, "as given")

    found = preview_endpoint(serving.parts, NAME, traffic=given, errors=0.005).preview.traffic

    assert (found.rate, found.errors, found.late) == (3.0, 0.005, 0.02)
    assert found.source == "as given; errors taken as 0.5 %"


def test_without_requests_there_is_nothing_to_reckon_with(serving):
    serving.traffic(HOUR, champion=BUSY)
    serving.traffic(HOUR, champion=Arm())

    with pytest.raises(Refused, match="'fraud' had no requests in the last hour: give a rate"):
        preview_endpoint(serving.parts, NAME)


def test_an_endpoint_must_exist():
    with pytest.raises(NotFound, match="there is no endpoint 'fraud'"):
        preview_endpoint(Endpoint().parts, NAME)


def test_a_preview_changes_nothing(serving):
    serving.traffic(HOUR, champion=BUSY)
    before = (serving.state, serving.alias)

    preview_endpoint(serving.parts, NAME, plan=PLAN)

    assert (serving.state, serving.alias) == before
