"""One invocation of the model server: who it is for, and how long it has taken so far."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

LONGEST_SECONDS = 29.0
"""The longest that a function of ours may run: an HTTP API gives up after 30 seconds."""


@dataclass(slots=True)
class Invocation:
    """``request_id`` is Lambda's. ``started`` is in ns of ``time.perf_counter_ns``; ``remaining``
    tells the milliseconds until Lambda ends the invocation.
    """

    request_id: str
    version: str
    cold: bool
    started: int
    remaining: Callable[[], float] | None

    @classmethod
    def of(cls, context: object, *, cold: bool) -> "Invocation":
        """The invocation that Lambda's ``context`` is of, beginning now."""
        return cls(
            str(getattr(context, "aws_request_id", "")),
            str(getattr(context, "function_version", "")),
            cold,
            time.perf_counter_ns(),
            getattr(context, "get_remaining_time_in_millis", None),
        )

    def elapsed_ms(self) -> float:
        """Milliseconds since the invocation began."""
        return (time.perf_counter_ns() - self.started) / 1e6

    def seconds_left(self) -> float:
        """Seconds until Lambda ends the invocation."""
        if self.remaining is None:
            return LONGEST_SECONDS - self.elapsed_ms() / 1e3
        return self.remaining() / 1e3


def mark_of(event: object) -> object:
    """What a front says of a hop (a dict), or the engine of its smoke test
    (``domain.model.smoke_test.MARK``); None for a client's request. API Gateway writes the context
    of clients' requests itself, so that none of them can say anything there.
    """
    context = event.get("requestContext") if isinstance(event, dict) else None
    return context.get("halftone") if isinstance(context, dict) else None


def marked(event: Mapping[str, Any], mark: Mapping[str, object]) -> dict[str, Any]:
    """``event`` as a front sends it on."""
    return {**event, "requestContext": {**event["requestContext"], "halftone": mark}}
