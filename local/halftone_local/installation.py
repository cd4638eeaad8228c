"""The environment that the local AWS runs in: where it is, and how it is made where it is missing.

The server has an environment of its own, because the Python workers of deployed functions inherit
its packages: what a function imports must come from its layers. In a checkout ``make setup`` makes
it below ``.local/``. Elsewhere the first start makes it from the same lock, in the user's state
folder (``XDG_STATE_HOME``).
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from halftone.domain.errors import Unavailable
from halftone_local.pins import MINISTACK_VERSION

_PACKAGE = Path(__file__).resolve().parent
_PACKED_LOCK = _PACKAGE / "local.txt"
CHECKOUT = None if _PACKED_LOCK.is_file() else _PACKAGE.parents[1]
"""The checkout that this package is part of, or None where it is installed from a wheel."""

Report = Callable[[str], None]


class LocalAwsError(Unavailable):
    """The local AWS could not be started, found or stopped; the message says why."""


def _state_folder() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "halftone"


def _environment_name() -> str:
    """One environment for each lock and Python: another release makes its own."""
    inputs = f"{sys.version_info[:2]} {_PACKED_LOCK.read_text()}".encode()
    return f"venv-{hashlib.sha256(inputs).hexdigest()[:12]}"


HOME = CHECKOUT / ".local" if CHECKOUT else _state_folder()
"""Everything that the local AWS leaves on disk."""

VENV = HOME / ("venv" if CHECKOUT else _environment_name())
PYTHON = VENV / "bin" / "python"
"""The interpreter that runs the server and the functions."""

IMPORTS = CHECKOUT / "local" if CHECKOUT else VENV / "halftone"
"""A folder with this package and nothing else, for the server's path."""


def require(python: Path, report: Report) -> None:
    """Make the environment if this is no checkout and there is none; check what is in it.

    Raises:
        LocalAwsError: saying what is missing, and how to install it.
    """
    if CHECKOUT is None and not python.exists():
        report("installing the local AWS (once)")
        HOME.mkdir(parents=True, exist_ok=True)
        with (HOME / "venv.lock").open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            if not python.exists():
                _make()
    remedy = "run `make setup`" if CHECKOUT else f"remove {VENV}; the next start makes it again"
    if not python.exists():
        raise LocalAwsError(f"{python} does not exist: {remedy}")
    query = "from importlib.metadata import version; print(version('ministack'))"
    answer = subprocess.run(  # noqa: S603
        [str(python), "-c", query], capture_output=True, text=True, check=False
    )
    installed = answer.stdout.strip() or "no ministack"
    if installed != MINISTACK_VERSION:
        raise LocalAwsError(
            f"{python} has {installed}, ministack {MINISTACK_VERSION} is required: {remedy}"
        )


def _make() -> None:
    if importlib.util.find_spec("uv") is None:
        raise LocalAwsError("the local AWS is an extra: pip install 'halftone[local]'")
    from uv import find_uv_bin  # noqa: PLC0415 - in the extra only

    half = VENV.with_suffix(".part")
    shutil.rmtree(half, ignore_errors=True)
    uv = find_uv_bin()
    install = ["pip", "install", "--quiet", "--require-hashes", "--no-deps"]
    for command in (
        ["venv", "--quiet", "--relocatable", "--python", sys.executable, str(half)],
        [*install, "--python", str(half), "--requirement", str(_PACKED_LOCK)],
    ):
        done = subprocess.run([uv, *command], capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise LocalAwsError(f"the local AWS could not be installed:\n{done.stderr.strip()}")
    (half / IMPORTS.name).mkdir()
    (half / IMPORTS.name / _PACKAGE.name).symlink_to(_PACKAGE, target_is_directory=True)
    half.rename(VENV)
