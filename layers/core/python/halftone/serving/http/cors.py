"""Cross-origin requests: what a browser asks before it calls an endpoint, and what it must read in
each answer to show it to a page of another origin.

Source: the Fetch standard, "CORS protocol", https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from collections.abc import Mapping
from functools import lru_cache

from halftone.domain.traffic.policy import Cors
from halftone.serving.http.request import PIN
from halftone.serving.http.response import Problem, Response

ASKED = "access-control-request-method"
_ORIGIN, _ALLOWED = "origin", "access-control-allow-origin"
_HEADERS = (
    "authorization",
    "content-type",
    "content-encoding",
    "inference-header-content-length",
    PIN,
)
"""What clients may send anyway: the headers that the model server itself reads."""

_EXPOSED = "x-request-id, x-halftone-version, inference-header-content-length"


class CrossOrigin:
    """The setting ``cors`` of an endpoint in force."""

    def __init__(self, cors: Cors) -> None:
        self._origins = frozenset(cors.origins)
        self._all = "*" in self._origins
        self._headers = ", ".join(dict.fromkeys((*_HEADERS, *cors.headers)))
        self._max_age = str(int(cors.max_age.total_seconds()))

    def preflight(self, headers: Mapping[str, str], method: str) -> Response:
        """The answer to a preflight, which carries no credentials and asks no model. ``method`` is
        what the path takes.

        Raises:
            Problem: 403 for an origin that may not call.
        """
        if not self._admits(headers):
            told = "pages of this origin may not call this endpoint: cors.origins does not name it"
            raise Problem(403, told, field="origin", value=headers[_ORIGIN][:300])
        return Response(
            204,
            "",
            headers={
                "access-control-allow-methods": method,
                "access-control-allow-headers": self._headers,
                "access-control-max-age": self._max_age,
            },
        )

    def mark(self, payload: dict[str, object], headers: Mapping[str, str]) -> dict[str, object]:
        """An answer as API Gateway takes it, so that a page of an origin that may call can read it,
        be it an error. The request had ``headers``.
        """
        given = payload.get("headers")
        own = {
            name: value
            for name, value in (given.items() if isinstance(given, dict) else ())
            if name.lower() != _ALLOWED
        }
        if not self._all:
            varied = next((own.pop(name) for name in [*own] if name.lower() == "vary"), "")
            own["vary"] = f"{varied}, Origin" if varied else "Origin"
        if self._admits(headers):
            own[_ALLOWED] = "*" if self._all else headers[_ORIGIN]
            own["access-control-expose-headers"] = _EXPOSED
        return {**payload, "headers": own}

    def _admits(self, headers: Mapping[str, str]) -> bool:
        origin = headers.get(_ORIGIN)
        return origin is not None and (self._all or origin in self._origins)


@lru_cache(maxsize=8)
def cross_origin_of(cors: Cors) -> CrossOrigin:
    """That setting in force. Made once for all requests that meet it."""
    return CrossOrigin(cors)


def is_preflight(method: object, headers: Mapping[str, str]) -> bool:
    """Whether a request is one of a browser's before another."""
    return method == "OPTIONS" and ASKED in headers and _ORIGIN in headers
