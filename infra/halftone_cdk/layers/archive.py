"""Folders as zips that depend on what is in them and on nothing else."""

import hashlib
import zipfile
from pathlib import Path

_MIDNIGHT = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can hold: no time of building gets in."""


def files(folder: Path) -> list[Path]:
    """The files below ``folder``, always in the same order."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def unzipped_size(folder: Path) -> int:
    """Bytes of all files below ``folder``."""
    return sum(path.stat().st_size for path in files(folder))


def content_digest(folder: Path) -> str:
    """SHA-256 over names and contents of the files below ``folder``."""
    digest = hashlib.sha256()
    for path in files(folder):
        name = path.relative_to(folder).as_posix()
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{content} {name}\n".encode())
    return digest.hexdigest()


def zip_folder(folder: Path, archive: Path) -> None:
    """Write ``folder`` to ``archive``: readable by all, as Lambda wants it, and dated alike."""
    with zipfile.ZipFile(archive, "x", zipfile.ZIP_DEFLATED, compresslevel=6) as out:
        for path in files(folder):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _MIDNIGHT)
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            with path.open("rb") as source, out.open(entry, "w") as sink:
                while block := source.read(1 << 20):
                    sink.write(block)


def nest(source: Path, archive: Path, folder: str) -> None:
    """Write what the zip ``source`` holds to ``archive``, below ``folder``, compressed."""
    with zipfile.ZipFile(source) as content, zipfile.ZipFile(archive, "x") as out:
        for original in content.infolist():
            entry = zipfile.ZipInfo(f"{folder}/{original.filename}", _MIDNIGHT)
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            with content.open(original) as part, out.open(entry, "w") as sink:
                while block := part.read(1 << 20):
                    sink.write(block)
