"""Work that is done after an answer: what the client need not wait for.

On Lambda a sandbox is frozen when its handler has returned and every extension has asked for the
next event. So the server registers an internal extension: the client has its answer as soon as the
handler returns, and the sandbox stays awake until the extension asks again. "Using the Lambda
Extensions API", https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
Elsewhere nothing is frozen, and the same thread works without asking.

A snapshot (SnapStart) is taken while the extension waits for its first event; the runtime it talks
to is in the snapshot, too, so that it goes on waiting after the restore.
"""

import contextlib
import http.client
import json
import socket
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

MOST = 64
"""Pieces of work that may wait; what comes on top is dropped and counted."""

_NAME = "halftone-afterwards"
_GIVE_WAY_SECONDS = 0.002

Work = Callable[[], object]


class BackgroundTasks(Protocol):
    """Takes work during a request, and does it after the answer."""

    def add(self, work: Work) -> bool:
        """Take ``work``; False if too much is waiting already, and then it is dropped."""
        ...

    def answered(self) -> None:
        """The answer is made. Called exactly once a request, as the last thing."""
        ...


class AtOnce:
    """Does the work when the answer is made: for tests, and for servers without threads."""

    def __init__(self) -> None:
        self._waiting: deque[Work] = deque()
        self.dropped = 0

    def add(self, work: Work) -> bool:
        """See BackgroundTasks."""
        if len(self._waiting) >= MOST:
            self.dropped += 1
            return False
        self._waiting.append(work)
        return True

    def answered(self) -> None:
        """See BackgroundTasks."""
        while self._waiting:
            _do(self._waiting.popleft())


class Thread(AtOnce):
    """Does the work in a thread of its own, while the server may answer the next request."""

    def __init__(self) -> None:
        super().__init__()
        self._ready = threading.Semaphore(0)
        self._started = False

    def answered(self) -> None:
        """See BackgroundTasks."""
        if not self._waiting:
            return
        if not self._started:
            self._started = True
            threading.Thread(target=self._loop, name=_NAME, daemon=True).start()
        self._ready.release()

    def _loop(self) -> None:
        while True:
            self._ready.acquire()
            self._drain()

    def _drain(self) -> None:
        if not self._waiting:
            return
        # The thread that answers still has to hand the answer over, and they share one lock.
        threading.Event().wait(_GIVE_WAY_SECONDS)
        while self._waiting:
            _do(self._waiting.popleft())


class Extension(Thread):
    """The same as an internal extension of Lambda, which keeps the sandbox awake meanwhile."""

    def __init__(self, runtime_api: str) -> None:
        """Register at ``runtime_api`` (host:port): only before the runtime takes its first event.

        Raises:
            OSError: if that is not possible (``http.client``'s errors are turned into it).
        """
        super().__init__()
        self._api = http.client.HTTPConnection(runtime_api)
        body = json.dumps({"events": ["INVOKE"]})
        headers = {"Lambda-Extension-Name": _NAME, "content-type": "application/json"}
        try:
            identifier = self._ask("POST", "/2020-01-01/extension/register", body, headers)
        except OSError:
            self._api.close()
            raise
        self._headers = {"Lambda-Extension-Identifier": identifier}
        threading.Thread(target=self._events, name=_NAME, daemon=True).start()

    def answered(self) -> None:
        """See BackgroundTasks."""
        self._ready.release()

    def _events(self) -> None:
        try:
            while True:
                self._api.request("GET", "/2020-01-01/extension/event/next", headers=self._headers)
                # An event comes as a request begins. Reading it would take time from that request,
                # so that it is left in the socket until the answer is made.
                self._api.sock.recv(1, socket.MSG_PEEK)
                self._ready.acquire()
                self._taken()
                self._drain()
        except (OSError, http.client.HTTPException):
            # Without events there is still a thread: frozen now and then, but it loses nothing.
            self._loop()

    def _taken(self) -> None:
        answer = self._api.getresponse()
        answer.read()
        if answer.status != 200:
            raise http.client.HTTPException(f"the runtime answered {answer.status}")

    def _ask(self, method: str, path: str, body: str, headers: Mapping[str, str]) -> str:
        try:
            self._api.request(method, path, body, dict(headers))
            answer = self._api.getresponse()
            answer.read()
        except http.client.HTTPException as error:
            raise OSError(f"the runtime did not answer {path}: {error}") from error
        identifier = answer.getheader("Lambda-Extension-Identifier")
        if answer.status != 200 or not identifier:
            raise OSError(f"the runtime answered {answer.status} to {path}")
        return identifier


def background_tasks(runtime_api: str | None) -> BackgroundTasks:
    """The extension where there is a runtime to register at (host:port), else a thread."""
    if runtime_api:
        try:
            return Extension(runtime_api)
        except OSError:
            pass
    return Thread()


def _do(work: Work) -> None:
    # No request is near, and the next piece must be done: who adds work reports its own faults.
    with contextlib.suppress(Exception):
        work()
