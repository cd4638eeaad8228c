"""The zip of a model package: what it may hold, and what makes it unsafe to unpack.

Nothing here touches a disk: the zip is read from the open file or bytes that the caller hands in,
and every rule is checked on the list of entries before a byte is unpacked.
"""

import hashlib
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import BinaryIO

from halftone.domain.errors import InvalidPackage
from halftone.domain.model import environment
from halftone.domain.model.manifest import MANIFEST_NAME, PICKLE_SUFFIXES, Flavor, Manifest
from halftone.domain.model.manifest_schema import manifest_from_json

MAX_ENTRIES = 10_000
MAX_UNZIPPED = 250_000_000
"""Bytes of all files together: Lambda's own limit for a function with all its layers is 262 MB."""
MAX_MANIFEST = 6_000_000
"""Bytes of the manifest: its samples are sent as requests, and Lambda takes 6 MB of those."""
MAX_RATIO = 200
"""Unzipped to zipped size of a whole package above RATIO_FROM bytes. Deflate reaches 1,032."""
RATIO_FROM = 10_000_000

_DIGEST = re.compile(r"[0-9a-f]{64}")
_DRIVE = re.compile(r"[A-Za-z]:")
_ENCRYPTED = 0x1
_Refuse = Callable[[str, object, str], InvalidPackage]
# Everything that zipfile raises for content that is not as its entry says.
_READ_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
)


def digest_of(file: BinaryIO) -> str:
    """The SHA-256 of everything in ``file``, as 64 hex digits; the file is read from its start."""
    file.seek(0)
    sha = hashlib.sha256()
    while chunk := file.read(1 << 20):
        sha.update(chunk)
    return sha.hexdigest()


def checked_digest(value: str) -> str:
    """``value`` if it has the form of a digest, which makes it safe as a file's name.

    Raises:
        InvalidPackage: otherwise.
    """
    if not _DIGEST.fullmatch(value):
        raise InvalidPackage("digest", value, "64 hex digits")
    return value


def check_digest(file: BinaryIO, expected: str, *, source: str) -> None:
    """Refuse ``file`` unless ``expected`` names it.

    Raises:
        InvalidPackage: if it does not.
    """
    actual = digest_of(file)
    if actual != expected:
        raise InvalidPackage("digest", actual, f"{expected}, its name", source=source)


def inspect(file: BinaryIO, *, source: str) -> tuple[zipfile.ZipFile, Manifest]:
    """``file`` as an archive that is safe to unpack, and the manifest in it.

    Raises:
        InvalidPackage: if it is no zip, breaks a rule, lacks a file that its manifest names, or
            holds a pickle that the manifest does not allow.
    """
    try:
        archive = zipfile.ZipFile(file)
        entries = archive.infolist()
    except _READ_ERRORS as error:
        raise InvalidPackage("package", str(error), "a zip file", source=source) from None
    check_entries(entries, source=source)
    manifest = _manifest(archive, entries, source)
    names = {entry.filename for entry in entries}
    for field in ("entry", "preprocess"):
        name = getattr(manifest, field)
        if name is not None and name not in names:
            raise InvalidPackage(field, name, "a file of the package", source=source)
    for entry in entries:
        head = _read(archive, entry, source, 2)
        refuse_pickle(entry.filename, head, manifest, source=source)
    return archive, manifest


def inspect_environment(file: BinaryIO, *, source: str) -> zipfile.ZipFile:
    """``file`` as the archive of an environment that is safe to unpack.

    Raises:
        InvalidPackage: if it is no zip, or breaks a rule.
    """
    try:
        archive = zipfile.ZipFile(file)
        entries = archive.infolist()
    except _READ_ERRORS as error:
        raise InvalidPackage("environment", str(error), "a zip file", source=source) from None
    check_entries(
        entries,
        source=source,
        most_entries=environment.MAX_ENTRIES,
        most_bytes=environment.MAX_UNZIPPED,
    )
    return archive


def unpack(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: BinaryIO, *, source: str
) -> None:
    """Write an entry's content to ``target``: never more than the size that the entry states.

    Raises:
        InvalidPackage: if the content is damaged, or is not of the size that was stated.
    """
    target.writelines(_chunks(archive, entry, source))


def check_content(archive: zipfile.ZipFile, *, source: str) -> None:
    """Read every entry of ``archive`` to its end, and keep nothing.

    Raises:
        InvalidPackage: if the content of one is damaged, or is not of the size that it states.
    """
    for entry in archive.infolist():
        for _ in _chunks(archive, entry, source):
            pass


def check_entries(
    entries: Sequence[zipfile.ZipInfo],
    *,
    source: str,
    most_entries: int = MAX_ENTRIES,
    most_bytes: int = MAX_UNZIPPED,
) -> None:
    """Refuse a list of entries that could write outside its folder, or more than it should.

    Raises:
        InvalidPackage: naming the entry at fault.
    """

    def refuse(field: str, value: object, expected: str) -> InvalidPackage:
        return InvalidPackage(field, value, expected, source=source)

    if len(entries) > most_entries:
        raise refuse("entries", len(entries), f"at most {most_entries} files")
    for entry in entries:
        # The original name: zipfile cuts the other one at a NUL and changes its separators.
        name = entry.orig_filename
        if not _plain(name):
            raise refuse("name", name, "a plain relative path of / and printable characters")
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
            raise refuse(name, oct(entry.external_attr >> 16), "a regular file, not a link")
        if entry.flag_bits & _ENCRYPTED:
            raise refuse(name, "encrypted", "an entry that is not encrypted")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise refuse(name, entry.compress_type, "stored (0) or deflated (8)")
    _check_names([entry.filename for entry in entries], refuse)
    unzipped = sum(entry.file_size for entry in entries)
    zipped = sum(entry.compress_size for entry in entries)
    if unzipped > most_bytes:
        raise refuse("unzipped size", unzipped, f"at most {most_bytes} bytes")
    if unzipped > RATIO_FROM and unzipped > MAX_RATIO * zipped:
        expected = f"at most {MAX_RATIO} times the {zipped} bytes zipped"
        raise refuse("unzipped size", unzipped, expected)


def refuse_pickle(name: str, head: bytes, manifest: Manifest, *, source: str) -> None:
    """Refuse a file that unpickling would turn into code that runs; ``head`` is its first 2 bytes.

    Only the entry of a package whose manifest says ``allow_pickle: true`` may be one, and any file
    of such a package of flavor pyfunc.

    Raises:
        InvalidPackage: if its name or its head says that it is a pickle.
    """
    if manifest.allow_pickle and (name == manifest.entry or manifest.flavor is Flavor.PYFUNC):
        return
    by_head = len(head) >= 2 and head[0] == 0x80 and 2 <= head[1] <= 5
    if by_head or PurePosixPath(name).suffix.lower() in PICKLE_SUFFIXES:
        expected = "no pickle: loading one runs whatever code it carries; use ONNX, JSON or npz"
        if manifest.flavor is Flavor.PYFUNC:
            expected = (
                "no pickle: loading one runs whatever code it carries; if its maker is trusted, say"
                " `flavor: mlflow` and `allow_pickle: true` in model.yaml"
            )
        raise InvalidPackage("file", name, expected, source=source)


def _plain(name: str) -> bool:
    parts = name.split("/")
    return (
        name.isprintable()
        and "\\" not in name
        and not _DRIVE.match(name)
        and len(name.encode()) <= 1024
        and not {"", ".", ".."} & set(parts)
        and all(len(part.encode()) <= 255 for part in parts)  # as file systems have it
    )


def _check_names(names: Sequence[str], refuse: _Refuse) -> None:
    earlier: set[str] = set()
    folders = {str(parent).casefold() for name in names for parent in PurePosixPath(name).parents}
    for name in names:
        # Without case, because some file systems have none.
        folded = name.casefold()
        if folded in earlier:
            raise refuse("name", name, "a name that no other entry has")
        if folded in folders:
            raise refuse("name", name, "a file, but other entries lie below it")
        earlier.add(folded)


def _manifest(
    archive: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo], source: str
) -> Manifest:
    matches = [entry for entry in entries if entry.filename == MANIFEST_NAME]
    if not matches:
        expected = f"{MANIFEST_NAME} among them: build packages with Halftone"
        raise InvalidPackage("files", sorted(archive.namelist())[:5], expected, source=source)
    if matches[0].file_size > MAX_MANIFEST:
        expected = f"at most {MAX_MANIFEST} bytes"
        raise InvalidPackage(MANIFEST_NAME, matches[0].file_size, expected, source=source)
    text = _read(archive, matches[0], source, matches[0].file_size)
    return manifest_from_json(text, source=f"{source}: {MANIFEST_NAME}")


def _chunks(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, source: str) -> Iterator[bytes]:
    size = 0
    with _readable(entry, source), archive.open(entry) as content:
        while chunk := content.read(1 << 20):
            size += len(chunk)
            yield chunk
    if size != entry.file_size:
        # zipfile checks the sum of what there is, and takes less than the entry states.
        expected = f"the {entry.file_size} bytes that it states"
        raise InvalidPackage(entry.filename, f"{size} bytes", expected, source=source)


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, source: str, size: int) -> bytes:
    with _readable(entry, source), archive.open(entry) as content:
        return content.read(size)


@contextmanager
def _readable(entry: zipfile.ZipInfo, source: str) -> Iterator[None]:
    try:
        yield
    except _READ_ERRORS as error:
        expected = "readable content"
        raise InvalidPackage(entry.filename, str(error), expected, source=source) from None
