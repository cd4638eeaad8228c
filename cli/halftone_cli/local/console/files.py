"""The console's bundle: static files, where they are, and the headers that they are served with.

``console/`` builds them. A wheel carries them beside this package, a checkout in ``build/console``.
"""

import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from halftone.domain.errors import NotFound

_PACKAGE = Path(__file__).resolve().parents[2]
_IN_WHEEL = _PACKAGE / "assets" / "console"
_IN_CHECKOUT = _PACKAGE.parents[1] / "build" / "console"

INDEX = "index.html"
HASHED = "assets/"
"""Below it a file's name holds its content's hash, so that it may be cached for good."""

_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))

POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)
"""The content security policy: no script, style or connection but the console's own."""

HEADERS: Mapping[str, str] = {
    "content-security-policy": "; ".join(POLICY),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""What every answer carries, static or not."""


@dataclass(frozen=True)
class StaticFile:
    """A file as it is sent: its content, already compressed where ``encoding`` says so."""

    content: bytes
    media: str
    encoding: str
    immutable: bool

    @property
    def headers(self) -> dict[str, str]:
        """Its own headers, beside ``HEADERS``."""
        lasting = "public, max-age=31536000, immutable"
        named = {
            "content-type": self.media,
            "cache-control": lasting if self.immutable else "no-store",
            "vary": "accept-encoding",
        }
        return named | ({"content-encoding": self.encoding} if self.encoding else {})


class Bundle:
    """The files of one build, read once."""

    def __init__(self, folder: Path) -> None:
        self._files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    def file(self, path: str, accepted: str = "") -> StaticFile | None:
        """The file at ``path`` of the URL, as ``accept-encoding`` allows; None if there is none.

        A path that names no file is one of the application's own addresses: it is answered with the
        page, which knows what to show there.
        """
        name = path.lstrip("/")
        if name.startswith(HASHED) or "." in name.rsplit("/", 1)[-1]:
            if name not in self._files:
                return None
        else:
            name = INDEX
        encodings = {part.split(";")[0].strip() for part in accepted.split(",")}
        media = mimetypes.guess_type(name)[0] or "application/octet-stream"
        if media.startswith("text/"):
            media += "; charset=utf-8"
        immutable = name.startswith(HASHED)
        for encoding, suffix in _ENCODINGS:
            if encoding in encodings and name + suffix in self._files:
                return StaticFile(self._files[name + suffix], media, encoding, immutable)
        return StaticFile(self._files[name], media, "", immutable)


def bundle() -> Bundle:
    """The bundle that is installed with this command.

    Raises:
        NotFound: if this is a checkout in which it was not built.
    """
    for folder in (_IN_WHEEL, _IN_CHECKOUT):
        if (folder / INDEX).is_file():
            return Bundle(folder)
    raise NotFound("console", str(_IN_CHECKOUT), "run `make setup`, which builds it")
