"""What a model has on Lambda, installed on this machine: its flavor's layer, and its environment.

Folders of packages and no virtual environments: Lambda puts a layer on ``sys.path`` as it is, too,
without reading ``.pth`` files. Each is installed once for its lock and Python, and kept.
"""

import hashlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from halftone.domain.errors import Unavailable
from halftone.domain.model.environment import Environment
from halftone.domain.model.manifest import Flavor
from halftone.domain.model.target import Architecture, Target
from halftone.packaging.environment import kept_archive
from halftone.packaging.folder import BuiltPackage
from halftone.packaging.interpreters import interpreter
from halftone.packaging.places import build_folder, layer_of, lock
from halftone.packaging.uv_tool import run_uv
from halftone_cli.console import note

_PINNED = re.compile(r"^([a-z0-9._-]+)==", re.MULTILINE)
_MACHINES = {"amd64": Architecture.X86_64, "aarch64": Architecture.ARM64}


@dataclass(frozen=True)
class ModelEnvironment:
    """What a package's model is run with on this machine.

    ``python`` is the interpreter, ``layer`` the folder of its flavor's packages, ``environment``
    the folder of its own; None without requirements.
    """

    python: Path
    layer: Path
    environment: Path | None


def model_environment(built: BuiltPackage) -> ModelEnvironment:
    """What a package is run with; what is missing is installed by uv.

    Raises:
        Unavailable: if it can't be installed, with the reason and the way around.
    """
    manifest = built.manifest
    environment = manifest.environment
    if environment is None:
        return ModelEnvironment(Path(sys.executable), flavor_environment(manifest.flavor), None)
    python = interpreter(environment.target)
    if python is None:
        raise Unavailable(
            f"the package's environment is for Python {environment.target.python}, which is not"
            f" installed here: `uv python install {environment.target.python}`, or pass --no-run"
        )
    archive = built.environment.archive if built.environment else kept_archive(environment)
    layer = flavor_environment(manifest.flavor, python)
    return ModelEnvironment(python, layer, _environment(environment, archive, python))


def flavor_environment(flavor: Flavor, python: Path | None = None) -> Path:
    """The folder with the packages of a flavor's layer; installed by uv if it is not there yet.

    Raises:
        Unavailable: if they can't be installed, with the reason and the way around.
    """
    name = layer_of(flavor)
    file = lock(name)
    version, path = ".".join(map(str, sys.version_info[:3])), Path(sys.executable)
    if python is not None and python != path:
        version, path = _version(python), python
    key = hashlib.sha256(f"{version} {sys.platform} ".encode() + file.read_bytes()).hexdigest()[:24]
    folder = build_folder() / "flavors" / f"{name.removeprefix('model-')}-{key}"
    if not folder.is_dir():
        count = len(packages_of(flavor))
        note(f"installing what flavor {flavor} has on Lambda, {count} packages, for the first time")
        arguments = ("--require-hashes", "--requirement", str(file))
        _keep(folder, lambda fresh: _install(arguments, fresh, path, f"flavor {flavor}'s packages"))
    return folder


def packages_of(flavor: Flavor) -> list[str]:
    """The names of the packages that a flavor's layer has."""
    text = lock(layer_of(flavor)).read_text(encoding="utf-8")
    return [*dict.fromkeys(_PINNED.findall(text))]


def runs_here(target: Target) -> bool:
    """Whether compiled code for ``target`` runs on this machine."""
    machine = platform.machine().lower()
    return sys.platform == "linux" and _MACHINES.get(machine, machine) == target.architecture


def _environment(environment: Environment, archive: Path | None, python: Path) -> Path:
    home = build_folder() / "environments" / "unpacked"
    if runs_here(environment.target):
        folder = home / environment.digest
        if not folder.is_dir():
            if archive is None:
                raise Unavailable(
                    f"environment {environment.digest[:12]} was not built on this machine:"
                    " package the folder again, or pass --no-run"
                )
            source = archive
            _keep(folder, lambda fresh: _unpack(source, fresh))
        return folder
    # Compiled code for Lambda does not run here: the same versions do, as this machine has them.
    folder = home / f"{environment.digest}-{sys.platform}-{platform.machine()}"
    if not folder.is_dir():
        note(f"installing the environment for this machine, {len(environment.packages)} packages")
        packages = environment.packages
        _keep(folder, lambda fresh: _install(packages, fresh, python, "the environment"))
    return folder


def _unpack(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as content:
        content.extractall(folder)


def _version(python: Path) -> str:
    done = subprocess.run(  # noqa: S603
        [str(python), "-I", "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def _keep(folder: Path, fill: Callable[[Path], None]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, ignore_cleanup_errors=True) as fresh:
        target = Path(fresh) / "packages"
        target.mkdir()
        fill(target)
        try:
            target.rename(folder)
        except OSError:
            # Another command was faster; what it installed is the same.
            if not folder.is_dir():
                raise


def _install(arguments: Sequence[str], target: Path, python: Path, what: str) -> None:
    shutil.rmtree(target)
    command = ["pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
    command += ["--python", str(python), "--target", str(target), *arguments]
    remedy = "connect to a package index, or pass --no-run to leave the samples to the release"
    try:
        done = run_uv(*command, doing=f"installing {what}")
    except Unavailable as error:
        raise Unavailable(f"{error}: {remedy}") from None
    if done.returncode:
        why = " ".join(done.stderr.split()) or f"uv ended with {done.returncode}"
        raise Unavailable(f"installing {what}: {why}; {remedy}")
