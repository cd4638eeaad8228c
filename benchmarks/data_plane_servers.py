"""Halftone's model server around a graph: the real package, installed and loaded by real code."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from halftone.adapters.folder import build_package
from halftone.domain.names import package_key
from halftone.serving.app import start
from halftone.serving.artifacts import FolderArtifacts
from halftone.serving.settings import Settings

MANIFEST: dict[str, Any] = {
    "name": "rows",
    "flavor": "onnx",
    "entry": "model.onnx",
    "inputs": [{"name": "X", "type": "float32", "shape": [64], "minimum": 0, "maximum": 1}],
    "outputs": [
        {"name": "label", "type": "int64"},
        {"name": "probabilities", "type": "float32", "shape": [10]},
    ],
    "samples": [{"instances": [{"X": [0] * 64}]}],
}
Handler = Callable[[dict[str, Any], Any], Any]


def halftone(graph: Path, home: Path, write: Callable[[str], object]) -> tuple[Handler, str]:
    """A server of ``graph``, and the Authorization header of a client that may call it."""
    source = home / "source"
    source.mkdir()
    shutil.copy(graph, source / "model.onnx")
    (source / "model.yaml").write_text(yaml.safe_dump(MANIFEST))
    package = build_package(source)
    stored = home / package_key(package.digest)
    stored.parent.mkdir(parents=True)
    stored.write_bytes(package.data)
    settings = Settings("digits", "bucket", 500.0, 1_000_000, "rollout-1", package.digest)
    return start(settings, FolderArtifacts(home), root=home / "root", write=write), ""
