"""Events of HTTP API (payload format 2.0) in, answers out: the plain JSON protocol.

    POST /endpoints/{endpoint}/invocations   {"instances": [{field: value, …}, …]}
                                             -> 200 {"predictions": [{field: value, …}, …]}
    GET  /endpoints/{endpoint}               -> 200 what the endpoint serves, and its signature

Everything else is a problem (RFC 9457) that says what was wrong, with ``field`` and ``value`` where
the input was. Whatever an event holds, reading it raises nothing but ``Problem``.
"""

import base64
import json
import math
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NoReturn

from halftone.domain.errors import InvalidInput
from halftone.domain.signature import Field, read_records
from halftone.domain.smoke import MARK

_TITLES = {
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    422: "Unprocessable Content",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class Problem(Exception):
    """An answer that is not a prediction. ``members`` go into the body beside the detail."""

    def __init__(self, status: int, detail: str, **members: object) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.members = members
        self.headers: Mapping[str, str] = {}

    @classmethod
    def of_input(cls, error: InvalidInput) -> "Problem":
        """The problem that a value of the request is."""
        value = error.value
        if not isinstance(value, bool | int | float | str | None) or len(str(value)) > 100:
            text = repr(value)
            value = text if len(text) <= 100 else f"{text[:97]}..."
        elif isinstance(value, float) and not math.isfinite(value):
            value = repr(value)  # JSON has no infinity to say it with
        return cls(422, str(error), field=error.field, value=value)

    def body(self) -> str:
        """The problem as JSON."""
        title = _TITLES[self.status]
        return _encode(
            {"title": title, "status": self.status, "detail": self.detail, **self.members}
        )


class Route(Enum):
    """What a request asks for."""

    INVOKE = "POST"
    DESCRIBE = "GET"


def route(event: object, endpoint: str) -> Route:
    """What ``event`` asks of ``endpoint``.

    Raises:
        Problem: 404 for another path, 405 for another method, 400 for no HTTP API event at all.
    """
    context = event.get("requestContext") if isinstance(event, dict) else None
    http = context.get("http") if isinstance(context, dict) else None
    path = event.get("rawPath") if isinstance(event, dict) else None
    if not isinstance(http, dict) or not isinstance(path, str):
        raise Problem(400, "this is no request of an HTTP API (payload format 2.0)")
    # By its end, because a stage other than $default stands before it.
    if path.endswith(f"/endpoints/{endpoint}/invocations"):
        found = Route.INVOKE
    elif path.endswith(f"/endpoints/{endpoint}"):
        found = Route.DESCRIBE
    else:
        raise Problem(404, f"nothing is here; POST to /endpoints/{endpoint}/invocations")
    if http.get("method") != found.value:
        problem = Problem(405, f"use {found.value}")
        problem.headers = {"allow": found.value}
        raise problem
    return found


def is_smoke(event: object) -> bool:
    """Whether ``event`` is of the engine's smoke test. API Gateway writes that context itself."""
    context = event.get("requestContext") if isinstance(event, dict) else None
    return isinstance(context, dict) and context.get("halftone") == MARK


def read_instances(
    event: object, inputs: Sequence[Field], max_body: int
) -> list[dict[str, object]]:
    """The records in the body, which is at most ``max_body`` bytes and fits the signature.

    Raises:
        Problem: 413, 400 for a body that is no JSON, 422 for JSON that does not fit.
    """
    text = _text(event, max_body)
    try:
        return read_records("instances", inputs, _instances(text))
    except InvalidInput as error:
        raise Problem.of_input(error) from None
    except RecursionError:
        # Met by the decoder, or a little later by whoever shows the value in an error.
        raise Problem(400, "the body is nested too deeply", field="body") from None


def _instances(text: str) -> object:
    try:
        body = _DECODER.decode(text)
    except ValueError as error:
        raise Problem(400, f"the body is no JSON: {error}", field="body", value=text[:40]) from None
    if not isinstance(body, dict) or "instances" not in body:
        raise InvalidInput("body", body, 'an object such as {"instances": [{…}]}')
    for name, value in body.items():
        if name != "instances":
            raise InvalidInput(name, value, "no such field; known: instances")
    return body["instances"]


def answer(
    status: int, body: str, *, request_id: str, version: str, headers: Mapping[str, str]
) -> dict[str, object]:
    """An answer for API Gateway; a status of 400 and above is a problem."""
    return {
        "statusCode": status,
        "headers": {
            "content-type": "application/json" if status < 400 else "application/problem+json",
            "x-request-id": request_id,
            "x-halftone-version": version,
            **headers,
        },
        "body": body,
        "isBase64Encoded": False,
    }


def as_json(value: object) -> str:
    """``value`` as compact JSON."""
    return _encode(value)


def _text(event: object, max_body: int) -> str:
    body = event.get("body") if isinstance(event, dict) else None
    if not isinstance(body, str) or not body:
        raise Problem(400, 'there is no body, expected {"instances": [{…}]}', field="body")
    try:
        if isinstance(event, dict) and event.get("isBase64Encoded"):
            data = base64.b64decode(body, validate=True)
            size, text = len(data), data.decode()
        else:
            size, text = len(body) if body.isascii() else len(body.encode()), body
    except ValueError as error:  # binascii's and Unicode's errors are among them
        raise Problem(400, f"the body is no text: {error}", field="body") from None
    if size > max_body:
        raise Problem(413, f"the body has {size} bytes, expected at most {max_body}", field="body")
    return text


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
