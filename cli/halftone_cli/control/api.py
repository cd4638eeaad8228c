"""The control API as the command speaks to it: requests, repetitions, errors.

It knows the API's conventions and none of its resources: what a verb sends and prints stands in the
verb's own module. How bytes travel is the ``Send`` that is handed in: signed over HTTP
(``signing``), or straight into the app in tests.

Every POST carries an Idempotency-Key, the same each time it is sent, so that it may be sent again
whatever became of it. An edit (PUT, PATCH) presents the ETag that was read; it is sent again only
where the API says that nothing was written.
"""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from halftone.domain.errors import HalftoneError, Unavailable
from halftone_cli.control.problems import error_of

ATTEMPTS = 4
LONGEST_WAIT = 10.0
"""Seconds. An API that asks for more patience than that is told to be out."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """One HTTP request; ``path`` begins with ``/v1`` and holds the query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What came back; the names of ``headers`` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, which must be JSON; None if there is none."""
        try:
            return json.loads(self.body) if self.body else None
        except (ValueError, RecursionError) as error:
            raise Unavailable(f"the control API answered {self.status} without JSON") from error

    @property
    def etag(self) -> str:
        """What an edit presents as If-Match."""
        return self.headers.get("etag", "*")


Send = Callable[[Request], Reply]
"""One request and its answer, tried once. Raises Unavailable if no answer comes."""

Upload = Callable[[str, Mapping[str, str], bytes], None]
"""A PUT of bytes to a URL that says itself who may. Raises Unavailable if it is not taken."""


@dataclass(frozen=True)
class ControlApi:
    """The control API of one stage.

    ``key`` names the run of the command that changes something; ``open`` are the methods of
    the changes that were sent and not answered, ``done`` those that were.
    """

    send: Send
    sleep: Callable[[float], None] = time.sleep
    key: str = field(default_factory=lambda: f"cli-{uuid.uuid4().hex}")
    open: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    def get(self, path: str, **query: object) -> Json:
        """The resource at ``path``; a parameter that is None is left out."""
        resource: Json = self.read(path, **query).json
        return resource

    def read(self, path: str, **query: object) -> Reply:
        """The same, with its headers."""
        return self._ask("GET", path, query=query)

    def items(self, path: str, **query: object) -> Iterator[Json]:
        """All items of a listing, page by page."""
        cursor = None
        while True:
            page = self.get(path, cursor=cursor, **query)
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    def post(
        self,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        part: str = "",
        changes: bool = True,
        seen: str | None = None,
    ) -> Reply:
        """Carry out what ``path`` stands for, once however often the command is run with its key.

        ``part`` tells the POSTs of one run apart; not each of them ``changes`` something. ``seen``
        is what the command was decided on: a champion's version, and a rollout's id.
        """
        key = f"{self.key}-{part}" if part else self.key
        headers = {"idempotency-key": key} | ({} if seen is None else {"halftone-seen": seen})
        with self._underway("POST" if changes else None):
            return self._ask("POST", path, body or {}, headers)

    def put(self, path: str, body: Mapping[str, object], *, etag: str) -> Reply:
        """Put ``body`` in the place of what was read with ``etag``."""
        with self._underway("PUT"):
            return self._ask("PUT", path, body, {"if-match": etag})

    def patch(self, path: str, body: Mapping[str, object], *, etag: str) -> Reply:
        """Change fields of what was read with ``etag``."""
        with self._underway("PATCH"):
            return self._ask("PATCH", path, body, {"if-match": etag})

    def delete(self, path: str, **query: object) -> Reply:
        """Delete what ``path`` names; saying it again says the same."""
        with self._underway("DELETE"):
            return self._ask("DELETE", path, query=query)

    @contextmanager
    def _underway(self, method: str | None) -> Iterator[None]:
        """Keep note of a change until it is answered, or told to have failed."""
        if method is None:
            yield
            return
        self.open.append(method)
        try:
            yield
        except HalftoneError:
            self.open.pop()
            raise
        self.done.append(self.open.pop())

    def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        query: Mapping[str, object] | None = None,
    ) -> Reply:
        parameters = {
            name: _word(value) for name, value in (query or {}).items() if value is not None
        }
        request = Request(
            method=method,
            path=f"/v1{path}" + (f"?{urlencode(parameters)}" if parameters else ""),
            headers={"content-type": "application/json", **(headers or {})},
            body=b"" if body is None else json.dumps(body).encode(),
        )
        for attempt in range(1, ATTEMPTS + 1):
            reply, error = self._try(request)
            wait = _wait(method, reply, attempt)
            if error is None and reply is not None:
                return reply
            if wait is None or attempt == ATTEMPTS:
                break
            self.sleep(wait)
        assert error is not None  # noqa: S101 - else it was answered above
        raise error

    def _try(self, request: Request) -> tuple[Reply | None, HalftoneError | None]:
        try:
            reply = self.send(request)
        except Unavailable as error:
            return None, error
        return reply, None if reply.status < 400 else error_of(reply.status, reply.body)


def _wait(method: str, reply: Reply | None, attempt: int) -> float | None:
    """Seconds until the request is sent again; None if it must not be, or would be in vain."""
    retry_after = reply.headers.get("retry-after", "") if reply else ""
    throttled = reply is not None and reply.status == 429
    repeatable = method not in ("PUT", "PATCH") and (reply is None or reply.status == 503)
    if not (throttled or repeatable or retry_after):
        return None
    seconds = float(retry_after) if retry_after.isdecimal() else 0.25 * 2**attempt
    return seconds if seconds <= LONGEST_WAIT else None


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
