"""An endpoint on a port of this machine: HTTP in, the model server, HTTP out."""

import ipaddress
import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic, perf_counter
from typing import Any

from halftone.domain.endpoint.spec import EndpointSpec
from halftone.domain.errors import InvalidInput, Unavailable
from halftone.domain.model.target import Target
from halftone.packaging.endpoint_yaml import FILE, open_declaration, read_spec
from halftone.packaging.folder import BuiltPackage, open_package
from halftone_cli.local.gateway import MAX_REQUEST, HttpRequest, HttpResponse, gateways_own
from halftone_cli.local.sandbox import Limits, Sandbox, Write

SLOW_SECONDS = 30.0
"""How long a client may be silent, and how long the whole of a body may take."""

_LINE = 1024
_ENDS = (b"\r\n", b"\n")
Fingerprint = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Source:
    """Where an endpoint's package comes from: a declaration, or a package alone.

    ``path`` is an ``endpoint.yaml`` or its folder, a package's folder or a built zip. ``target`` is
    what an environment is built for, and ``tell`` takes a line before what takes long.
    """

    path: Path
    target: Target = field(default_factory=Target)
    tell: Write = str

    @property
    def declaration(self) -> Path | None:
        """The ``endpoint.yaml``, if there is one."""
        if self.path.name == FILE:
            return self.path
        inner = self.path / FILE
        return inner if inner.is_file() else None

    def open(self) -> tuple[BuiltPackage, Limits]:
        """The package, and the function that a deploy would put around it.

        Raises:
            InvalidInput: naming the file, the field and the value at fault.
        """
        if self.declaration is not None:
            declared = open_declaration(self.declaration, self.target, tell=self.tell)
            return declared.package, Limits.of(declared.spec)
        built = open_package(self.path, self.target, tell=self.tell)
        return built, Limits.of(EndpointSpec(built.manifest.name, "."))

    def fingerprint(self) -> Fingerprint:
        """Names, times and sizes of all files that the package is made of."""
        watched = [self.path]
        if self.declaration is not None:
            watched = [self.declaration]
            # A wrong file is told when it is opened; its next change brings us back here.
            with suppress(InvalidInput):
                watched.append(self.declaration.parent / read_spec(self.declaration).model)
        return tuple(_marks(watched))


def _marks(watched: list[Path]) -> Iterator[tuple[str, int, int]]:
    for root in watched:
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if "__pycache__" in path.parts or path.suffix == ".lock":
                continue
            try:
                status = path.stat()
            except OSError:
                continue  # gone between being listed and being looked at
            yield str(path), status.st_mtime_ns, status.st_size


class LocalEndpoint:
    """The endpoint of ``source``; each change of its files makes a new sandbox.

    ``log`` takes the lines of the function's log, ``note`` what happens to the endpoint.
    """

    def __init__(self, source: Source, folder: Path, *, log: Write, note: Write) -> None:
        self._source = source
        self._folder = folder
        self._log = log
        self.note = note
        self._seen = source.fingerprint()
        self.sandbox = self._opened()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer to a request."""
        began = perf_counter()
        answer = self.sandbox(request)
        spent = 1000 * (perf_counter() - began)
        self.note(f"{request.method} {request.target} {answer.status} {spent:.1f} ms")
        return answer

    def reload(self) -> bool:
        """Take changed files in; answer whether there are any.

        What can't be built is told, and what was served before goes on.
        """
        present = self._source.fingerprint()
        if present == self._seen:
            return False
        self._seen = present
        try:
            earlier, self.sandbox = self.sandbox, self._opened()
            earlier.close()
        except (InvalidInput, Unavailable) as error:
            self.note(f"not reloaded: {error}")
            return False
        self.note(f"reloaded: {self.sandbox.built.ref}")
        return True

    def _opened(self) -> Sandbox:
        return Sandbox(*self._source.open(), self._folder, self._log)


@contextmanager
def listening(endpoint: LocalEndpoint, host: str, port: int) -> Iterator[str]:
    """The endpoint on that address, until the end of the context; the URL it has there.

    Port 0 takes a free one.

    Raises:
        InvalidInput: if nothing can listen there.
    """

    class Handler(_Handler):
        answers = endpoint

    try:
        server = _Server((host, port), Handler)
    except (OSError, OverflowError) as error:
        cause = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
        raise InvalidInput("--port", port, f"a free port on {host} ({cause})") from None
    server.notes = endpoint.note
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://{_in_url(host)}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _in_url(host: str) -> str:
    try:
        return f"[{host}]" if ipaddress.ip_address(host).version == 6 else host
    except ValueError:
        return host


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    notes: Write

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is gone needs no line; anything else is one line and no trace."""
        del request
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError | TimeoutError):
            self.notes(f"a request from {client_address[0]} failed: {error!r}")


class _BadRequestError(Exception):
    """A request that can't be read to its end, and the status that it gets."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body of an answer leave in one piece: in two, the second waits 40 ms for the first's
    # acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True
    timeout = SLOW_SECONDS
    answers: LocalEndpoint

    def _answer(self) -> None:
        try:
            body = self._body()
        except _BadRequestError as bad:
            self.close_connection = True  # what is left of the body would be the next request
            self._send(gateways_own(bad.status))
            return
        request = HttpRequest(
            method=self.command,
            target=self.path,
            headers=tuple(self.headers.items()),
            body=body,
            source=str(self.client_address[0]),
        )
        self._send(type(self).answers(request))

    def _body(self) -> bytes:
        """The whole body.

        Raises:
            _BadRequestError: if there is none of that length.
        """
        deadline = monotonic() + SLOW_SECONDS
        encoding = self.headers.get("transfer-encoding")
        lengths = self.headers.get_all("content-length", [])
        if encoding is None:
            return self._read(_length(lengths), deadline)
        if encoding.strip().lower() != "chunked" or lengths:
            raise _BadRequestError(400)  # RFC 9112, 6.3: such a request may be two
        chunks, size = [], 0
        while True:
            chunk = self._read(self._chunk_size(), deadline)
            if not chunk:
                break
            size += len(chunk)
            if size > MAX_REQUEST:
                raise _BadRequestError(413)
            chunks.append(chunk)
            if self.rfile.readline(_LINE) not in _ENDS:
                raise _BadRequestError(400)
        while self.rfile.readline(_LINE) not in (*_ENDS, b""):  # trailers
            if monotonic() > deadline:
                raise _BadRequestError(408)
        return b"".join(chunks)

    def _chunk_size(self) -> int:
        text = self.rfile.readline(_LINE).partition(b";")[0].strip()
        if not re.fullmatch(rb"[0-9a-fA-F]{1,16}", text):
            raise _BadRequestError(400)
        return int(text, 16)

    def _read(self, size: int, deadline: float) -> bytes:
        if size > MAX_REQUEST:
            raise _BadRequestError(413)
        parts, left = [], size
        while left:
            part = self.rfile.read1(min(left, 1 << 16))
            if not part or monotonic() > deadline:
                raise _BadRequestError(408 if part else 400)
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def _send(self, answer: HttpResponse) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if not answer.header("content-length"):
            self.send_header("content-length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What http.server refuses by itself, as API Gateway says it: without what was sent."""
        del message, explain
        self.close_connection = True
        self.command = getattr(self, "command", None) or "GET"
        self.request_version = self.protocol_version
        self._send(gateways_own(code))

    def log_message(self, *_: Any) -> None:
        """Requests are told by the endpoint."""

    def __getattr__(self, name: str) -> Any:
        # http.server asks for do_GET, do_POST and so on; the model server knows what it takes.
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)


def _length(lengths: list[str]) -> int:
    """What the headers ``content-length`` say; 0 without one."""
    values = {value.strip() for value in lengths} or {"0"}
    value = values.pop()
    if values or not re.fullmatch("[0-9]{1,18}", value):
        raise _BadRequestError(400)
    return int(value)
