"""Whether an endpoint answers at all: disabled, unpublished, and back.

Like ``service.endpoints.policy``: no deploy, one conditional write and one record a change, and the
same errors.
"""

from dataclasses import replace

from halftone.domain.audit import Author
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import Conflict, InvalidInput
from halftone.domain.traffic.policy import TrafficPolicy
from halftone.domain.traffic.policy_schema import NO_TRAFFIC
from halftone.ports import RolloutPorts
from halftone.service.endpoints.policy import apply

UNPUBLISHED = "it is not published"
"""Why an endpoint is stopped that was unpublished."""


def disable(
    ports: RolloutPorts,
    endpoint: str,
    *,
    author: Author,
) -> EndpointState:
    """Answer 503 with ``reason``, until ``enable``."""
    if not author.reason or len(author.reason) > 200 or author.reason in (UNPUBLISHED, NO_TRAFFIC):
        raise InvalidInput("reason", author.reason, "why it is disabled, in 1 to 200 characters")
    return _stop(ports, endpoint, author.reason, "endpoint-disabled", author=author)


def enable(
    ports: RolloutPorts,
    endpoint: str,
    *,
    author: Author,
) -> EndpointState:
    """Undo ``disable``."""

    def next_one(state: EndpointState) -> TrafficPolicy:
        stopped = state.serving.stopped
        if stopped == UNPUBLISHED:
            raise Conflict(f"{endpoint!r} is not published: publish it")
        if stopped == NO_TRAFFIC:
            raise Conflict(f"{endpoint!r} is not disabled, but {stopped}: set its traffic")
        return replace(state.serving, stopped="")

    return apply(
        ports,
        endpoint,
        next_one,
        action="endpoint-enabled",
        author=author,
        fields=["stopped"],
    )


def unpublish(
    ports: RolloutPorts,
    endpoint: str,
    *,
    author: Author,
) -> EndpointState:
    """Answer 503 because it is not published, until ``publish``."""
    return _stop(
        ports,
        endpoint,
        UNPUBLISHED,
        "endpoint-unpublished",
        author=author,
    )


def publish(
    ports: RolloutPorts,
    endpoint: str,
    *,
    author: Author,
) -> EndpointState:
    """Undo ``unpublish``."""

    def next_one(state: EndpointState) -> TrafficPolicy:
        if state.serving.stopped not in ("", UNPUBLISHED):
            how = "set its traffic" if state.serving.stopped == NO_TRAFFIC else "enable it first"
            raise Conflict(
                f"{endpoint!r} is not unpublished, but stopped: {state.serving.stopped}; {how}"
            )
        return replace(state.serving, stopped="")

    return apply(
        ports,
        endpoint,
        next_one,
        action="endpoint-published",
        author=author,
        fields=["stopped"],
    )


def _stop(
    ports: RolloutPorts,
    endpoint: str,
    stopped: str,
    action: str,
    *,
    author: Author,
) -> EndpointState:
    def next_one(state: EndpointState) -> TrafficPolicy:
        # Stopped for one reason at a time: what stopped it is what starts it again.
        if state.serving.stopped not in ("", stopped):
            raise Conflict(f"{endpoint!r} is stopped already: {state.serving.stopped}")
        return replace(state.serving, stopped=stopped)

    return apply(
        ports,
        endpoint,
        next_one,
        action=action,
        author=author,
        fields=["stopped"],
    )
