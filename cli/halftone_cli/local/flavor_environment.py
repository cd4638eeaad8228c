"""What a flavor's layer has on Lambda, installed on this machine from the same lock.

A folder of packages and no virtual environment: Lambda puts a layer on ``sys.path`` as it is, too,
without reading ``.pth`` files. Installed once for each lock and Python, and kept by their digest.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from halftone.domain.errors import Unavailable
from halftone.domain.model.manifest import Flavor
from halftone_cli.console import note

_PINNED = re.compile(r"^([a-z0-9._-]+)==", re.MULTILINE)
_SECONDS = 900


def flavor_environment(flavor: Flavor) -> Path:
    """The folder with the packages of a flavor's layer; installed by uv if it is not there yet.

    Raises:
        Unavailable: if they can't be installed, with the reason and the way around.
    """
    lock = _lock(flavor)
    python = ".".join(map(str, sys.version_info[:3]))
    key = hashlib.sha256(f"{python} {sys.platform} ".encode() + lock.read_bytes()).hexdigest()[:24]
    folder = _cache() / "flavors" / f"{flavor}-{key}"
    if not folder.is_dir():
        count = len(packages_of(flavor))
        note(f"installing what flavor {flavor} has on Lambda, {count} packages, for the first time")
        _keep(lock, folder, flavor)
    return folder


def packages_of(flavor: Flavor) -> list[str]:
    """The names of the packages that a flavor's layer has."""
    return [*dict.fromkeys(_PINNED.findall(_lock(flavor).read_text(encoding="utf-8")))]


def _lock(flavor: Flavor) -> Path:
    """The flavor's lock: in an installed wheel data of ``halftone_cdk``, else in the checkout."""
    spec = importlib.util.find_spec("halftone_cdk")
    folder = Path(spec.origin).parent if spec and spec.origin else None
    candidates = [folder / "assets", folder.parents[1]] if folder else []
    for candidate in candidates:
        lock = candidate / "requirements" / f"model-{flavor}.txt"
        if lock.is_file():
            return lock
    raise Unavailable(
        f"the lock of flavor {flavor} is not installed: install halftone again, or pass --no-run"
    )


def _cache() -> Path:
    """Where environments are kept: ``build`` of a checkout, else the user's cache."""
    checkout = Path(__file__).resolve().parents[3]
    if (checkout / "pyproject.toml").is_file() and (checkout / "requirements").is_dir():
        return checkout / "build"
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "halftone"


def _keep(lock: Path, folder: Path, flavor: Flavor) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, ignore_cleanup_errors=True) as fresh:
        target = Path(fresh) / "packages"
        _install(lock, target, flavor)
        try:
            target.rename(folder)
        except OSError:
            # Another command was faster; what it installed is the same.
            if not folder.is_dir():
                raise


def _install(lock: Path, target: Path, flavor: Flavor) -> None:
    command = [_uv(), "pip", "install", "--quiet", "--require-hashes", "--no-deps"]
    command += ["--only-binary", ":all:", "--python", sys.executable]
    command += ["--target", str(target), "--requirement", str(lock)]
    remedy = "connect to a package index, or pass --no-run to leave the samples to the release"
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        why = f"no answer within {_SECONDS} s"
        raise Unavailable(f"installing flavor {flavor}'s packages: {why}: {remedy}") from None
    if done.returncode:
        why = " ".join(done.stderr.split()) or f"uv ended with {done.returncode}"
        raise Unavailable(f"installing flavor {flavor}'s packages: {why}; {remedy}")


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    program = str(beside) if beside.is_file() else shutil.which("uv")
    if program is None:
        raise Unavailable(
            "the samples run with what the flavor has on Lambda, which uv installs:"
            " pip install uv, or pass --no-run"
        )
    return program
