"""The one place where errors become HTTP: problem details (RFC 9457) with field and value."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Route

from halftone.api.responses import JSON
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
    RequestInProgress,
    Unavailable,
    UnderWay,
)

PROBLEM = "application/problem+json"


class PreconditionRequired(HalftoneError):
    """A header is missing that says what its author has seen."""


class TooLong(InvalidInput):
    """A body is longer than any that could be taken."""


class NotJson(InvalidInput):
    """A body says that it is something else than JSON."""


STATUS: Mapping[type[HalftoneError], int] = {
    InvalidInput: 400,
    TooLong: 413,
    NotJson: 415,
    PreconditionRequired: 428,
    Forbidden: 403,
    NotFound: 404,
    RequestInProgress: 409,
    Conflict: 409,
    ConcurrentWrite: 409,
    BrokenChain: 409,
    PreconditionFailed: 412,
    IdempotencyKeyReused: 422,
    Unavailable: 503,
}
"""The status of each error; a subclass has its base's unless it stands here itself."""

_TITLES = {
    400: "A value can't be taken",
    403: "Not allowed",
    404: "Not found",
    405: "No such method",
    409: "The present state forbids it",
    412: "It changed since it was read",
    413: "The body is too long",
    415: "The body is not JSON",
    422: "The idempotency key stands for another request",
    428: "What was seen is missing",
    500: "A fault of Halftone's own",
    503: "A service did not answer",
}
_SHOWN = 200


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    field: str | None = None
    value: Any = None
    expected: str | None = None
    rollout: str | None = None


def install(app: FastAPI) -> None:
    """Let ``app`` answer every error as a problem."""
    app.add_exception_handler(HalftoneError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _fault)


def problem(error: HalftoneError) -> Response:
    """The answer to ``error``."""
    fields: dict[str, Any] = {}
    if isinstance(error, InvalidInput):
        fields = {"field": error.field, "value": shown(error.value), "expected": error.expected}
    if isinstance(error, NotFound):
        fields = {"field": error.kind, "value": shown(error.name)}
    if isinstance(error, UnderWay):
        fields = {"rollout": error.rollout}
    # What lost a race or met a service that was out may be asked again, as it is.
    again = (
        {"retry-after": "1"}
        if isinstance(error, RequestInProgress | ConcurrentWrite | Unavailable)
        else {}
    )
    return _response(_status(error), _kind(error), str(error), again, **fields)


def shown(value: object) -> Any:
    """``value`` as an error repeats it: itself if JSON has it, else its text; long ones cut."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = _sayable(value if isinstance(value, str) else repr(value))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _sayable(text: str) -> str:
    """``text`` in UTF-8, which has no halves of surrogate pairs; JSON does."""
    return text.encode("utf-8", "backslashreplace").decode()


def _status(error: HalftoneError) -> int:
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 409)


_KINDS: Mapping[type[HalftoneError], str] = {
    Conflict: "refused",
    PreconditionFailed: "outdated",
    PreconditionRequired: "missing",
    ConcurrentWrite: "stale-write",
    IdempotencyKeyReused: "key-reused",
    RequestInProgress: "in-progress",
}
"""The last part of a problem's ``type`` where it is not the name of the class: clients know it."""


def _kind(error: HalftoneError) -> str:
    if (kind := _KINDS.get(type(error))) is not None:
        return kind
    name = type(error).__name__
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")


def _response(
    status: int, kind: str, detail: str, headers: Mapping[str, str] | None = None, **known: Any
) -> Response:
    body = Problem(
        type=f"urn:halftone:problem:{kind}",
        title=_TITLES.get(status, "Refused"),
        status=status,
        detail=_sayable(detail),
        **known,
    )
    return Response(msgspec.json.encode(body), status, dict(headers or {}), PROBLEM)


async def _ours(_: Request, error: Exception) -> Response:
    assert isinstance(error, HalftoneError)  # noqa: S101 - what it was installed for
    return problem(error)


async def _invalid(request: Request, error: Exception) -> Response:
    """The first thing that pydantic refuses; ``field`` is a path such as ``plan.steps.0``."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what it was installed for
    first: Mapping[str, Any] = error.errors()[0]
    where: Sequence[object] = first["loc"]
    field = ".".join(str(step) for step in where[1:]) or str(where[0])
    value = first.get("input")
    if first["type"] == "json_invalid":
        return problem(InvalidInput("body", None, f"JSON: {first['msg']}"))
    if isinstance(value, bytes):
        kind = request.headers.get("content-type")
        return problem(NotJson("content-type", kind, JSON))
    if field == "body" and first["type"] == "missing":
        return problem(InvalidInput("body", None, "a JSON object"))
    expected = _expected_text(field) if first["type"] == _PATTERN else _expected(first["msg"])
    return problem(InvalidInput(_sayable(field), value, expected))


_PATTERN = "string_pattern_mismatch"
_NAME_TEXT = (
    "lower-case letters and digits, parts joined by single hyphens, a letter first, such as fraud-2"
)
_TEXTS: Mapping[str, str] = {
    "rollout": "a rollout's id, such as fraud-0123456789abcdef",
    "deployment": "a deployment's name or the number of its version, such as green or 12",
    "version": "a version's number, a deployment's name, champion or challenger",
    "v": "a version's number, a deployment's name, champion or challenger",
    "digest": "the SHA-256 of the package's zip, 64 hexadecimal digits",
    "halftone-seen": "the champion's version, such as 12, and the id of a running rollout",
    "idempotency-key": "printable ASCII characters without spaces",
    "if-match": 'the ETag as it was answered, such as "12", or *',
    "client": "a client's name or a token's id: letters, digits, hyphens, underscores, dots",
    "principal": "the ARN of an IAM user or role, such as arn:aws:iam::111111111111:role/ann",
}
"""What a text must be that a pattern refuses, by the last part of its field's path."""


def _expected_text(field: str) -> str:
    """What is expected of a text, in words: a regular expression explains nothing."""
    if field.startswith("members."):
        return _TEXTS["principal"]
    return _TEXTS.get(field.rpartition(".")[2].replace("_", "-"), _NAME_TEXT)


def _expected(message: str) -> str:
    """What pydantic expects, as it follows the word "expected"; its own sentence if not known."""
    for pattern, sentence in _SAID.items():
        match = pattern.fullmatch(message)
        if match:
            return match.expand(sentence)
    return message


_SAID = {
    re.compile(r"Input should be (.*)", re.DOTALL): r"\1",
    re.compile(r"(String|List|Dictionary) should have (.*)", re.DOTALL): r"\2",
    re.compile(r"Extra inputs are not permitted"): "no field of that name",
    re.compile(r"Field required"): "a value",
}


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - what it was installed for
    path = shown(request.url.path)
    if error.status_code == 405:
        methods = ", ".join(sorted(_methods(request)))
        fields = {"field": "method", "value": request.method, "expected": methods}
        detail = f"method is {request.method}, {path} has {methods}"
        return _response(405, "no-such-method", detail, {"allow": methods}, **fields)
    if error.status_code == 404:
        detail = f"there is no path {path}: GET /v1/openapi.json lists those there are"
        return _response(404, "no-such-path", detail, field="path", value=path)
    # The one thing that FastAPI refuses by itself: bytes that no decoder takes.
    return problem(InvalidInput("body", None, "JSON in UTF-8, of numbers and depths within reason"))


def _methods(request: Request) -> set[str]:
    """The methods of all routes of a request's path: a router tells of the first one alone."""
    return {
        method
        for route in request.app.routes
        if isinstance(route, Route) and route.path_regex.match(request.url.path)
        for method in route.methods or ()
    }


async def _fault(_: Request, __: Exception) -> Response:
    """No word of the fault gets out: it is in the log, with its trace."""
    return _response(500, "fault", "the log of the control function says what happened")
