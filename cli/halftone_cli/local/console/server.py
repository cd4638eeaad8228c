"""The console on a port of this machine: its page, and the control API signed by the caller.

Whoever may speak to this port acts with the caller's rights, so each request has to show that it
comes from the page that the caller opened:

- the port is bound to loopback, and ``Host`` names it: a foreign name that is rebound to 127.0.0.1
  is refused;
- ``Origin`` and ``Sec-Fetch-Site``, where a browser sends them, are this origin's;
- each request to the API carries the session's secret in a header, which no other origin can read
  or send. The page gets it once, for the key in the link that the command prints: a link that was
  used before opens nothing.
"""

import json
import secrets
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from halftone.domain.errors import InvalidInput, Unavailable
from halftone_cli.control.api import Reply, Request, Send, Upload
from halftone_cli.local.console.files import HEADERS, Bundle

HOST = "127.0.0.1"
SESSION_HEADER = "halftone-session"
API = "/v1/"
_SESSION, _UPLOAD = "/session", "/upload/"
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_LARGEST_BODY = 300 * 2**20
"""Bytes: a model package of the largest size that Lambda takes, and a little more."""
_FORWARDED = frozenset(
    {"content-type", "idempotency-key", "if-match", "if-none-match", "halftone-seen"}
)
_RETURNED = frozenset(
    {"content-type", "etag", "location", "retry-after", "idempotent-replayed", "date"}
)
_PROBLEM = "application/problem+json"
_SILENT_SECONDS = 60.0


@dataclass(frozen=True)
class ConsoleStage:
    """What the console shows: the stage's name, its API, and whether it is on this machine."""

    name: str
    local: bool
    send: Send
    upload: Upload | None = None


@dataclass
class Access:
    """The key of the link, which is good once, and the session's secret, good until the end."""

    key: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    used: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def exchange(self, key: str) -> str | None:
        """The session's secret for the key, the first time; None ever after."""
        with self._lock:
            if self.used or not secrets.compare_digest(key.encode(), self.key.encode()):
                return None
            self.used = True
            return self.secret

    def knows(self, secret: str) -> bool:
        """Whether ``secret`` is the session's."""
        return secrets.compare_digest(secret.encode(), self.secret.encode())


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class ConsoleServer(ThreadingHTTPServer):
    """Serves one bundle and one stage; ``link`` opens it."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, stage: ConsoleStage, bundle: Bundle, port: int) -> None:
        self.stage, self.bundle, self.access = stage, bundle, Access()
        self.uploads: dict[str, tuple[str, Mapping[str, str]]] = {}
        super().__init__((HOST, port), _Handler)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.server_address[1])

    @property
    def origin(self) -> str:
        """Where it is."""
        return f"http://{HOST}:{self.port}"

    @property
    def link(self) -> str:
        """What a person opens. A fragment is sent to no server and stands in no log of one."""
        return f"{self.origin}/#key={self.access.key}"

    @property
    def hosts(self) -> frozenset[str]:
        """The names by which a browser of this machine may reach it."""
        return frozenset({f"{HOST}:{self.port}", f"localhost:{self.port}"})

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report it, unless a browser hung up in the middle of an answer."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


@contextmanager
def serving_console(stage: ConsoleStage, bundle: Bundle, port: int = 0) -> Iterator[ConsoleServer]:
    """A console server that runs until the block ends; port 0 takes a free one.

    Raises:
        InvalidInput: if the port is taken.
    """
    try:
        server = ConsoleServer(stage, bundle, port)
    except OSError as error:
        raise InvalidInput("--port", port, f"a free port ({error.strerror})") from error
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: ConsoleServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "halftone", ""
    timeout = _SILENT_SECONDS

    def _serve(self) -> None:
        answer = self._refusal() or self._handled()
        body = b"" if self.command == "HEAD" else answer.body
        self.send_response(answer.status)
        for name, value in {**HEADERS, **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815

    def _refusal(self) -> _Answer | None:
        """Why a request is not the page's, if it is not."""
        host, origin = self.headers.get("host", ""), self.headers.get("origin")
        if host not in self.server.hosts:
            return self._unread(403, "foreign-host", f"Host {host!r} is not this console's")
        if origin is not None and origin != f"http://{host}":
            return self._unread(403, "foreign-origin", f"Origin {origin!r} is not this console's")
        path = urlsplit(self.path).path
        if not (path.startswith((API, _UPLOAD)) or path == _SESSION):
            return None
        if self.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return self._unread(403, "foreign-origin", "the request comes from another site")
        if path == _SESSION and self.command == "POST":
            return None
        if not self.server.access.knows(self.headers.get(SESSION_HEADER, "")):
            detail = "no session: open the link that `halftone console` printed"
            return self._unread(401, "no-session", detail)
        return None

    def _unread(self, status: int, code: str, detail: str) -> _Answer:
        """A refusal of a request whose body stays unread, so that the connection must end."""
        self.close_connection = True
        return problem(status, code, detail)

    def _handled(self) -> _Answer:
        if self.command not in _METHODS:
            return self._unread(405, "method", f"{self.command} is not allowed here")
        path = urlsplit(self.path).path
        length = self.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > _LARGEST_BODY:
            return self._unread(413, "too-large", f"content-length {length!r} is no length to take")
        body = self.rfile.read(int(length))
        if path == _SESSION:
            return self._session(body)
        if path.startswith(_UPLOAD):
            return self._upload(path.removeprefix(_UPLOAD), body)
        if path.startswith(API):
            return self._forward(body)
        if self.command not in ("GET", "HEAD"):
            return problem(405, "method", f"{self.command} is not allowed here")
        static = self.server.bundle.file(path, self.headers.get("accept-encoding", ""))
        if static is None:
            return problem(404, "not-found", f"no file {path!r}")
        return _Answer(200, static.content, static.headers)

    def _session(self, body: bytes) -> _Answer:
        """What surrounds the page; with a POST, also the session's secret for the link's key."""
        stage = self.server.stage
        document: dict[str, object] = {"stage": stage.name, "local": stage.local, "uploads": True}
        if self.command == "POST":
            try:
                key = json.loads(body)["key"]
            except (ValueError, KeyError, TypeError, RecursionError):
                key = None
            secret = self.server.access.exchange(key) if isinstance(key, str) else None
            if secret is None:
                detail = "the link was used before, or is not this console's: start it again"
                return problem(403, "used-key", detail)
            document["session"] = secret
        return _Answer(200, json.dumps(document).encode(), _json())

    def _forward(self, body: bytes) -> _Answer:
        headers = {n: v for n in _FORWARDED if (v := self.headers.get(n)) is not None}
        request = Request(self.command, self.path, headers, body)
        try:
            reply = self.server.stage.send(request)
        except Unavailable as error:
            return problem(503, "unreachable", str(error))
        kept = {
            name: value
            for name, value in reply.headers.items()
            if name in _RETURNED or name.startswith("halftone-")
        }
        return _Answer(reply.status, self._noted(request, reply), kept | _uncached())

    def _noted(self, request: Request, reply: Reply) -> bytes:
        """The reply's body; where it gives leave to upload, the upload goes through this server.

        The page may connect to its own origin alone.
        """
        if not request.path.endswith("/uploads") or reply.status >= 300:
            return reply.body
        leave = reply.json
        ticket = secrets.token_urlsafe(16)
        self.server.uploads[ticket] = (leave["url"], leave.get("headers") or {})
        return json.dumps({**leave, "url": f"{_UPLOAD}{ticket}", "headers": {}}).encode()

    def _upload(self, ticket: str, body: bytes) -> _Answer:
        upload = self.server.stage.upload
        leave = self.server.uploads.get(ticket)
        if upload is None or leave is None or self.command != "PUT":
            return problem(404, "not-found", "no leave to upload: ask for one first")
        try:
            upload(leave[0], leave[1], body)
        except Unavailable as error:
            return problem(503, "unreachable", str(error))
        del self.server.uploads[ticket]
        return _Answer(204, headers=_uncached())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class' name
        """Requests are not logged: the API's own record says what was done."""


def problem(status: int, code: str, detail: str) -> _Answer:
    """An error in the control API's own form (RFC 9457)."""
    document = {"type": "about:blank", "title": code, "status": status, "detail": detail}
    return _Answer(status, json.dumps(document).encode(), _uncached() | {"content-type": _PROBLEM})


def _uncached() -> dict[str, str]:
    return {"cache-control": "no-store"}


def _json() -> dict[str, str]:
    return _uncached() | {"content-type": "application/json"}
