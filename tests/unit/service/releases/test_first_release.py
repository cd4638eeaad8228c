"""The first release of an endpoint: nobody to be compared with, and nothing to fall back on."""

import pytest

from halftone.domain.audit import Author
from halftone.domain.errors import InvalidPackage, NotFound
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import UNRELEASED, Routing
from halftone.service.rollouts.rollback import roll_back
from tests.support.engine import NAME, PLAN, Endpoint


def test_it_takes_all_traffic_once_samples_and_alarms_are_ready():
    endpoint = Endpoint()
    rollout = endpoint.release("m1", plan=PLAN)
    assert rollout is not None
    assert endpoint.world.workflow.started == {rollout.id: NAME}
    assert endpoint.alias == UNRELEASED
    endpoint.tick_until(Phase.PROMOTED)
    assert endpoint.alias == Routing("1")
    assert endpoint.champion == endpoint.armed_for == "1"
    assert endpoint.actions == ["release", "published", "admitted", "promoted"]


def test_the_workflow_is_told_when_to_come_and_when_it_is_over():
    endpoint = Endpoint()
    rollout = endpoint.release("m1")
    assert rollout is not None
    first = endpoint.tick(rollout.id)
    assert (first.done, first.phase) == (False, Phase.PREPARING)
    assert first.wait.total_seconds() == 1
    over = endpoint.tick(rollout.id)
    assert (over.done, over.phase) == (True, Phase.PROMOTED)


def test_a_sample_answered_wrongly_fails_it_without_traffic():
    endpoint = Endpoint()
    endpoint.offer("broken", {"statusCode": 500, "body": '{"detail": "no such column"}'})
    endpoint.release("broken")
    endpoint.tick_until(Phase.FAILED)
    assert endpoint.alias == UNRELEASED
    assert endpoint.champion is None
    assert endpoint.rollout is not None
    assert endpoint.rollout.reason == "sample 1 of 1: status is 500, expected 200: no such column"


def test_rolling_it_back_leaves_the_endpoint_unreleased():
    endpoint = Endpoint()
    endpoint.release("m1")
    endpoint.tick()
    roll_back(endpoint.ports, NAME, author=Author("ann", "not yet"))
    assert endpoint.phase is Phase.ROLLED_BACK
    assert endpoint.alias == UNRELEASED
    assert endpoint.tick().done


def test_the_next_release_after_a_failed_first_is_a_first_again():
    endpoint = Endpoint()
    endpoint.offer("broken", {"statusCode": 500})
    endpoint.release("broken")
    endpoint.tick_until(Phase.FAILED)
    endpoint.release("m1")
    endpoint.tick_until(Phase.PROMOTED)
    assert endpoint.alias == Routing("2")


def test_an_unsound_package_stores_nothing():
    endpoint = Endpoint()
    with pytest.raises(InvalidPackage, match="digest is 'abc'"):
        endpoint.release("m1", digest="abc")
    with pytest.raises(NotFound, match=r"there is no package 's3://assets/m2.zip'"):
        endpoint.release("m1", object_key="m2.zip")
    assert endpoint.world.store.load(NAME) is None
    assert not endpoint.world.packages.kept
    assert not endpoint.world.workflow.started
