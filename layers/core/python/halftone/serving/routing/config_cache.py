"""The dispatch that a model server knows: read before traffic, and again off the path of requests.

Off that path while there is traffic. A sandbox that nobody asked for ten seconds reads again before
it answers, so that none acts on what was true before it fell asleep: an endpoint made private, a
token revoked, a share put to 0.

A source that fails leaves the last one in place: routing that is old is harmless, and an endpoint
that anybody may call does not fall silent with the table. Not for good, because it may be private
by now: after a quarter of an hour, or from the first request of a sandbox that a snapshot of long
ago became, it is not known who may call. Who may call a private one is another matter from the
start: nobody is let in on what can't be read again.
"""

import time
from collections.abc import Callable
from typing import Any, Protocol

from halftone.domain.endpoint.route_table import DECIDE_SECONDS, OPEN_SECONDS, RouteConfig
from halftone.domain.errors import Unavailable
from halftone.domain.traffic.policy import Access
from halftone.serving.routing.router import Router

REFRESH_SECONDS = 2.0
"""A dispatch older than this is read again after an answer."""

AGAIN_SECONDS = 1.0
"""How long no request waits for a source that has just failed twice in a row."""


class Source(Protocol):
    """Where the dispatch of one endpoint is kept."""

    def read(self) -> RouteConfig:
        """The newest dispatch.

        Raises:
            Unavailable: if the source did not answer, or with something else than a dispatch.
        """
        ...


class Fixed:
    """A source for servers that run by themselves."""

    def __init__(self, dispatch: RouteConfig) -> None:
        self.dispatch = dispatch

    def read(self) -> RouteConfig:
        """See Source."""
        return self.dispatch


class Table:
    """The item that the engine writes with each change of the state. One call: GetItem."""

    def __init__(self, endpoint: str, table: str) -> None:
        self._endpoint = endpoint
        self._table = table
        self._client: Any = None

    def read(self) -> RouteConfig:
        """See Source. An endpoint that was never written has a dispatch without a champion."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        key = {"pk": {"S": f"SERVING#{self._endpoint}"}, "sk": {"S": "DISPATCH"}}
        try:
            if self._client is None:
                self._client = dynamodb_client()
            found = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
            item = found.get("Item")
            return (
                route_config_from_json(item["body"]["S"])
                if item
                else RouteConfig(self._endpoint, 0)
            )
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            raise Unavailable(f"reading the dispatch of {self._endpoint!r}: {code}") from error
        except (BotoCoreError, OSError, KeyError, ValueError) as error:
            what = f"reading the dispatch of {self._endpoint!r}: {type(error).__name__}"
            raise Unavailable(what) from error

    def disconnect(self) -> None:
        """Forget the connections that there were."""
        self._client = None


def route_config_from_json(text: str | bytes) -> RouteConfig:
    """The dispatch as the store wrote it. Fields that this release does not know are left out, and
    missing ones have their defaults: a server runs the code that it was published with.

    Raises:
        ValueError: if it is none.
    """
    # Imported here: a server without a model does without it.
    import msgspec  # noqa: PLC0415

    try:
        return msgspec.json.decode(text, type=RouteConfig)
    except msgspec.DecodeError as error:
        raise ValueError(f"this is no dispatch: {error}") from error


def dynamodb_client() -> Any:
    """A client that waits for a second at most."""
    # Imported when it is needed: before that a server does without AWS altogether.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    # A private endpoint may wait for this: at most two short tries.
    return boto3.client(
        "dynamodb",
        config=Config(connect_timeout=0.5, read_timeout=0.5, retries={"total_max_attempts": 2}),
    )


class RouteConfigCache:
    """The newest dispatch that was read, as the router that follows it. ``clock`` in seconds.

    Wall time, because a clock that only counts up stands still in a sandbox that was frozen. It may
    be set back: what was read in the future is as old as what was read long ago.
    """

    def __init__(self, source: Source, clock: Callable[[], float] = time.time) -> None:
        self._source = source
        self._clock = clock
        self._dispatch: RouteConfig | None = None
        self._read_at = self._tried_at = float("-inf")
        self._router: tuple[RouteConfig, str, Router] | None = None
        self.failures = 0
        """Reads that failed since the last one that did not."""
        self.told: Callable[[Unavailable], object] = lambda _: None
        """Is told of each read that failed."""

    def refresh(self) -> bool:
        """Read again; whether that was possible. What is known stays known if not."""
        at = self._tried_at = self._clock()
        try:
            found = self._source.read()
        except Unavailable as error:
            self.failures += 1
            self.told(error)
            return False
        self.failures = 0
        known = self._dispatch
        # An older one was on its way for longer, unless the table itself went back (a backup).
        if known is None or found.revision >= known.revision or at > self._read_at:
            self._dispatch = found
            self._read_at = at
        return True

    @property
    def stale(self) -> bool:
        """Whether it is time to read again, after an answer. Seldom while that fails, because each
        try keeps the sandbox from its next request; but before a request would have to wait for it.
        """
        if self.failures:
            return self._since(self._tried_at) > DECIDE_SECONDS - REFRESH_SECONDS
        # At every answer: two comparisons take less than two calls.
        return not -REFRESH_SECONDS <= self._clock() - self._read_at <= REFRESH_SECONDS

    @property
    def failing(self) -> bool:
        """Whether the last read failed, no longer ago than ten seconds."""
        return self.failures > 0 and self._since(self._tried_at) <= DECIDE_SECONDS

    @property
    def known(self) -> RouteConfig | None:
        """The newest dispatch that was read, however old; None: none was."""
        return self._dispatch

    @property
    def age_seconds(self) -> float:
        """How long ago that was."""
        return self._since(self._read_at)

    def fresh(self, own: str) -> Router | None:
        """The router of the version ``own``, if it is there and nothing has to be read again."""
        made = self._router
        if made is None or made[0] is not self._dispatch or made[1] != own:
            return None
        age = self._clock() - self._read_at
        return made[2] if -REFRESH_SECONDS <= age <= REFRESH_SECONDS else None

    def latest(self, own: str) -> Router | None:
        """The router of the version ``own`` by what is known now, however old."""
        dispatch = self._dispatch
        if dispatch is None:
            return None
        made = self._router
        if made is None or made[0] is not dispatch or made[1] != own:
            made = self._router = (dispatch, own, Router(dispatch, own))
        return made[2]

    def router(self, own: str) -> Router | None:
        """The router of the version ``own``; None while no dispatch can be read that may decide.

        Reads again first what is too old. Where that fails, nobody is let into a private endpoint
        (a token may have been revoked since); any other goes on for a quarter of an hour, and tries
        no sooner again than ten seconds later, so that clients wait seldom for a table that is
        away.
        """
        if not self._decides():
            if self.failures > 1 and self._since(self._tried_at) <= AGAIN_SECONDS:
                return None
            self.refresh()
            if not self._decides():
                return None
        return self.latest(own)

    def routes_to(self, version: str, revision: int) -> bool:
        """Whether unpinned requests are still sent to ``version`` by its number.

        ``revision`` is that of the dispatch on which one was sent: an older one is read again.
        False if what is known is older than ten seconds, and nothing newer can be read.
        """
        known = self._dispatch
        older = known is None or known.revision < revision
        if older or self._since(self._read_at) > DECIDE_SECONDS:
            if self.failures and self._since(self._tried_at) <= AGAIN_SECONDS:
                return False
            if not self.refresh():
                return False
        return self._dispatch is not None and version in self._dispatch.named

    def _decides(self) -> bool:
        """Whether what is known may decide, or nothing better can be had now."""
        dispatch, age = self._dispatch, self._since(self._read_at)
        if dispatch is None or age > OPEN_SECONDS:
            return False
        public = dispatch.serving.access is not Access.PRIVATE
        return age <= DECIDE_SECONDS or (public and self.failing)

    def _since(self, moment: float) -> float:
        return abs(self._clock() - moment)
