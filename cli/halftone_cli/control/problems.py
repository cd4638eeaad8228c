"""What the control API refuses, as the errors that the command tells and exits by.

The API's ``detail`` is already the one line for people, with the field, the value and the remedy:
the errors made here say it as it is.
"""

import json
from typing import Any

from halftone.domain.errors import (
    BrokenChain,
    ConcurrentWrite,
    Conflict,
    Forbidden,
    HalftoneError,
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    Unavailable,
)


class _Said(HalftoneError):
    """An error whose message came over the wire."""

    def __init__(self, detail: str) -> None:
        Exception.__init__(self, detail)


class RejectedInput(_Said, InvalidInput):
    """InvalidInput, as the API tells it."""


class NothingThere(_Said, NotFound):
    """NotFound, as the API tells it."""


class ChainBroken(_Said, BrokenChain):
    """BrokenChain, as the API tells it."""


class ServerFault(HalftoneError):
    """A fault of the control function: its log says what happened."""


_BY_STATUS: dict[int, type[HalftoneError]] = {
    400: RejectedInput,
    403: Forbidden,
    404: NothingThere,
    405: ServerFault,
    409: Conflict,
    412: PreconditionFailed,
    413: RejectedInput,
    415: RejectedInput,
    422: RejectedInput,
    429: Unavailable,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}
_BY_KIND: dict[str, type[HalftoneError]] = {
    "stale-write": ConcurrentWrite,
    "routing-changed": ConcurrentWrite,
    "broken-chain": ChainBroken,
    "key-reused": IdempotencyKeyReused,
}
_COMMANDS = {
    "GET /v1/endpoints lists those there are": "`halftone endpoints list` shows which there are",
}
"""What the API advises to ask of it, as who uses the command asks it."""
_GATEWAYS = {
    403: "API Gateway refuses the request: these credentials may not call the control API",
    404: "the stage has no control API: deploy it again",
    429: "the control API is throttled: wait a little",
}
"""What it means when API Gateway itself answers, which knows nothing of problems."""


def error_of(status: int, body: bytes) -> HalftoneError:
    """The error that an answer of ``status`` 400 and above is."""
    problem = _problem(body)
    kind = str(problem.get("type", "")).rpartition(":")[2]
    error = _BY_KIND.get(kind) or _BY_STATUS.get(status, ServerFault)
    detail = problem.get("detail")
    if isinstance(detail, str):
        for request, command in _COMMANDS.items():
            detail = detail.replace(request, command)
        return error(detail)
    message = problem.get("message") or "no reason given"
    sentence = _GATEWAYS.get(status, f"the control API answered {status}: {message}")
    # A 5xx of API Gateway's own says that the control function did not answer.
    return Unavailable(sentence) if status == 404 or status >= 500 else error(sentence)


def _problem(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
