"""Halftone's model server around a graph: the real package, installed and loaded by real code."""

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from halftone.adapters.folder import build_package
from halftone.domain.clients import RANDOM_BYTES, new_token
from halftone.domain.dispatch import Dispatch
from halftone.domain.names import package_key
from halftone.domain.serving import Access, Client, Serving
from halftone.serving.app import ModelServer
from halftone.serving.artifacts import FolderArtifacts
from halftone.serving.dispatches import Fixed, Known
from halftone.serving.install import install
from halftone.serving.loading import LoadedModel, load
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


def halftone(
    graph: Path, home: Path, write: Callable[[str], object]
) -> tuple[Handler, Handler, str]:
    """Two servers of ``graph`` that write metric lines: one for everybody, one for twenty clients
    with tokens; and the header by which one of those calls.
    """
    folder = home / "source"
    folder.mkdir()
    shutil.copy(graph, folder / "model.onnx")
    (folder / "model.yaml").write_text(yaml.safe_dump(MANIFEST))
    package = build_package(folder)
    stored = home / package_key(package.digest)
    stored.parent.mkdir(parents=True)
    stored.write_bytes(package.data)
    settings = Settings("digits", "bucket", 500.0, 1_000_000, "rollout-1", package.digest)

    def source() -> LoadedModel:
        return load(*install(package.digest, FolderArtifacts(home), home / "root"), package.digest)

    def server(serving: Serving) -> ModelServer:
        known = Known(Fixed(Dispatch("digits", 1, champion="3", serving=serving)))
        return ModelServer(settings, source, write=write, known=known)

    token, client = _client("shop")
    others = tuple(_client(f"other-{i}")[1] for i in range(19))
    private = Serving(access=Access.PRIVATE, clients=(*others, client))
    return server(Serving()), server(private), f"Bearer {token}"


def _client(name: str) -> tuple[str, Client]:
    token, token_id, digest = new_token(os.urandom(RANDOM_BYTES))
    return token, Client(name, token_id, digest, datetime.now(UTC), "benchmark")
