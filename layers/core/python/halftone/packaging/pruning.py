"""What installed packages hold that no import needs."""

import shutil
from pathlib import Path

NOT_NEEDED = ("tests", "test", "__pycache__")
_STUB = ".pyi"
_SOURCES = (".pyx", ".pxd", ".pxi", ".c", ".cpp", ".h", ".hpp", ".a", ".f", ".tp")
"""Headers and sources of compiled modules: read by compilers, never by an import."""
_INSTALLER_NOTES = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")


def prune(folder: Path, *, stubs: bool = True) -> int:
    """Delete what no import needs and what differs from one installation to the next.

    ``stubs``: type stubs are deleted, too.

    Returns:
        The bytes that were deleted.
    """
    before = _size(folder)
    shutil.rmtree(folder / "bin", ignore_errors=True)
    endings = (*_SOURCES, _STUB) if stubs else _SOURCES
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and path.name in NOT_NEEDED:
            shutil.rmtree(path)
        elif path.is_file() and (_is_note(path) or path.suffix in endings):
            path.unlink()
    return before - _size(folder)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _is_note(path: Path) -> bool:
    in_info = path.parent.suffix == ".dist-info"
    return path.name == ".lock" or (in_info and path.name in _INSTALLER_NOTES)
