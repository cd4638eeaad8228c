"""An endpoint with several deployments, as people stop, name, scale and delete them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from halftone.domain.audit import Author
from halftone.domain.endpoint.deployment_status import DeploymentStatus
from halftone.domain.endpoint.state import EndpointState, Placed
from halftone.service.deployments.deployments import listed
from tests.support.engine import NAME, Endpoint

ANN: dict[str, Author] = {"author": Author("ann", "spring cleaning")}


def served_by(*models: str) -> Endpoint:
    """An endpoint that ``models`` were champion of in turn; all of them are placed."""
    endpoint = Endpoint()
    for model in models:
        endpoint.serve(model)
    versions = [str(number) for number in range(1, len(models) + 1)]
    write(endpoint, placed=tuple(Placed(version, version) for version in versions))
    return endpoint


def write(endpoint: Endpoint, **changes: object) -> EndpointState:
    """Put ``changes`` into the state, past every use case and without a word in the audit."""
    state = replace(endpoint.state, **changes)  # type: ignore[arg-type]
    endpoint.world.store.states[NAME] = state
    return state


def say(operation: Callable[..., Any], endpoint: Endpoint, *what: object, **more: object) -> Any:
    """What ``operation`` answers."""
    return operation(endpoint.ports, NAME, *what, **{**ANN, **more})


def standings(endpoint: Endpoint, **which: bool) -> dict[str, DeploymentStatus]:
    """Every deployment's standing by its version, newest first."""
    return {s.deployment.version: s for s in listed(endpoint.ports, NAME, **which)}


def told(endpoint: Endpoint, **which: bool) -> dict[str, tuple[str, str]]:
    """Status and message of every deployment."""
    return {v: (s.status.value, s.message) for v, s in standings(endpoint, **which).items()}
