"""From a digest to a folder: fetch, check, and only then unpack."""

import os
import tempfile
from pathlib import Path

from halftone.domain.errors import Unavailable
from halftone.domain.model.archive import check_digest, checked_digest, inspect, unpack
from halftone.domain.model.manifest import MANIFEST_NAME, Manifest
from halftone.domain.model.manifest_schema import manifest_from_json
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


def _own(root: Path) -> None:
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if root.stat().st_uid != os.getuid():
        raise PermissionError(f"{root} belongs to another user, who could change the model's code")


def _unpack(digest: str, artifacts: Artifacts, root: Path) -> None:
    source = f"package {digest[:12]}"
    with tempfile.TemporaryDirectory(dir=root, ignore_cleanup_errors=True) as scratch:
        with tempfile.TemporaryFile(dir=scratch) as file:
            artifacts.fetch(digest, file)
            check_digest(file, digest, source=source)
            archive, _ = inspect(file, source=source)
            content = Path(scratch, "content")
            content.mkdir()
            for entry in archive.infolist():
                target = content / entry.filename
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("xb") as file_of_entry:
                    unpack(archive, entry, file_of_entry, source=source)
        try:
            content.rename(root / digest)
        except OSError:
            # Another process was faster; its folder went through the same checks.
            if not (root / digest).is_dir():
                raise
