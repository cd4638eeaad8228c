"""Python interpreters of this machine, by version."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from halftone.domain.model.target import Target

_PROBE = "import sys; print('%s %d.%d' % ((sys.implementation.name,) + sys.version_info[:2]))"


def interpreter(target: Target) -> Path | None:
    """A CPython of the target's version that runs on this machine, if one is installed.

    The running one comes first, then those on PATH, of pyenv and of uv.
    """
    return _interpreter(target.python)


@cache
def _interpreter(version: str) -> Path | None:
    if version == f"{sys.version_info[0]}.{sys.version_info[1]}":
        return Path(sys.executable)
    name = f"python{version}"
    folders = [Path(part) for part in os.environ.get("PATH", "").split(os.pathsep) if part]
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    managed = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for pattern, root in ((f"cpython-{version}*/bin", managed), (f"{version}*/bin", pyenv)):
        folders += sorted(root.glob(pattern), reverse=True)
    candidates = (folder / name for folder in folders)
    return next((path for path in candidates if path.is_file() and _runs(path, version)), None)


def _runs(path: Path, version: str) -> bool:
    # A shim of pyenv is there for every version, and fails for those that are not chosen.
    try:
        done = subprocess.run(  # noqa: S603
            [str(path), "-I", "-c", _PROBE], capture_output=True, text=True, check=False, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.stdout.strip() == f"cpython {version}"
