"""From a digest to a folder: fetch, check, and only then unpack. Packages, and environments."""

import errno
import importlib
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from zipfile import ZipFile

from halftone.domain.errors import InvalidPackage, Unavailable
from halftone.domain.model.archive import (
    check_digest,
    checked_digest,
    inspect,
    inspect_environment,
    unpack,
)
from halftone.domain.model.environment import Environment
from halftone.domain.model.manifest import MANIFEST_NAME, Manifest
from halftone.domain.model.manifest_schema import manifest_from_json
from halftone.domain.names import environment_key, package_key
from halftone.serving.inference.artifacts import Artifacts


def install(digest: str, artifacts: Artifacts, root: Path) -> tuple[Path, Manifest]:
    """The unpacked package of that digest, in ``root/digest``, and its manifest.

    The zip is named by its content, so what arrives must hash to its name before anything reads
    it as a zip. The folder appears under its name only when it is complete; one that is already
    there was checked by whoever made it, which is why ``root`` must belong to this user alone.

    Raises:
        NotFound: if there is no such package.
        InvalidPackage: if the digest does not match, or the zip is not safe to unpack.
        Unavailable: if the package can't be read or written.
    """
    folder = root / checked_digest(digest)
    try:
        _own(root)
        if not folder.is_dir():
            _unpack(digest, artifacts, root)
        text = (folder / MANIFEST_NAME).read_bytes()
    except OSError as error:
        raise Unavailable(f"installing package {digest} in {root}: {error}") from error
    return folder, manifest_from_json(text)


LAYERED = Path("/opt/environments")
"""Where a layer has an environment, in a folder named by its digest."""


def enter_environment(environment: Environment, artifacts: Artifacts, root: Path) -> Path:
    """Put an environment's packages first on ``sys.path``; the folder that they are in.

    That of a layer is taken as it is, because Lambda mounts it read-only. Any other is installed
    below ``root`` as a package is, and shared by all that need it.

    Raises:
        NotFound, InvalidPackage, Unavailable: as ``install`` says of packages.
    """
    running = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    if environment.target.runtime != running:
        expected = (
            f"an environment for {running}, which runs this: package for this stage's runtime"
        )
        raise InvalidPackage("environment", str(environment.target), expected)
    digest = checked_digest(environment.digest)
    folder = LAYERED / digest
    if not folder.is_dir():
        home = root / "environments"
        folder = home / digest
        try:
            _own(root)
            _own(home)
            if not folder.is_dir():
                _unpack_environment(digest, artifacts, home)
        except OSError as error:
            remedy = "deploy the endpoint with this package once, and the function gets the disk"
            full = f"; {remedy}" if error.errno == errno.ENOSPC else ""
            where = f"installing environment {digest} in {home}"
            raise Unavailable(f"{where}: {error}{full}") from error
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
        importlib.invalidate_caches()
    return folder


def _own(root: Path) -> None:
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if root.stat().st_uid != os.getuid():
        raise PermissionError(f"{root} belongs to another user, who could change the model's code")


def _unpack(digest: str, artifacts: Artifacts, root: Path) -> None:
    def open_package(file: BinaryIO, source: str) -> ZipFile:
        return inspect(file, source=source)[0]

    zipped = _Zip("package", digest, package_key(digest), open_package)
    _unpack_zip(zipped, artifacts, root)


def _unpack_environment(digest: str, artifacts: Artifacts, root: Path) -> None:
    def open_environment(file: BinaryIO, source: str) -> ZipFile:
        return inspect_environment(file, source=source)

    zipped = _Zip("environment", digest, environment_key(digest), open_environment)
    _unpack_zip(zipped, artifacts, root)


@dataclass(frozen=True)
class _Zip:
    """A zip to be fetched; ``open`` checks one that hashes to ``digest``, and lists it."""

    kind: str
    digest: str
    key: str
    open: Callable[[BinaryIO, str], ZipFile]


def _unpack_zip(zipped: _Zip, artifacts: Artifacts, root: Path) -> None:
    digest, source = zipped.digest, f"{zipped.kind} {zipped.digest[:12]}"
    with tempfile.TemporaryDirectory(dir=root, ignore_cleanup_errors=True) as scratch:
        with tempfile.TemporaryFile(dir=scratch) as file:
            artifacts.fetch(zipped.key, file)
            check_digest(file, digest, source=source)
            archive = zipped.open(file, source)
            content = Path(scratch, "content")
            content.mkdir()
            made: set[Path] = set()
            for entry in archive.infolist():
                target = content / entry.filename
                if target.parent not in made:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    made.add(target.parent)
                with target.open("xb") as file_of_entry:
                    unpack(archive, entry, file_of_entry, source=source)
        try:
            content.rename(root / digest)
        except OSError:
            # Another process was faster; its folder went through the same checks.
            if not (root / digest).is_dir():
                raise
