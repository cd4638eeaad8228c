"""The hop: a front asks another version of its own function, and never waits longer than it can.

What comes back is an outcome and no exception, because each of them has an answer for the client.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from halftone.serving.http.response import is_status

Event = Mapping[str, Any]
MISDIRECTED = 421
"""The status of a version that was asked in the place of another (RFC 9110: misdirected)."""

LATENCY = "x-halftone-latency-ms"
"""The header in which a version tells the front how long it took; whoever was asked in the place of
another has none."""

HEARD_SECONDS = 5.0
"""How long a late hop is listened to after the front's own answer: a cold start is longer than a
budget, and should be over by then."""

MOST_ASYNC = 250_000
"""Bytes of an asynchronous request: Lambda has taken 256 KB for long, and takes 1 MB by now."""

_MOST_WAITING = 16


class ReplyStatus(Enum):
    """How a hop ended.

    ``ANSWERED``: with an answer, below 500. ``FAULTY``: the version raised, crashed, ran out of
    memory, or answered what is no answer. ``LATE``: not in time. ``MISDIRECTED``: the alias names
    another version by now. ``UNREACHED``: it was not asked at all (throttled, no connection), which
    says nothing of the version.
    """

    ANSWERED = "answered"
    ERROR = "faulty"
    TIMEOUT = "late"
    MISDIRECTED = "stale"
    UNAVAILABLE = "unreached"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a hop brought back. ``why`` names the fault by its type, without a request's data. Of a
    late one, ``rest`` waits for so many seconds more for what it brings after all.
    """

    outcome: ReplyStatus
    answer: dict[str, Any] | None = None
    why: str = ""
    rest: "Callable[[float], Reply] | None" = None


class Upstream(Protocol):
    """The way to other versions of the same function, by a qualifier (alias or version)."""

    def ask(self, qualifier: str, event: Event, seconds: float) -> Reply:
        """The answer of ``via``, waited for no longer than ``seconds``."""
        ...

    def send(self, qualifier: str, event: Event) -> bool:
        """Hand ``event`` to ``via`` without waiting for an answer; whether it was taken."""
        ...

    def prepare(self, seconds: float) -> None:
        """Get ready, off the path of requests, for hops of up to ``seconds``."""
        ...


class NoUpstream:
    """No way to anybody: for a server that runs by itself."""

    def ask(self, qualifier: str, event: Event, seconds: float) -> Reply:
        """See Upstream."""
        del qualifier, event, seconds
        return Reply(ReplyStatus.UNAVAILABLE, why="this server is alone")

    def send(self, qualifier: str, event: Event) -> bool:
        """See Upstream."""
        del qualifier, event
        return False

    def prepare(self, seconds: float) -> None:
        """See Upstream."""


class LambdaUpstream:
    """Lambda's Invoke API, one try each."""

    def __init__(self, function: str) -> None:
        self._function = function
        self._seconds = 0.0
        self._client: Any = None

    def prepare(self, seconds: float) -> None:
        """See Upstream. Makes the client, whose time-outs are those of its whole life."""
        if self._client is not None and self._seconds == seconds:
            return
        import boto3  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        self._client = boto3.client(
            "lambda",
            config=Config(
                connect_timeout=min(1.0, seconds),
                # The front stops waiting by itself; this ends what nobody waits for any more.
                read_timeout=seconds + HEARD_SECONDS + 0.5,
                retries={"total_max_attempts": 1},
                max_pool_connections=_MOST_WAITING,
                tcp_keepalive=True,
            ),
        )
        self._seconds = seconds

    def ask(self, qualifier: str, event: Event, seconds: float) -> Reply:
        """See Upstream."""
        if self._client is None:
            self.prepare(seconds)
        client = self._client
        return watched(lambda: self._invoke(client, qualifier, event), seconds)

    def send(self, qualifier: str, event: Event) -> bool:
        """See Upstream. What is too large for an asynchronous invoke is not taken."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        payload = json.dumps(event, separators=(",", ":")).encode()
        if len(payload) > MOST_ASYNC:
            return False
        if self._client is None:
            self.prepare(1.0)
        try:
            self._client.invoke(
                FunctionName=self._function,
                Qualifier=qualifier,
                InvocationType="Event",
                Payload=payload,
            )
        except (BotoCoreError, ClientError, OSError):
            return False
        return True

    def disconnect(self) -> None:
        """Forget the connections that there were."""
        self._client = None

    def _invoke(self, client: Any, qualifier: str, event: Event) -> Reply:
        from botocore.exceptions import (  # noqa: PLC0415
            BotoCoreError,
            ClientError,
            ReadTimeoutError,
        )

        payload = json.dumps(event, separators=(",", ":")).encode()
        try:
            found = client.invoke(FunctionName=self._function, Qualifier=qualifier, Payload=payload)
            body = found["Payload"].read()
        except ReadTimeoutError:
            return Reply(ReplyStatus.TIMEOUT, why="no answer in time")
        except ClientError as error:
            return Reply(
                ReplyStatus.UNAVAILABLE, why=error.response.get("Error", {}).get("Code", "")
            )
        except (BotoCoreError, OSError) as error:
            return Reply(ReplyStatus.UNAVAILABLE, why=type(error).__name__)
        return reply_of(body, failed=bool(found.get("FunctionError")))


def reply_of(body: bytes, *, failed: bool) -> Reply:
    """What the payload of an Invoke answer means; ``failed`` is whether it has a FunctionError."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if failed:
        # AWS' own names, such as Runtime.ExitError, or the class of what a handler raised.
        kind = answer.get("errorType") if isinstance(answer, dict) else None
        return Reply(ReplyStatus.ERROR, why=str(kind or "the function failed"))
    found = answer if isinstance(answer, dict) else {}
    status, headers = found.get("statusCode"), found.get("headers")
    if type(status) is not int or not is_status(status) or not isinstance(found.get("body"), str):
        return Reply(ReplyStatus.ERROR, why="no answer of HTTP")
    if status == MISDIRECTED and not (isinstance(headers, dict) and LATENCY in headers):
        return Reply(ReplyStatus.MISDIRECTED)
    if status >= 500:
        return Reply(ReplyStatus.ERROR, found, why=f"status {status}")
    return Reply(ReplyStatus.ANSWERED, found)


_waiting = threading.Semaphore(_MOST_WAITING)


def watched(call: Callable[[], Reply], seconds: float) -> Reply:
    """What ``call`` brings back within ``seconds``, else LATE, with what is still to come as its
    ``rest``. It ends by itself, heard or not.

    A client's own time-out counts from its last byte and covers neither a slow name server nor an
    answer that trickles in. So the call has a thread of its own, and who waits keeps the time.
    """
    if seconds <= 0:
        return Reply(ReplyStatus.UNAVAILABLE, why="no time left")
    if not _waiting.acquire(blocking=False):
        return Reply(ReplyStatus.UNAVAILABLE, why="too many unanswered hops")
    box: SimpleQueue[Reply] = SimpleQueue()

    def run() -> None:
        try:
            reply = call()
        except Exception as error:  # noqa: BLE001 - whatever it is, someone waits for a reply
            reply = Reply(ReplyStatus.UNAVAILABLE, why=type(error).__name__)
        finally:
            _waiting.release()
        box.put(reply)

    threading.Thread(target=run, name="halftone-hop", daemon=True).start()

    def wait(at_most: float) -> Reply:
        try:
            return box.get(timeout=max(0.0, at_most))
        except Empty:
            return Reply(ReplyStatus.TIMEOUT, why="no answer in time", rest=wait)

    return wait(seconds)
