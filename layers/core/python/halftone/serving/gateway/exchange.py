"""One request of a client on its way through the frontend, and what it came to."""

import base64
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from halftone.serving.http.request import Request
from halftone.serving.http.response import Exchange, Spoken
from halftone.serving.invocation import Invocation
from halftone.serving.protocols.predictions import answered
from halftone.serving.routing.router import Assignment, Router


@dataclass(slots=True)
class RoutedRequest:
    """Never changed; not frozen only because one is made for each request, at twice the cost.

    ``client`` is the name of who calls a private endpoint. ``arm`` is what the request was
    assigned to by ``router``, and with that by one state of the dispatch, from first to last.
    """

    request: Request
    router: Router
    arm: Assignment
    client: str | None
    invocation: Invocation


_LONGEST_MS = 900_000.0  # Lambda's longest time-out


@dataclass(slots=True)
class Outcome:
    """``payload`` is what the client gets, from ``version``, which took ``latency_ms`` by itself
    and was ``cold`` or not. ``fallback`` is whether it stood in for another. ``exchange`` is there
    where a model answered whose records are known: the front's own, or one that told them.
    """

    payload: dict[str, object]
    status: int
    version: str
    latency_ms: float
    cold: bool
    fallback: bool = False
    exchange: Exchange | None = None

    def body(self) -> str | bytes | None:
        """The body that the client gets."""
        body = self.payload.get("body")
        if not isinstance(body, str):
            return None
        return base64.b64decode(body) if self.payload.get("isBase64Encoded") else body

    def predictions(self, spoken: Spoken) -> object:
        """The predictions in the answer, as JSON values; None where they can't be read."""
        if self.exchange is not None:
            return self.exchange.predictions()
        body = self.body()
        return None if body is None else answered(body, spoken)


@dataclass(frozen=True, slots=True)
class RemoteExchange:
    """An ``Exchange`` of another version, as that one told it."""

    given: object
    found: object

    def instances(self) -> object:
        """See Exchange."""
        return self.given

    def predictions(self) -> object:
        """See Exchange."""
        return self.found

    def output(self, name: str) -> Sequence[object]:
        """See Exchange."""
        found = self.found if isinstance(self.found, list) else [self.found]
        return [record[name] for record in found if isinstance(record, dict) and name in record]


def of_reply(
    reply: Mapping[str, Any], version: str, latency: str, cold: str, records: str
) -> Outcome:
    """The answer of another version, without what it says of it to the front alone: under the
    headers ``latency`` and ``cold`` how long it took and whether it had just started, and beside
    the body under ``records`` what its model was asked and said, where it was asked to tell.
    """
    given = reply.get("headers")
    headers = {**given} if isinstance(given, dict) else {}
    took, started = headers.pop(latency, None), headers.pop(cold, None)
    latency_ms = 0.0
    with contextlib.suppress(TypeError, ValueError):
        said = float(took)
        # What is no number of JSON would make the whole metric line none.
        latency_ms = said if 0 <= said < _LONGEST_MS else 0.0
    own = {**reply, "headers": headers}
    told = own.pop(records, None)
    exchange = None
    if isinstance(told, dict) and told.keys() >= {"instances", "predictions"}:
        exchange = RemoteExchange(told["instances"], told["predictions"])
    return Outcome(
        payload=own,
        status=reply["statusCode"],
        version=version,
        latency_ms=latency_ms,
        cold=started == "1",
        exchange=exchange,
    )
