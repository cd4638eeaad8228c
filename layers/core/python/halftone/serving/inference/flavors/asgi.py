"""Flavor ``asgi``: a module with an ASGI application named ``app``, such as a FastAPI app.

The app is asked through Mangum, below ``/endpoints/{endpoint}/app``: that is its root path. It is
started once (its lifespan's startup), before traffic, and not again for each request. It sees who
calls in ``X-Forwarded-User``, and never a token of Halftone's.
"""

import asyncio
import atexit
import logging
import re
import threading
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

from mangum import Mangum
from mangum.types import LambdaContext

from halftone.domain.errors import InvalidPackage
from halftone.domain.model.manifest import Manifest
from halftone.serving.http.caller import USER, Context
from halftone.serving.http.response import Problem
from halftone.serving.inference.loader import App, import_private

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Message, Receive, Send], Awaitable[None]]

_BELOW = re.compile(r"(.*?/endpoints/[^/]+/app)(/.*)?", re.DOTALL)
_HOST = re.compile(r"[^:]*(:[0-9]{1,5})?")
_PROTOCOL = {"version": "3.0", "spec_version": "2.0"}

# Mangum tells of every request, and of an app's exception with all that it says.
logging.getLogger("mangum").setLevel(logging.CRITICAL)


def load(folder: Path, manifest: Manifest, digest: str) -> App:
    """The package's app, started.

    Raises:
        InvalidPackage: if there is no ``app`` that can be called.
        Exception: whatever the module raises, or the app when it starts.
    """
    module = import_private(folder, manifest.entry, digest)
    app = getattr(module, "app", None)
    if not callable(app):
        raise InvalidPackage("app", app, "an ASGI application", source=manifest.entry)
    return _Served(app)


class _Served:
    """An app on an event loop of its own, which its connections and locks may be bound to."""

    def __init__(self, app: Asgi) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()
        self._one_at_a_time = threading.Lock()
        self._state: dict[str, Any] = {}
        life: list[asyncio.Task[None]] = []
        # Kept until the process ends, because a loop holds its tasks by weak references alone.
        atexit.register(_close, self._loop, life)
        life.append(self._loop.run_until_complete(_start(app, self._state)))

    def __call__(self, event: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """The app's answer to an HTTP API event.

        Raises:
            Exception: whatever the app raises.
        """
        root, below = _split(event)
        raised: list[Exception] = []

        async def app(scope: Message, receive: Receive, send: Send) -> None:
            # The path stays whole, as the ASGI specification has it: the app takes its root off.
            scope["root_path"] = unquote(root)
            scope["state"] = self._state.copy()
            try:
                await self._app(scope, receive, _in_utf8(send))
            except Exception as error:  # noqa: BLE001  (an app can raise anything)
                # Kept from Mangum, which would make it an answer and a line in the log.
                raised.append(error)
                await _end(send)

        with self._one_at_a_time:
            # Mangum runs on the thread's loop.
            asyncio.set_event_loop(self._loop)
            try:
                # The app finds it as aws.context in its scope; Mangum itself does not look.
                around = cast("LambdaContext", context)
                answer = Mangum(app, lifespan="off")(_clean(event, root + below, context), around)
            except Exception:
                if not raised:
                    raise
        if raised:
            refused = _refusal(raised[0])
            if refused is not None:
                told = "the app refused the request, and failed to say why"
                raise Problem(refused, told) from raised[0]
            raise raised[0]
        return answer


def _refusal(error: BaseException) -> int | None:
    """The status 4xx that an app was about to answer when ``error`` was raised; None if it was not.

    FastAPI's own handler of a request that does not fit, for one, fails where it quotes bytes that
    are no UTF-8. That is the client's request, and no failure of the version.
    """
    cause = error.__context__
    for _ in range(10):
        if cause is None:
            return None
        status = getattr(cause, "status_code", None)
        if type(cause).__name__ == "RequestValidationError":
            return 422
        if isinstance(status, int) and 400 <= status < 500:
            return status
        cause = cause.__context__
    return None


async def _start(app: Asgi, state: dict[str, Any]) -> asyncio.Task[None]:
    """Run the app's startup, and leave its lifespan open."""
    started = asyncio.Event()
    failed: list[str] = []
    given = [{"type": "lifespan.startup"}]

    async def receive() -> Message:
        if not given:
            await asyncio.Event().wait()  # the shutdown, which no sandbox of Lambda's lives to see
        return dict(given.pop())

    async def send(message: Message) -> None:
        if message["type"] == "lifespan.startup.failed":
            failed.append(str(message.get("message", "")))
        started.set()

    async def life() -> None:
        scope = {"type": "lifespan", "asgi": _PROTOCOL, "state": state}
        try:
            await app(scope, receive, send)
        except Exception:
            # By the ASGI specification an app that raises here without a word has no lifespan.
            if failed:
                raise
        finally:
            started.set()

    task = asyncio.get_running_loop().create_task(life())
    await started.wait()
    if failed:
        await task
        raise RuntimeError(f"the app did not start: {failed[0]}")
    return task


async def _end(send: Send) -> None:
    """Complete an answer that the app left open; nobody gets to see it."""
    for message in (
        {"type": "http.response.start", "status": 500, "headers": []},
        {"type": "http.response.body", "body": b""},
    ):
        try:
            await send(message)
        except Exception:  # noqa: BLE001, S112  (this part was sent before)
            continue


def _in_utf8(send: Send) -> Send:
    """``send`` for an app whose headers may be in Latin-1, as Starlette's are; Mangum's are not."""

    async def sends(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = message.get("headers", ())
            message = {**message, "headers": [(name, _utf8(value)) for name, value in given]}
        await send(message)

    return sends


def _utf8(value: bytes) -> bytes:
    try:
        value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1").encode()
    return value


def _split(event: Mapping[str, Any]) -> tuple[str, str]:
    """The app's root path, and the rest of the event's path."""
    path = str(event.get("rawPath", ""))
    found = _BELOW.fullmatch(path)
    return (found[1], found[2] or "/") if found else ("", path or "/")


def _clean(event: Mapping[str, Any], path: str, context: Context) -> dict[str, Any]:
    """The event without what the app must not see, and in a form that Mangum always takes."""
    around = event.get("requestContext")
    around = around if isinstance(around, dict) else {}
    http = around.get("http")
    http = http if isinstance(http, dict) else {}
    given = event.get("headers")
    headers = {
        name.lower(): _text(value)
        for name, value in (given if isinstance(given, dict) else {}).items()
        if isinstance(name, str)
    }
    if not _HOST.fullmatch(headers.get("host", "")):
        headers.pop("host", None)
    if not headers.get("x-forwarded-port", "0").isdecimal():
        headers.pop("x-forwarded-port")
    headers.pop(USER, None)
    if context.client is not None:
        headers.pop("authorization", None)
        headers[USER] = context.client
    cookies = event.get("cookies")
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": _text(event.get("rawQueryString", "")),
        "headers": headers,
        "cookies": [_text(value) for value in cookies] if isinstance(cookies, list) else [],
        "requestContext": {
            "http": {
                "method": _text(http.get("method", "GET")),
                "path": _text(path),
                "sourceIp": _text(http.get("sourceIp", "")),
            },
            "requestId": context.request_id,
        },
        "body": event.get("body") or "",
        "isBase64Encoded": bool(event.get("isBase64Encoded")),
    }


def _text(value: object) -> str:
    # Half a surrogate pair has no bytes.
    return str(value).encode(errors="replace").decode()


def _close(loop: asyncio.AbstractEventLoop, life: list[asyncio.Task[None]]) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()
    with suppress(Exception, asyncio.CancelledError):
        for task in life:
            loop.run_until_complete(task)
    loop.close()
