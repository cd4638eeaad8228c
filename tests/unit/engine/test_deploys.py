"""Deploys that succeed, are refused, fail late, return, rename, replace and delete late."""

from typing import Any

import pytest

from halftone.domain.phase import Phase
from halftone.domain.serving import Access, Capture
from halftone.service import settings
from tests.support.cloudformation import Declared, Stack
from tests.support.engine import NAME, Endpoint
from tests.support.serving import BEN


def deployed(**declared: Any) -> tuple[Endpoint, Stack, Declared]:
    """m1 serves at an endpoint that a stack has made."""
    endpoint = Endpoint()
    stack = Stack(endpoint)
    first = Declared(**declared)
    assert stack.deploy(first), stack.error
    endpoint.tick_until(Phase.PROMOTED)
    return endpoint, stack, first


def test_a_failed_deploy_gives_back_what_it_changed_and_nothing_that_people_set():
    endpoint, stack, first = deployed(serving={"access": "public", "capture": 10})
    settings.set_access(endpoint.parts, NAME, "private", **BEN)
    stack.deploy_and_fail(first.but(serving={"access": "public", "capture": 20}))
    assert endpoint.state.serving.access is Access.PRIVATE
    assert endpoint.state.serving.capture == Capture(10.0)
