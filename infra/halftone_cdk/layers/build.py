"""Layers: Halftone's own code, and for each function group what its lock names.

A layer is built once for its inputs (lock or sources, target, and this builder's own code) and kept
below ``build/layers``; the second synth finds it there. A build that is stopped leaves nothing
under a final name.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

from halftone.domain.errors import HalftoneError
from halftone_cdk.layers import archive
from halftone_cdk.layers.bytecode import compile_folder
from halftone_cdk.layers.target import Target
from halftone_cdk.paths import BUILD, HALFTONE, NODE_LOCK, REQUIREMENTS

IMPORTED_FROM = "/opt/python"
"""Where Lambda mounts the ``python`` folder of a layer."""

_NOT_NEEDED = ("tests", "test", "__pycache__")
_SOURCES = (".pyi", ".pyx", ".pxd", ".pxi", ".c", ".cpp", ".h", ".hpp", ".a", ".f", ".tp")
"""Stubs, headers and sources of compiled modules: read by compilers, never by an import."""
_INSTALLER_NOTES = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")


class LayerError(HalftoneError):
    """A layer could not be built."""


@dataclass(frozen=True)
class Layer:
    """A built layer. ``digest`` names its content, ``size`` is in bytes when unzipped."""

    name: str
    archive: Path
    digest: str
    size: int


def core_layer(target: Target) -> Layer:
    """The package ``halftone`` with its bytecode."""

    def fill(folder: Path) -> None:
        ignored = shutil.ignore_patterns(*_NOT_NEEDED)
        shutil.copytree(HALFTONE, folder / HALFTONE.name, ignore=ignored)

    return _layer("core", _sources_digest(HALFTONE), target, fill)


def vendor_layer(group: str, target: Target) -> Layer:
    """The packages of ``requirements/{group}.txt`` for a target, with their bytecode.

    Raises:
        LayerError: if there is no such lock, or it does not resolve for the target.
    """
    lock = REQUIREMENTS / f"{group}.txt"
    if not lock.exists():
        raise LayerError(f"there is no lock {group} among {REQUIREMENTS.name}/*.txt")

    def fill(folder: Path) -> None:
        _install(lock, folder, target)
        _prune(folder)

    return _layer(group, hashlib.sha256(lock.read_bytes()).hexdigest(), target, fill)


def _layer(name: str, source: str, target: Target, fill: Callable[[Path], None]) -> Layer:
    key = hashlib.sha256(f"{name} {source} {target} {_builder_digest()}".encode()).hexdigest()[:24]
    folder = BUILD / "layers" / f"{name}-{target.runtime}-{target.architecture}-{key}"
    if not folder.exists():
        sys.stderr.write(f"building layer {name} for {target} ...\n")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as fresh:
            _make(Path(fresh), target, fill)
            _keep(Path(fresh) / "layer", folder)
    facts = json.loads((folder / "layer.json").read_text())
    return Layer(name, folder / "layer.zip", facts["digest"], facts["size"])


def _make(folder: Path, target: Target, fill: Callable[[Path], None]) -> None:
    tree, layer = folder / "tree", folder / "layer"
    packages = tree / "python"
    packages.mkdir(parents=True)
    layer.mkdir()
    fill(packages)
    compile_folder(packages, target, prefix=IMPORTED_FROM)
    archive.zip_folder(tree, layer / "layer.zip")
    facts = {"digest": archive.content_digest(tree), "size": archive.unzipped_size(tree)}
    (layer / "layer.json").write_text(json.dumps(facts))


def _keep(layer: Path, folder: Path) -> None:
    try:
        layer.rename(folder)
    except OSError:
        # Another synth was faster; what it built is the same.
        if not folder.exists():
            raise


def _install(lock: Path, folder: Path, target: Target) -> None:
    command = [find_uv_bin(), "pip", "install", "--quiet", "--require-hashes", "--no-deps"]
    command += ["--only-binary", ":all:", "--python-platform", target.platform]
    command += ["--python-version", target.python, "--link-mode", "copy"]
    command += ["--target", str(folder), "--requirement", str(lock)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise LayerError(f"the lock {lock.stem} does not install for {target}:\n{done.stderr}")


def _prune(folder: Path) -> None:
    """Leave out what no import needs and what differs from one installation to the next."""
    shutil.rmtree(folder / "bin", ignore_errors=True)
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and path.name in _NOT_NEEDED:
            shutil.rmtree(path)
        elif path.is_file() and (_is_note(path) or path.suffix in _SOURCES):
            path.unlink()


def _is_note(path: Path) -> bool:
    in_info = path.parent.suffix == ".dist-info"
    return path.name == ".lock" or (in_info and path.name in _INSTALLER_NOTES)


def _sources_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in archive.files(folder):
        name = path.relative_to(folder)
        if not {*_NOT_NEEDED} & {*name.parts}:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{content} {name.as_posix()}\n".encode())
    return digest.hexdigest()


def _builder_digest() -> str:
    """This package's own code, and the lock that pins the compiler of other Pythons' bytecode."""
    node_lock = hashlib.sha256(NODE_LOCK.read_bytes()).hexdigest()
    return _sources_digest(Path(__file__).parent) + node_lock
