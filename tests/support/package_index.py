"""A package index on this machine, with small wheels that are made here (PEP 503)."""

import base64
import hashlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANY = "py3-none-any"


def wheel(
    name: str,
    version: str,
    files: Mapping[str, bytes] | None = None,
    *,
    tag: str = ANY,
    requires: tuple[str, ...] = (),
) -> tuple[str, bytes]:
    """A wheel's file name and bytes. ``files`` are by path; a module of that name unless given."""
    module = name.replace("-", "_")
    content = {f"{module}/__init__.py": f"VERSION = {version!r}\n".encode()}
    content |= files or {}
    info = f"{module}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {each}\n" for each in requires)
    content[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}".encode()
    )
    content[f"{info}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n".encode()
    )
    record = "".join(
        f"{path},sha256={_digest(data)},{len(data)}\n" for path, data in content.items()
    )
    content[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in content.items():
            archive.writestr(zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0)), data)
    return f"{module}-{version}-{tag}.whl", buffer.getvalue()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def source_distribution(name: str, version: str) -> tuple[str, bytes]:
    """A source distribution's file name and bytes."""
    buffer = io.BytesIO()
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo(f"{name}-{version}/PKG-INFO")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
    return f"{name}-{version}.tar.gz", buffer.getvalue()


@dataclass
class Index:
    """What the index has; ``yanked`` are file names with the reason."""

    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    yanked: dict[str, str] = field(default_factory=dict)
    url: str = ""

    def add(self, name: str, file: tuple[str, bytes], *, yanked: str | None = None) -> str:
        """Put a file on the index, and answer its SHA-256."""
        self.files[file[0]] = (name, file[1])
        if yanked is not None:
            self.yanked[file[0]] = yanked
        return hashlib.sha256(file[1]).hexdigest()

    def page(self, name: str) -> bytes | None:
        """The page of a project; None if there is none."""
        links = [
            f'<a href="/files/{file}#sha256={hashlib.sha256(data).hexdigest()}"'
            + (f' data-yanked="{self.yanked[file]}"' if file in self.yanked else "")
            + f">{file}</a>"
            for file, (project, data) in self.files.items()
            if project == name
        ]
        return (
            f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode() if links else None
        )


@contextmanager
def served() -> Iterator[Index]:
    """An index that answers until the end of the context."""
    index = Index()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = self.path.split("#")[0].strip("/").split("/")
            data = index.page(parts[1]) if parts[0] == "simple" else None
            if parts[0] == "files" and parts[1] in index.files:
                data = index.files[parts[1]][1]
            self.send_response(404 if data is None else 200)
            self.send_header(
                "content-type", "text/html" if parts[0] == "simple" else "application/zip"
            )
            self.send_header("content-length", str(len(data or b"")))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data or b"")

        do_HEAD = do_GET  # noqa: N815 - as http.server names it

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    index.url = f"http://127.0.0.1:{server.server_port}/simple/"
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
