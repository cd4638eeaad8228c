"""People who speak to a rollout under way, always as ben and for the same reason."""

from collections.abc import Callable
from typing import Any

from halftone.domain.audit import Author
from halftone.domain.rollout.phase import Phase
from halftone.service.rollouts import operate
from tests.support.engine import NAME, Endpoint
from tests.support.rollouts import MINUTE

BEN: dict[str, Author] = {"author": Author("ben", "the clinic asked")}


def say(operation: Callable[..., Any], endpoint: Endpoint, **changes: object) -> Any:
    """What ``operation`` answers."""
    return operation(endpoint.ports, NAME, **{**BEN, **changes})


def approve(endpoint: Endpoint, stage: int) -> Any:
    """What ``operate.approve`` answers for the gate before ``stage``."""
    return say(operate.approve, endpoint, stage=stage)


def changes_nothing(endpoint: Endpoint, operation: Callable[..., Any], **changes: object) -> bool:
    """Whether ``operation`` is answered, and leaves record, audit and alias as they are."""
    before = (endpoint.state, endpoint.actions, endpoint.alias)
    say(operation, endpoint, **changes)
    return (endpoint.state, endpoint.actions, endpoint.alias) == before


def grow(endpoint: Endpoint, *phases: Phase) -> None:
    """Let good traffic come in until the rollout is in one of ``phases``."""
    for _ in range(40):
        endpoint.tick()
        if endpoint.phase in phases:
            return
        endpoint.traffic(MINUTE)
    raise AssertionError(f"after 40 minutes: {endpoint.rollout}")
