"""Events of HTTP API (payload format 2.0) in: what a request asks for, in which protocol.

    POST /endpoints/{endpoint}[/versions/{version}]/invocations     a prediction in plain JSON
    GET  /endpoints/{endpoint}                                      what the endpoint serves
    GET  /endpoints/{endpoint}/health, …/openapi.json               of one: ?version= or ?model=
    POST /endpoints/{endpoint}/feedback                             how a prediction turned out
    ANY  /endpoints/{endpoint}/app/…                                the application (flavor asgi)
    POST /v2/models/{endpoint}[/versions/{version}]/infer           a prediction in tensors
    GET  /v2/models/{endpoint}[/versions/{version}][/ready]         Open Inference Protocol
    GET  /v2 or /v2/, /v2/health/live, /v2/health/ready             the same, of the server

HEAD is taken wherever GET is. All of /v2 is also below ``/endpoints/{endpoint}/v2``, for clients
that take a base address. A version in the path, or the header ``x-halftone-deployment``, pins a
request to that deployment. Whatever an event holds, reading it raises nothing but ``Problem``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

from halftone.serving.http.response import Problem, Spoken

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


@dataclass(slots=True)
class Request:
    """A request as the server reads it. Only the front changes one, when it knows who calls.

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
        return asked is _INVOKE or asked is _INFER or asked is _APP


# Python 3.11 reads an enum's member by a call, too.
_INVOKE, _INFER, _APP = Route.INVOKE, Route.INFER, Route.APP


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
    if method not in (http.get("method"), "ANY") and (method, http.get("method")) != _HEAD:
        raise Problem(405, f"use {method}", {"allow": "GET, HEAD" if method == "GET" else method})
    headers, query = _texts(event.get("headers")), event.get("queryStringParameters")
    query = _all_texts(query) if query else {}
    if pin is None:
        pin = headers.get(PIN)
        if query and asked in (Route.HEALTH, Route.OPENAPI, Route.DESCRIBE):
            pin = _named_in(query) or pin
    return Request(asked, pin or None, headers, query, event)


_HEAD = ("GET", "HEAD")


def _named_in(query: Mapping[str, str]) -> str | None:
    """The version or deployment that a query asks about."""
    for name in query:
        if name not in ("version", "model"):
            told = f"there is no query parameter {name[:40]!r}; known: version, model"
            raise Problem(400, told, field=name[:100], value=query[name][:100])
    if len({*query.values()}) > 1:
        raise Problem(400, "version and model name two versions", field="model")
    return next(iter(query.values()), None)


def spoken(event: object) -> Spoken:
    """The protocol of ``event``'s path, be there anything under it or not."""
    path = event.get("rawPath") if isinstance(event, dict) else None
    v2 = isinstance(path, str) and "/v2" in path and _V2.search(path) is not None
    v2 = v2 and _BELOW_APP.search(str(path)) is None
    return Spoken.V2 if v2 else Spoken.PLAIN


_V2 = re.compile(r"/v2(?:/?$|/(?:health|models)(?:/|$))")
_STARTS = re.compile(r"/(?=endpoints/|v2(?:/|$))")
_BELOW_APP = re.compile(r"/endpoints/[^/]+/app(?:$|/)")
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
    "/v2/": ("GET", Route.SERVER),
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
    """A path with a version in it, be there a stage before it or not."""
    e = re.escape(endpoint)
    return re.compile(
        rf"(?:.*(?=/endpoints/{e}(?:/|$))|.*(?=/v2(?:/|$)))?(?P<path>"
        rf"/endpoints/{e}/versions/(?P<v>[^/]+)/invocations"
        rf"|(?:/endpoints/{e})?/v2/models/{e}/versions/(?P<w>[^/]+)(?P<act>/infer|/ready)?)",
        re.DOTALL,
    )


def _other_path(path: str, endpoint: str) -> _Found:
    known = _plain_paths(endpoint)
    _, app, rest = path.partition(f"/endpoints/{endpoint}/app")
    if app and rest[:1] in ("", "/"):
        return "ANY", Route.APP, None  # with whatever follows, be it a /v2 of the application's
    # By its end, because a stage other than $default, or a path of a proxy's, stands before it.
    for start in (one.start() for one in _STARTS.finditer(path)):
        if path[start:] in known:
            return known[path[start:]]
    found = _versioned_path(endpoint).fullmatch(path)
    if found is None:
        raise Problem(404, f"nothing is here; POST to /endpoints/{endpoint}/invocations")
    if found["v"]:
        return "POST", Route.INVOKE, found["v"]
    method, asked = _ROUTES[f"/v2/models/{{e}}{found['act'] or ''}"]
    return method, asked, found["w"]


def headers_of(event: object) -> Mapping[str, str]:
    """The headers of an event of whatever form, names in lower case."""
    return _texts(event.get("headers") if isinstance(event, dict) else None)


def _texts(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict):
        return {}
    try:
        # API Gateway writes texts under names in lower case: then the mapping serves as it is.
        # Joining them is the fastest way to learn that, and lower() a faster one than islower().
        "".join(value.values())
        names = "".join(value)
        if names.lower() == names:
            return value
    except TypeError:
        pass  # a name or a value that is no text; no API Gateway wrote that
    return {
        name.lower(): text
        for name, text in value.items()
        if type(name) is str and type(text) is str
    }


def _all_texts(value: object) -> Mapping[str, str]:
    """Names as they are: those of a query have their case."""
    given = value if isinstance(value, dict) else {}
    return {n: text for n, text in given.items() if type(n) is str and type(text) is str}
