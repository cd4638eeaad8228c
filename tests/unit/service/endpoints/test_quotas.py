"""A group's quota: what its endpoints may take together, by every way in which they take more."""

from dataclasses import replace

import pytest

from halftone.domain.access import Quota
from halftone.domain.audit import Author
from halftone.domain.errors import Conflict
from halftone.service.endpoints import capacity
from halftone.service.endpoints.endpoints import set_owner
from halftone.service.endpoints.quotas import Use, use_of_group
from halftone.service.groups import edit_group, group_named, make_group
from tests.support.cloudformation import Declared, Stack
from tests.support.control import ANN
from tests.support.engine import NAME, Endpoint

AUTHOR = {"author": Author(ANN, "as agreed")}
LIMITS = {"concurrency": 10, "throttle": {"rate": 50, "burst": 5}}


def stage(**limits):
    """fraud serves and belongs to nobody; spam belongs to risk and takes 10 and 50 a second."""
    endpoint = Endpoint()
    endpoint.serve("first")
    make_group(endpoint.ports, "risk", description="", members={}, **AUTHOR)
    spam = replace(endpoint.state, endpoint="spam")
    endpoint.world.store.states["spam"] = spam
    set_owner(endpoint.ports, "spam", owner="risk", self_approval=None, **AUTHOR)
    capacity.edit(endpoint.ports, "spam", LIMITS, **AUTHOR)
    quota(endpoint, **limits)
    return endpoint


def quota(endpoint, **limits):
    edit_group(
        endpoint.ports, "risk", description="", members={}, quota=Quota(**limits), **AUTHOR,
    )  # fmt: skip


def own(endpoint):
    set_owner(endpoint.ports, NAME, owner="risk", self_approval=None, **AUTHOR)


def owned(endpoint, **changes):
    """fraud belongs to risk, as if it had before there was a quota."""
    quota(endpoint)
    own(endpoint)
    capacity.edit(endpoint.ports, NAME, LIMITS, **AUTHOR)
    quota(endpoint, **changes)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"endpoints": 1}, "quota of 1 endpoints: its other endpoints take 1"),
        ({"concurrency": 100}, "'fraud' has no limit of its own: give it `concurrency`"),
        ({"requests": 100.0}, "'fraud' has no limit of its own: give it a `throttle`"),
    ],
)
def test_an_endpoint_is_not_given_to_a_full_group(limits, words):
    endpoint = stage(**limits)
    before = endpoint.state
    with pytest.raises(Conflict, match="group 'risk' has a quota of") as refused:
        own(endpoint)
    assert words in str(refused.value)
    assert "`halftone groups quota risk`" in str(refused.value)
    assert endpoint.state == before


def test_an_endpoint_with_limits_that_fit_is_given():
    endpoint = stage(endpoints=2, concurrency=20, requests=100.0)
    capacity.edit(endpoint.ports, NAME, LIMITS, **AUTHOR)
    own(endpoint)
    assert use_of_group(endpoint.ports, "risk") == Use(2, 20, 100)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"concurrency": 21}, "take 10, and 'fraud' would take 21"),
        ({"concurrency": None}, "has no limit of its own"),
        ({"throttle": {"rate": 51, "burst": 1}}, "take 50, and 'fraud' would take 51"),
        ({"throttle": None}, "has no limit of its own"),
    ],
)
def test_an_endpoint_of_the_group_gets_no_more_than_is_left(change, words):
    endpoint = stage()
    owned(endpoint, concurrency=30, requests=100.0)
    capacity.edit(endpoint.ports, NAME, {"concurrency": 20}, **AUTHOR)
    before = endpoint.state
    with pytest.raises(Conflict) as refused:
        capacity.edit(endpoint.ports, NAME, change, **AUTHOR)
    assert words in str(refused.value)
    assert endpoint.state == before


def test_what_a_group_has_stays_when_its_quota_is_lowered():
    endpoint = stage()
    owned(endpoint, endpoints=1, concurrency=5, requests=1.0)
    capacity.edit(endpoint.ports, NAME, {"concurrency": 9, "description": "less"}, **AUTHOR)
    assert endpoint.state.upkeep.concurrency == 9
    with pytest.raises(Conflict):
        capacity.edit(endpoint.ports, NAME, {"concurrency": 10}, **AUTHOR)
    set_owner(endpoint.ports, NAME, owner=None, self_approval=None, **AUTHOR)


@pytest.mark.parametrize(
    ("limits", "declared"),
    [
        ({"endpoints": 1}, {}),
        ({"concurrency": 15}, {"upkeep": {"concurrency": 6}}),
        ({"requests": 60.0}, {"upkeep": {"throttle": {"rate": 11, "burst": 1}}}),
    ],
)
def test_a_deploy_makes_no_endpoint_beyond_the_quota(limits, declared):
    endpoint = stage(**limits)
    stack = Stack(endpoint, "other")
    assert not stack.deploy(Declared(endpoint="other", group="risk", **declared))
    assert "group 'risk' has a quota of" in str(stack.error)
    assert endpoint.world.store.load("other") is None


def test_only_a_deploy_within_the_quota_goes_through():
    endpoint = stage(endpoints=2, concurrency=16)
    stack = Stack(endpoint, "other")
    declared = Declared(endpoint="other", group="risk", upkeep={"concurrency": 6})
    assert stack.deploy(declared), stack.error
    assert not stack.deploy(declared.but(upkeep={"concurrency": 7}))
    assert endpoint.world.store.load("other").upkeep.concurrency == 6


def test_a_retired_endpoint_takes_nothing_of_the_quota():
    endpoint = stage(endpoints=1)
    record = list(endpoint.world.groups.group_audit("risk"))[-1]
    assert (record.reason, record.after["quota"]["endpoints"]) == ("as agreed", 1)
    states = endpoint.world.store.states
    states["spam"] = replace(states["spam"], champion=None, rollout=None)
    own(endpoint)
    assert group_named(endpoint.ports, "risk").quota == Quota(endpoints=1)
