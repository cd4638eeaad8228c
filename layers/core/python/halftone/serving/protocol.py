"""Events of HTTP API (payload format 2.0) in: what a request asks for, in which protocol.

    POST /endpoints/{endpoint}[/versions/{version}]/invocations     a prediction in plain JSON
    GET  /endpoints/{endpoint}                                      what the endpoint serves
    GET  /endpoints/{endpoint}/health, …/openapi.json               of one version: ?version=
    POST /endpoints/{endpoint}/feedback                             how a prediction turned out
    ANY  /endpoints/{endpoint}/app/…                                the application (flavor asgi)
    POST /v2/models/{endpoint}[/versions/{version}]/infer           a prediction in tensors
    GET  /v2/models/{endpoint}[/versions/{version}][/ready]         Open Inference Protocol
    GET  /v2, /v2/health/live, /v2/health/ready                     the same, of the server

All of /v2 is also below ``/endpoints/{endpoint}/v2``, for clients that take a base address. A
version in the path, or the header ``x-halftone-deployment``, pins a request to that deployment.
Whatever an event holds, reading it raises nothing but ``Problem``.
"""

import base64
import json
import re
import zlib
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any, NamedTuple, NoReturn

from halftone.domain.smoke import MARK
from halftone.serving.answers import Problem, Spoken
from halftone.serving.tensors import nested

PIN = "x-halftone-deployment"


class Route(Enum):
    """What a request asks for."""

    INVOKE = "a prediction in plain JSON"
    INFER = "a prediction in tensors"
    DESCRIBE = "what the endpoint serves"
    HEALTH = "how it does"
    OPENAPI = "its OpenAPI document"
    FEEDBACK = "to be told how a prediction turned out"
    APP = "the application"
    MODEL = "the model's metadata"
    MODEL_READY = "whether the model is ready"
    SERVER = "the server's metadata"
    SERVER_LIVE = "whether the server is live"
    SERVER_READY = "whether the server is ready"


class Request(NamedTuple):
    """A request as the server reads it. A tuple, because one is made for each event.

    ``pin`` is the version or the deployment's name that the path or the header asks for. Names of
    ``headers`` are in lower case. Values of ``headers`` and ``query`` are texts. ``event`` is the
    whole of it, for who reads the body.
    """

    route: Route
    pin: str | None
    headers: Mapping[str, str]
    query: Mapping[str, str]
    event: Mapping[str, Any]

    @property
    def spoken(self) -> Spoken:
        """The protocol, which the answer has, too."""
        return spoken(self.event)

    @property
    def predicts(self) -> bool:
        """Whether it asks the model itself: what is routed, counted and judged."""
        # By identity: an enum's members hash by a call into Python.
        asked = self.route
        return asked is Route.INVOKE or asked is Route.INFER or asked is Route.APP


def route(event: object, endpoint: str) -> Request:
    """What ``event`` asks of ``endpoint``.

    Raises:
        Problem: 404 for another path, 405 for another method, 400 for no HTTP API event at all.
    """
    context = event.get("requestContext") if isinstance(event, dict) else None
    http = context.get("http") if isinstance(context, dict) else None
    path = event.get("rawPath") if isinstance(event, dict) else None
    if not isinstance(http, dict) or not isinstance(path, str) or not isinstance(event, dict):
        raise Problem(400, "this is no request of an HTTP API (payload format 2.0)")
    found = _plain_paths(endpoint).get(path)
    method, asked, pin = found or _other_path(path, endpoint)
    if method not in (http.get("method"), "ANY"):
        raise Problem(405, f"use {method}", {"allow": method})
    headers, query = _texts(event.get("headers")), event.get("queryStringParameters")
    query = _all_texts(query) if query else {}
    if pin is None:
        pin = headers.get(PIN)
        if asked in (Route.HEALTH, Route.OPENAPI, Route.DESCRIBE):
            pin = query.get("version", pin)
    return Request(asked, pin or None, headers, query, event)


def spoken(event: object) -> Spoken:
    """The protocol of ``event``'s path, be there anything under it or not."""
    path = event.get("rawPath") if isinstance(event, dict) else None
    v2 = isinstance(path, str) and "/v2" in path and _V2.search(path) is not None
    return Spoken.V2 if v2 else Spoken.PLAIN


_V2 = re.compile(r"/v2(?:$|/(?:health|models)(?:/|$))")
_ROUTES: Mapping[str, tuple[str, Route]] = {
    "/endpoints/{e}/invocations": ("POST", Route.INVOKE),
    "/endpoints/{e}": ("GET", Route.DESCRIBE),
    "/endpoints/{e}/health": ("GET", Route.HEALTH),
    "/endpoints/{e}/openapi.json": ("GET", Route.OPENAPI),
    "/endpoints/{e}/feedback": ("POST", Route.FEEDBACK),
    "/v2/models/{e}/infer": ("POST", Route.INFER),
    "/v2/models/{e}": ("GET", Route.MODEL),
    "/v2/models/{e}/ready": ("GET", Route.MODEL_READY),
    "/v2": ("GET", Route.SERVER),
    "/v2/health/live": ("GET", Route.SERVER_LIVE),
    "/v2/health/ready": ("GET", Route.SERVER_READY),
}
_Found = tuple[str, Route, str | None]


@cache
def _plain_paths(endpoint: str) -> Mapping[str, _Found]:
    """Every path without a parameter in it, so that most requests are one look-up."""
    paths: dict[str, _Found] = {}
    for pattern, (method, asked) in _ROUTES.items():
        path = pattern.replace("{e}", endpoint)
        paths[path] = (method, asked, None)
        if path.startswith("/v2"):
            paths[f"/endpoints/{endpoint}{path}"] = (method, asked, None)
    return paths


@cache
def _versioned_path(endpoint: str) -> re.Pattern[str]:
    """A path with a stage before it, a version in it, or the application's own after it."""
    e = re.escape(endpoint)
    return re.compile(
        rf"(?:.*(?=/endpoints/{e}(?:/|$))|.*(?=/v2(?:/|$)))?(?P<path>"
        rf"/endpoints/{e}(?:/versions/(?P<v>[^/]+)/invocations|/app(?P<app>/.*)?)"
        rf"|(?:/endpoints/{e})?/v2/models/{e}/versions/(?P<w>[^/]+)(?P<act>/infer|/ready)?)",
        re.DOTALL,
    )


def _other_path(path: str, endpoint: str) -> _Found:
    known = _plain_paths(endpoint)
    # By its end, because a stage other than $default stands before it.
    for start in (path.find(f"/endpoints/{endpoint}"), path.find("/v2")):
        if start > 0 and path[start:] in known:
            return known[path[start:]]
    found = _versioned_path(endpoint).fullmatch(path)
    if found is None:
        raise Problem(404, f"nothing is here; POST to /endpoints/{endpoint}/invocations")
    if found["v"]:
        return "POST", Route.INVOKE, found["v"]
    if found["w"]:
        method, asked = _ROUTES[f"/v2/models/{{e}}{found['act'] or ''}"]
        return method, asked, found["w"]
    return "ANY", Route.APP, None


_STR = {str}


def _texts(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict):
        return {}
    try:
        # API Gateway writes names in lower case: then the mapping serves as it is.
        if "".join(value).islower() and set(map(type, value.values())) == _STR:
            return value
    except TypeError:
        pass  # a name that is no text; no API Gateway wrote that
    return {
        name.lower(): text
        for name, text in value.items()
        if type(name) is str and type(text) is str
    }


def _all_texts(value: object) -> Mapping[str, str]:
    """Names as they are: those of a query have their case."""
    given = value if isinstance(value, dict) else {}
    return {n: text for n, text in given.items() if type(n) is str and type(text) is str}


def is_smoke(event: object) -> bool:
    """Whether ``event`` is of the engine's smoke test. API Gateway writes that context itself."""
    context = event.get("requestContext") if isinstance(event, dict) else None
    return isinstance(context, dict) and context.get("halftone") == MARK


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
    if encoding == "identity":
        return data
    if encoding not in ("gzip", "deflate"):
        given = encoding[:40]
        raise Problem(415, f"content-encoding is {given!r}, expected gzip, deflate or identity")
    # 32: the header says whether it is gzip's or zlib's. Never more is unpacked than may be sent.
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        found = unpacker.decompress(data.encode() if isinstance(data, str) else data, max_body + 1)
    except (zlib.error, ValueError) as error:
        raise Problem(400, f"the body is no {encoding}: {error}", field="body") from None
    if len(found) > max_body:
        raise Problem(413, f"the body unpacks to more than {max_body} bytes", field="body")
    if not unpacker.eof:
        raise Problem(400, f"the body is no {encoding}: it ends too early", field="body")
    return found


def bytes_of(event: Mapping[str, Any], max_body: int) -> bytes:
    """The body as it was sent, which may be none at all.

    Raises:
        Problem: 413 for more than ``max_body`` bytes, 400 for broken base64.
    """
    if not event.get("body"):
        return b""
    body = body_of(event, max_body)
    return body if isinstance(body, bytes) else body.encode()


def json_of(body: str | bytes) -> object:
    """The JSON value in ``body``.

    Raises:
        Problem: 400 if there is none.
    """
    try:
        text = body if isinstance(body, str) else body.decode()
    except ValueError as error:
        raise Problem(400, f"the body is no text: {error}", field="body") from None
    try:
        value: object = _DECODER.decode(text)
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
    return json_of(body_of(request.event, max_body, request.headers.get("content-encoding")))


def answered(body: str | bytes, spoken: Spoken) -> object:
    """The predictions in a body that another version answered, in the form of
    ``Exchange.predictions``; None if there are none to read.
    """
    try:
        value = json_of(body)
    except Problem:
        return None
    if not isinstance(value, dict):
        return value if spoken is Spoken.PLAIN else None
    return value.get("predictions") if spoken is Spoken.PLAIN else _records_in(value)


def _records_in(value: dict[str, Any]) -> object:
    """The records in an answer of the Open Inference Protocol, unless a tensor stands in bytes."""
    outputs = value.get("outputs")
    columns: dict[str, list[Any]] = {}
    for output in outputs if isinstance(outputs, list) else ():
        data, shape = output.get("data"), output.get("shape", [])
        if not isinstance(data, list):
            return None
        columns[output["name"]] = nested(data, shape)
    return [dict(zip(columns, row, strict=False)) for row in zip(*columns.values(), strict=False)]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
