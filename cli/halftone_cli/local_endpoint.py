"""An endpoint on a port of this machine: HTTP in, the model server, HTTP out."""

import ipaddress
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import perf_counter
from typing import Any

from halftone.adapters.declaration import FILE, open_declaration, read_spec
from halftone.adapters.folder import BuiltPackage, open_package
from halftone.domain.errors import InvalidInput
from halftone.domain.spec import EndpointSpec
from halftone_cli.gateway import MAX_REQUEST, HttpAnswer, HttpRequest, gateways_own
from halftone_cli.sandbox import Limits, Sandbox, Write

Fingerprint = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Source:
    """Where an endpoint's package comes from: a declaration, or a package alone.

    ``path`` is an ``endpoint.yaml`` or its folder, a package's folder or a built zip.
    """

    path: Path

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
            declared = open_declaration(self.declaration)
            return declared.package, Limits.of(declared.spec)
        built = open_package(self.path)
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
            if "__pycache__" in path.parts:
                continue
            try:
                seen = path.stat()
            except OSError:
                continue  # gone between being listed and being looked at
            yield str(path), seen.st_mtime_ns, seen.st_size


class LocalEndpoint:
    """The endpoint of ``source``; each change of its files makes a new sandbox.

    ``log`` takes the lines of the function's log, ``note`` what happens to the endpoint.
    """

    def __init__(self, source: Source, folder: Path, *, log: Write, note: Write) -> None:
        self._source = source
        self._folder = folder
        self._log = log
        self._note = note
        self._seen = source.fingerprint()
        self.sandbox = self._opened()

    def __call__(self, request: HttpRequest) -> HttpAnswer:
        """The answer to a request."""
        began = perf_counter()
        answer = self.sandbox(request)
        spent = 1000 * (perf_counter() - began)
        self._note(f"{request.method} {request.target} {answer.status} {spent:.1f} ms")
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
            self.sandbox = self._opened()
        except InvalidInput as error:
            self._note(f"not reloaded: {error}")
            return False
        self._note(f"reloaded: {self.sandbox.built.ref}")
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
        server = ThreadingHTTPServer((host, port), Handler)
    except (OSError, OverflowError) as error:
        told = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
        raise InvalidInput("--port", port, f"a free port on {host} ({told})") from None
    server.daemon_threads = True
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


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answers: LocalEndpoint

    def _answer(self) -> None:
        length = self.headers.get("content-length", "0")
        if "transfer-encoding" in self.headers or not length.isdecimal():
            self._refuse(411)  # API Gateway would read it to its end
            return
        if int(length) > MAX_REQUEST:
            self._refuse(413)
            return
        request = HttpRequest(
            method=self.command,
            target=self.path,
            headers=tuple(self.headers.items()),
            body=self.rfile.read(int(length)),
            source=str(self.client_address[0]),
        )
        self._send(type(self).answers(request))

    def _refuse(self, status: int) -> None:
        """Answer without reading the body, after which the connection is of no use."""
        self.close_connection = True
        self._send(gateways_own(status))

    def _send(self, answer: HttpAnswer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if not answer.header("content-length"):
            self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def log_message(self, *_: Any) -> None:
        """Requests are told by the endpoint."""

    def __getattr__(self, name: str) -> Any:
        # http.server asks for do_GET, do_POST and so on; the model server knows what it takes.
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)
