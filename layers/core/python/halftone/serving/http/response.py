"""Answers of the model server: their status, body and form, in the protocol of the request.

A plain request that can't be answered gets a problem (RFC 9457) that says what was wrong, with
``field`` and ``value`` where the input was; one of the Open Inference Protocol gets that protocol's
``{"error": …}``, with the same text and status.
"""

import base64
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from halftone.domain.errors import InvalidInput, shown_in_errors

JSON = "application/json"
_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    421: "Misdirected Request",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class Spoken(Enum):
    """The protocol that a client speaks."""

    PLAIN = "plain JSON"
    V2 = "Open Inference Protocol v2"


class Exchange(Protocol):
    """What a model was asked and what it said, whatever the protocol. All of it is made only when
    it is asked for, so that a request pays nothing for what nobody reads.
    """

    def instances(self) -> object:
        """The records that went in (a list of dicts of JSON values), or the free JSON value."""
        ...

    def predictions(self) -> object:
        """The records that came out, as many, or the free JSON value."""
        ...

    def output(self, name: str) -> Sequence[object]:
        """The values of the output field ``name``, one for each record; empty if there is none."""
        ...


@dataclass(slots=True)
class Response:
    """One answer. A body of bytes is sent as such. ``exchange`` is set where a model answered."""

    status: int
    body: str | bytes
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Sequence[str] = ()
    exchange: Exchange | None = None


class Problem(Exception):
    """An answer that is not a prediction. ``members`` go into the body beside the detail."""

    def __init__(
        self,
        status: int,
        detail: str,
        headers: Mapping[str, str] | None = None,
        **members: object,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}
        self.members = members

    @classmethod
    def of_input(cls, error: InvalidInput) -> "Problem":
        """The problem that a value of the request is."""
        value, text = error.value, _in_json(error.value)
        if not isinstance(value, bool | int | float | str | None) or len(text) > 100:
            value = _short(text, 100)
        elif isinstance(value, float) and not math.isfinite(value):
            value = text  # JSON has no infinity to say it with
        # A field may be a name that the client made up, of any length.
        field = _short(error.field, 300)
        detail = f"{field} is {_short(text, 120)}, expected {error.expected}"
        return cls(422, _short(detail, 2000), field=field, value=value)

    def to_response(self, spoken: Spoken = Spoken.PLAIN) -> Response:
        """This problem as a client reads it, in at most 4 KB: it may quote what was sent."""
        detail = _within(self.detail, _MOST_DETAIL)
        if spoken is Spoken.V2:
            # That protocol has one status for all that can't be read.
            status = 400 if self.status == 422 else self.status
            return Response(status, _encode({"error": detail}), headers=self.headers)
        title = _TITLES[self.status]
        members = {
            name: _within(value, _MOST_MEMBER) if isinstance(value, str) else value
            for name, value in self.members.items()
        }
        body = {"title": title, "status": self.status, "detail": detail, **members}
        return Response(self.status, _encode(body), "application/problem+json", self.headers)


def _in_json(value: object) -> str:
    """``value`` in the words of JSON, which knows null and true; texts and numbers as Python has
    them.
    """
    if value is None or isinstance(value, bool | dict | list):
        try:
            return json.dumps(value, ensure_ascii=False)
        except (ValueError, TypeError, RecursionError):
            pass
    return shown_in_errors(value)


_MOST_DETAIL, _MOST_MEMBER = 2500, 500


def _within(text: str, most: int) -> str:
    """``text`` in about ``most`` bytes of JSON, in which a character may have twelve."""
    size = len(_encode(text))
    if size <= most:
        return text
    return f"{text[: len(text) * most // size]}..."


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


class ModelFault(Exception):
    """The model raised, or its answer does not fit its own signature; the cause says which."""


def to_lambda(answer: Response, *, request_id: str, version: str) -> dict[str, object]:
    """``answer`` as API Gateway takes it from a function (payload format 2.0)."""
    body, binary = answer.body, False
    if isinstance(body, bytes):
        body, binary = base64.b64encode(body).decode(), True
    headers = {
        "content-type": answer.content_type,
        "x-request-id": request_id,
        "x-halftone-version": version,
    }
    if answer.headers:
        # An application may have headers of these names; what tells who answered is the server's.
        headers = {**answer.headers, **headers}
    made = {
        "statusCode": answer.status,
        "headers": headers,
        "body": body,
        "isBase64Encoded": binary,
    }
    if answer.cookies:
        made["cookies"] = list(answer.cookies)
    return made


def is_status(value: int) -> bool:
    """Whether a final answer of HTTP can have that status."""
    return 200 <= value <= 599


def as_json(value: object) -> str:
    """``value`` as compact JSON.

    Raises:
        ValueError, TypeError, RecursionError: if it is no JSON value.
    """
    return _encode(value)
