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
from halftone.domain.model.environment import Environment
from halftone.domain.model.target import Target
from halftone.packaging import bytecode, pruning
from halftone.packaging.bytecode import compile_folder
from halftone.packaging.pruning import NOT_NEEDED, prune
from halftone_cdk.layers import archive
from halftone_cdk.paths import BUILD, HALFTONE, NODE_LOCK, REQUIREMENTS

IMPORTED_FROM = "/opt/python"
"""Where Lambda mounts the ``python`` folder of a layer."""


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
        ignored = shutil.ignore_patterns(*NOT_NEEDED, "*.mjs")
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
        prune(folder)

    return _layer(group, hashlib.sha256(lock.read_bytes()).hexdigest(), target, fill)


def environment_layer(environment: Environment, source: Path) -> Layer:
    """The environment in the zip ``source`` as a layer, in the folder that the server knows."""
    digest = environment.digest
    folder = BUILD / "layers" / f"environment-{digest}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as fresh:
            layer = Path(fresh) / "layer"
            layer.mkdir()
            archive.nest(source, layer / "layer.zip", f"environments/{digest}")
            _keep(layer, folder)
    name = f"environment-{digest[:12]}"
    # Its own name: a deploy uploads the environment itself under that of its digest.
    named = hashlib.sha256(f"layer {digest}".encode()).hexdigest()
    return Layer(name, folder / "layer.zip", named, environment.unzipped)


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


def _sources_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in archive.files(folder):
        name = path.relative_to(folder)
        if not {*NOT_NEEDED} & {*name.parts}:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{content} {name.as_posix()}\n".encode())
    return digest.hexdigest()


def _builder_digest() -> str:
    """This package's own code, and the lock that pins the compiler of other Pythons' bytecode."""
    node_lock = hashlib.sha256(NODE_LOCK.read_bytes()).hexdigest()
    packaging = [Path(bytecode.__file__), Path(pruning.__file__)]
    shared = "".join(hashlib.sha256(file.read_bytes()).hexdigest() for file in packaging)
    return _sources_digest(Path(__file__).parent) + shared + node_lock
