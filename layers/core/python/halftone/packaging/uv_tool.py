"""Runs uv, which resolves and installs packages."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from halftone.domain.errors import Unavailable

_SECONDS = 900


def run_uv(*arguments: str, doing: str) -> "subprocess.CompletedProcess[str]":
    """Run uv with ``arguments``, and wait for its end.

    Raises:
        Unavailable: if there is no uv, or it takes longer than a quarter of an hour.
    """
    # The running Python is the one that uv may start: it downloads none.
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1"}
    try:
        return subprocess.run(  # noqa: S603
            [uv_program(), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{doing}: no answer within {_SECONDS} s") from None


def install_arguments(target: Path, *, python: str, platform: str) -> Sequence[str]:
    """The arguments that install wheels for a Python and a platform into the folder ``target``."""
    return (
        *("pip", "install", "--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:"),
        *("--python", sys.executable, "--python-platform", platform, "--python-version", python),
        *("--link-mode", "copy", "--target", str(target)),
    )


def uv_program() -> str:
    """The path of uv.

    Raises:
        Unavailable: if it is not installed.
    """
    beside = Path(sys.executable).with_name("uv")
    program = str(beside) if beside.is_file() else shutil.which("uv")
    if program is None:
        raise Unavailable("packages are resolved and installed by uv: pip install uv")
    return program
