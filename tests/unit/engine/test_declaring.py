"""A deploy applies what changed in the declaration; what people set since stays."""

import json
from typing import Any

import pytest

from halftone.adapters.cloudformation import declaration, owner_declared
from halftone.domain.errors import NotFound, Refused
from halftone.domain.phase import Phase
from halftone.domain.serving import Access, Capture, Mode
from halftone.service import settings
from halftone.service.declare import Declaration, declare, declare_owner
from halftone.service.endpoints import set_owner
from halftone.service.groups import make_group
from tests.support.engine import NAME, Endpoint
from tests.support.serving import BEN, guarded


def deploy(endpoint: Endpoint, now: dict[str, Any], before: dict[str, Any], **more: Any) -> object:
    key = more.pop("key", f"request-{now}-{before}")
    return declare(endpoint.parts, Declaration(NAME, now, before, "cloudformation/x", key, **more))


def test_a_first_deploy_applies_all_of_it_before_anything_serves():
    endpoint = Endpoint()
    deploy(endpoint, {"access": "private", "mode": "guarded"}, {})
    assert endpoint.state.serving.access is Access.PRIVATE
    endpoint.serve("first")
    assert endpoint.state.serving.mode is Mode.GUARDED
    record = endpoint.history[0]
    assert (record.action, record.seq) == ("declared", 1)
    assert record.reason == "endpoint.yaml changed in access, mode"


def test_a_persons_change_survives_a_deploy_that_does_not_touch_it():
    endpoint = guarded()
    settings.set_capture(endpoint.parts, NAME, 25, **BEN)
    settings.set_traffic(endpoint.parts, NAME, {"champion": 90, "blue": 10}, **BEN)
    before = endpoint.state.serving
    assert deploy(endpoint, {"capture": 10}, {"capture": 10}) is None
    deploy(endpoint, {"capture": 10, "access": "private"}, {"capture": 10})
    after = endpoint.state.serving
    assert after.access is Access.PRIVATE
    assert (after.capture, after.split) == (before.capture, before.split)


def test_what_changed_is_applied_and_what_is_gone_is_as_usual_again():
    endpoint = guarded()
    deploy(endpoint, {"capture": 20}, {"capture": 10, "access": "private"})
    assert endpoint.state.serving.capture == Capture(20.0)
    settings.set_access(endpoint.parts, NAME, "private", **BEN)
    deploy(endpoint, {"capture": 20}, {"capture": 20, "access": "private"})
    assert endpoint.state.serving.access is Access.PUBLIC


def test_a_deploy_that_is_delivered_again_undoes_nothing():
    endpoint = guarded()
    deploy(endpoint, {"capture": 20}, {}, key="r-1")
    settings.set_capture(endpoint.parts, NAME, 5, **BEN)
    deploy(endpoint, {"capture": 20}, {}, key="r-1")
    assert endpoint.state.serving.capture == Capture(5.0)


def test_what_makes_no_sense_is_refused_and_its_return_finds_nothing_to_do():
    endpoint = guarded()
    before = endpoint.state
    with pytest.raises(NotFound, match="no deployment 'pink'"):
        deploy(endpoint, {"capture": 20, "mirror": {"pink": 5}}, {"capture": 10})
    assert endpoint.state == before
    deploy(endpoint, {"capture": 0}, {"capture": 20, "mirror": {"pink": 5}})
    assert endpoint.state == before


def test_the_mode_changes_with_a_release_and_not_under_a_rollout():
    endpoint = guarded()
    endpoint.release("third")
    endpoint.tick_until(Phase.OBSERVING)
    with pytest.raises(Refused, match="keeps the mode that it began with"):
        deploy(endpoint, {"mode": "weighted"}, {"mode": "guarded"})
    assert endpoint.phase is Phase.OBSERVING
    deploy(endpoint, {"mode": "weighted"}, {"mode": "guarded"}, releases=True)
    assert endpoint.phase is Phase.ROLLED_BACK
    assert endpoint.state.serving.mode is Mode.WEIGHTED


def event(serving: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    given = {"Endpoint": NAME, "Digest": "d", "Settings": "s"}
    if serving is not None:
        given["Serving"] = json.dumps(serving)
    stack = "arn:aws:cloudformation:eu-west-1:123456789012:stack/halftone-prod-fraud/1b2c"
    return {"RequestId": "r-1", "StackId": stack, "ResourceProperties": given, **more}


def test_cloudformation_says_what_is_declared_and_what_was():
    created = declaration(event({"mode": "guarded"}))
    assert created == Declaration(
        NAME, {"mode": "guarded"}, {}, "cloudformation/halftone-prod-fraud", "r-1/serving", True
    )
    old = event({"mode": "weighted"})["ResourceProperties"]
    updated = declaration(event({"mode": "guarded"}, OldResourceProperties=old))
    assert (updated.before, updated.releases) == ({"mode": "weighted"}, False)
    released = declaration(event(None, OldResourceProperties={**old, "Digest": "e"}))
    assert (released.now, released.releases) == ({}, True)


# Whose it is ---------------------------------------------------------------------------------


@pytest.fixture
def owned() -> Endpoint:
    """Made by a deploy that said ``group: clinic``; the bank is a group as well."""
    endpoint = Endpoint()
    for group in ("clinic", "bank", "lab"):
        make_group(endpoint.parts, group, description="", members={}, actor="ann", reason="")
    endpoint.release("first", owner="clinic")
    return endpoint


def own(endpoint: Endpoint, now: str | None, before: str | None, key: str = "") -> None:
    declare_owner(
        endpoint.parts, NAME, now=now, before=before, actor="cloudformation/x", key=key or f"{now}"
    )


def given_to(endpoint: Endpoint, group: str | None) -> None:
    """By word of an admin."""
    set_owner(
        endpoint.parts,
        NAME,
        owner=group,
        self_approval=None,
        actor="ben",
        reason="",
        revision=None,
    )


@pytest.mark.parametrize("now", ["bank", None])
def test_a_changed_group_gives_the_endpoint_away_on_record(owned: Endpoint, now):
    own(owned, now, "clinic")
    assert owned.state.about.owner == now
    record = owned.history[-1]
    assert (record.action, record.actor) == ("owner", "cloudformation/x")
    assert record.numbers == {"owner": now, "was": "clinic", "request": f"{now}"}


@pytest.mark.parametrize(("now", "before"), [("clinic", "clinic"), ("clinic", None), (None, None)])
def test_what_is_so_or_says_as_before_is_not_recorded(owned: Endpoint, now, before):
    before_it = owned.state
    own(owned, now, before)
    assert owned.state == before_it


def test_what_admins_have_given_away_stays_while_the_line_does(owned: Endpoint):
    given_to(owned, "bank")
    own(owned, "clinic", "clinic")
    assert owned.state.about.owner == "bank"


@pytest.mark.parametrize(("now", "before"), [("lab", "clinic"), (None, "clinic"), ("lab", None)])
def test_who_is_wrong_about_the_owner_takes_nothing(owned: Endpoint, now, before):
    """``before`` None: also by another stack, that knows of nothing before."""
    given_to(owned, "bank")
    with pytest.raises(Refused, match="group 'bank' owns it on record"):
        own(owned, now, before)
    assert owned.state.about.owner == "bank"
    asked = owned.history[-1]
    assert (asked.action, asked.actor) == ("asked", "cloudformation/x")
    assert asked.numbers["refused"] == {"owner": now, "was": before}
    with pytest.raises(Refused, match="group 'bank' owns it on record"):
        own(owned, now, before)  # delivered again
    assert owned.history[-1] == asked


def test_the_return_from_a_refused_deploy_finds_nothing_to_do(owned: Endpoint):
    given_to(owned, "bank")
    with pytest.raises(Refused):
        own(owned, "lab", "clinic")
    before = owned.state
    for _ in range(2):
        own(owned, "clinic", "lab", key="the return")
    assert owned.state == before
    # The deploy after it is one like any other.
    with pytest.raises(Refused):
        own(owned, None, "clinic", key="later")
    given_to(owned, "clinic")
    own(owned, "lab", "clinic", key="later still")
    assert owned.state.about.owner == "lab"
    given_to(owned, "bank")
    with pytest.raises(Refused):
        own(owned, "clinic", "lab", key="no return")


def test_a_failed_deploy_gives_the_endpoint_back(owned: Endpoint):
    own(owned, "bank", "clinic", key="r-1")
    own(owned, "clinic", "bank", key="r-2")
    own(owned, "bank", "clinic", key="r-1")  # delivered late
    assert owned.state.about.owner == "clinic"


def test_an_endpoint_is_not_given_to_a_group_that_is_not_there(owned: Endpoint):
    before = owned.state
    with pytest.raises(NotFound, match="no group 'nowhere'"):
        own(owned, "nowhere", "clinic")
    assert owned.state == before


def test_a_new_endpoint_has_no_owner_to_change():
    endpoint = Endpoint()
    own(endpoint, "clinic", None)
    assert endpoint.world.store.load(NAME) is None


def test_the_groups_are_those_of_the_events():
    event: dict[str, Any] = {
        "RequestId": "r-1",
        "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/Fraud/1b2c",
        "ResourceProperties": {"Endpoint": NAME, "Group": "bank"},
        "OldResourceProperties": {"Endpoint": NAME, "Group": "clinic"},
    }
    told = owner_declared(event)
    assert (told["now"], told["before"], told["key"]) == ("bank", "clinic", "r-1/owner")
    del event["OldResourceProperties"]
    assert owner_declared(event)["before"] is None
