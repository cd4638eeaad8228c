"""Bodies of HTTP API events: from what API Gateway hands over to text, bytes or a JSON value.

API Gateway hands over a body as text, or in base64 where it was binary to it; a client may have
compressed it. Whatever a body holds, reading it raises nothing but ``Problem``.
"""

import base64
import json
import math
import zlib
from collections.abc import Mapping
from typing import Any, NoReturn

from halftone.serving.http.request import Request
from halftone.serving.http.response import Problem

_GZIP = b"\x1f\x8b"


def body_of(event: Mapping[str, Any], max_body: int, encoding: str | None = None) -> str | bytes:
    """The body as API Gateway hands it over: text, or bytes where it was binary to it. ``encoding``
    is the request's content-encoding: what is compressed is unpacked.

    Raises:
        Problem: 413 for more than ``max_body`` bytes, 400 for none or for broken base64, 415 for
            an encoding that is not known.
    """
    body = event.get("body")
    if not isinstance(body, str) or not body:
        raise Problem(400, "there is no body", field="body")
    try:
        if event.get("isBase64Encoded"):
            data: str | bytes = base64.b64decode(body, validate=True)
            size = len(data)
        else:
            data, size = body, len(body) if body.isascii() else len(body.encode())
    except ValueError as error:  # binascii's and Unicode's errors are among them
        raise Problem(400, f"the body is no text: {error}", field="body") from None
    if size > max_body:
        raise Problem(413, f"the body has {size} bytes, expected at most {max_body}", field="body")
    return data if encoding is None else _unpacked(data, encoding, max_body)


def _unpacked(data: str | bytes, encoding: str, max_body: int) -> str | bytes:
    coding = encoding.strip().lower().removeprefix("x-")  # RFC 9110, 8.4.1: x-gzip is gzip
    if coding in ("", "identity"):
        return data
    if coding not in ("gzip", "deflate"):
        given = encoding[:40]
        raise Problem(415, f"content-encoding is {given!r}, expected gzip, deflate or identity")
    unpacked, rest = b"", data.encode(errors="surrogatepass") if isinstance(data, str) else data
    while True:
        # 32: the header says whether it is gzip's or zlib's. No more is unpacked than may be sent.
        unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        try:
            unpacked += unpacker.decompress(rest, max_body + 1 - len(unpacked))
        except zlib.error as error:
            raise Problem(400, f"the body is no {coding}: {error}", field="body") from None
        if len(unpacked) > max_body:
            raise Problem(413, f"the body unpacks to more than {max_body} bytes", field="body")
        if not unpacker.eof:
            raise Problem(400, f"the body is no {coding}: it ends too early", field="body")
        rest = unpacker.unused_data
        if not rest:
            return unpacked
        # A file of gzip's may have several members (RFC 1952, 2.2), one of zlib's has none. What is
        # left is not passed over: the client takes all of it for sent.
        if coding != "gzip" or not rest.startswith(_GZIP):
            raise Problem(400, f"the body is no {coding}: more follows after its end", field="body")


def bytes_of(event: Mapping[str, Any], max_body: int) -> bytes:
    """The body as it was sent, which may be none at all.

    Raises:
        Problem: 413 for more than ``max_body`` bytes, 400 for broken base64.
    """
    if not event.get("body"):
        return b""
    body = body_of(event, max_body)
    return body if isinstance(body, bytes) else body.encode()


def json_of(body: str | bytes, *, finite: bool = False) -> object:
    """The JSON value in ``body``, in which no object has a name twice.

    A number outside the range of float64 is an infinity, which no field of a signature takes; where
    ``finite`` is set, as without a signature, it is refused.

    Raises:
        Problem: 400 if there is none.
    """
    try:
        text = body if isinstance(body, str) else body.decode()
    except ValueError as error:
        raise Problem(400, f"the body is no text: {error}", field="body") from None
    try:
        # RFC 8259, 8.1: a parser may pass over a byte order mark.
        value: object = (_FINITE if finite else _DECODER).decode(text.removeprefix("\ufeff"))
    except _TwiceError as error:
        told = f"the body has the name {error.name!r} twice in one object"
        raise Problem(400, told, field=error.name, value=error.name) from None
    except ValueError as error:
        raise Problem(400, f"the body is no JSON: {error}", field="body", value=text[:40]) from None
    except RecursionError:
        raise Problem(400, "the body is nested too deeply", field="body") from None
    return value


def read_json(request: Request, max_body: int) -> object:
    """The JSON value in a request's body, whatever the model makes of it.

    Raises:
        Problem: 400 or 413.
    """
    body = body_of(request.event, max_body, request.headers.get("content-encoding"))
    return json_of(body, finite=True)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is outside the range of a number (float64)")
    return number


class _TwiceError(Exception):
    """``name`` stands twice in one object, of which Python would take the last for the only one."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name[:100]


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(next(name for name in names if names.count(name) > 1))
    return found


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_object)
_FINITE = json.JSONDecoder(
    parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_object
)
