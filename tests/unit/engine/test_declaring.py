"""A deploy applies what changed in the declaration; what people set since stays."""

import json
from typing import Any

import pytest

from halftone.adapters.cloudformation import declaration
from halftone.domain.errors import NotFound, Refused
from halftone.domain.phase import Phase
from halftone.domain.serving import Access, Capture, Mode
from halftone.service import settings
from halftone.service.declare import Declaration, declare
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
