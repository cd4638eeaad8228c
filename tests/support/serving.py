"""Endpoints with deployments beside the champion, for tests of what settings mean there."""

from dataclasses import replace
from typing import Any

from halftone.domain.audit import Author
from halftone.domain.endpoint.state import Placed
from halftone.domain.rollout.phase import Phase
from halftone.service.rollouts.operate import abort
from halftone.service.unit_of_work import commit
from tests.support.engine import NAME, Endpoint

BEN: dict[str, Any] = {"author": Author("ben", "the clinic asked")}


def place(endpoint: Endpoint, *placed: Placed) -> None:
    """Put it on record that requests can be sent to these deployments, and to no others."""
    state = endpoint.state
    commit(
        endpoint.ports,
        state,
        replace(state, placed=placed),
        action="placed",
        author=Author("t", "t"),
    )


def superseded(endpoint: Endpoint, model: str) -> str:
    """Release ``model`` and supersede it before it is promoted; answers its version.

    Nothing is held against it: it may be given traffic by hand.
    """
    endpoint.release(model)
    endpoint.tick_until(Phase.OBSERVING)
    assert endpoint.rollout is not None
    version = endpoint.rollout.challenger
    assert version is not None
    endpoint.release(f"in place of {model}")
    abort(endpoint.ports, NAME, author=Author("ann", "kept beside the champion"))
    return version


def guarded(*, unproven: int = 1) -> Endpoint:
    """Champion 2 in mode guarded; ``blue`` (1) was champion, ``green`` (3) and so on never were."""
    endpoint = Endpoint()
    endpoint.serve("first")
    endpoint.serve("second")
    names = ["green", "teal"][:unproven]
    versions = [superseded(endpoint, f"{name}-model") for name in names]
    place(
        endpoint,
        Placed("1", "blue"),
        Placed("2", "2"),
        *(Placed(version, name) for version, name in zip(versions, names, strict=True)),
    )
    state = endpoint.state
    serving = replace(state.serving, mode=type(state.serving.mode)("guarded"))
    commit(
        endpoint.ports, state, replace(state, serving=serving), action="t", author=Author("t", "t")
    )
    return endpoint
