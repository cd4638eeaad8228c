"""Halftone's model server around a graph: the real package, installed and loaded by real code."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from halftone.domain.endpoint.route_table import Experiment, RouteConfig
from halftone.domain.names import package_key
from halftone.domain.traffic.clients import RANDOM_BYTES, new_token
from halftone.domain.traffic.policy import (
    Access,
    Client,
    KeySource,
    Match,
    Mode,
    Rule,
    StickyKey,
    TrafficPolicy,
)
from halftone.packaging.folder import build_package
from halftone.serving.app import ModelServer
from halftone.serving.inference.artifacts import FolderArtifacts
from halftone.serving.inference.install import install
from halftone.serving.inference.loader import LoadedModel, load
from halftone.serving.routing.config_cache import Fixed, RouteConfigCache
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
USER_KEY = "x-user"
"""The header by which sticky routing tells users apart here."""

Handler = Callable[[dict[str, Any], Any], Any]


@dataclass(frozen=True)
class Clients:
    """Twenty clients, and the token of one of them."""

    token: str
    known: tuple[Client, ...]


def clients() -> Clients:
    """New ones."""
    token, client = _client("shop")
    return Clients(token, (*(_client(f"other-{i}")[1] for i in range(19)), client))


@dataclass(frozen=True)
class Stage:
    """A package of ``graph`` in ``home``, and servers of it by what is set."""

    graph: Path
    home: Path
    digest: str

    @classmethod
    def of(cls, graph: Path, home: Path) -> "Stage":
        """With the package made."""
        folder = home / "source"
        folder.mkdir()
        shutil.copy(graph, folder / "model.onnx")
        (folder / "model.yaml").write_text(yaml.safe_dump(MANIFEST))
        package = build_package(folder)
        stored = home / package_key(package.digest)
        stored.parent.mkdir(parents=True)
        stored.write_bytes(package.data)
        return cls(graph, home, package.digest)

    def server(self, serving: TrafficPolicy, trial: Experiment | None = None) -> ModelServer:
        """Version 3, the champion, which writes its lines to stdout as on Lambda."""
        settings = Settings("digits", "bucket", 500.0, 1_000_000, "rollout-1", self.digest)
        dispatch = RouteConfig("digits", 1, champion="3", serving=serving, trial=trial)
        return ModelServer(settings, self._load, cache=RouteConfigCache(Fixed(dispatch)))

    def _load(self) -> LoadedModel:
        folder, manifest = install(self.digest, FolderArtifacts(self.home), self.home / "root")
        return load(folder, manifest, self.digest)


def by_setting(stage: Stage, allowed: Clients) -> dict[str, ModelServer]:
    """Servers by what is set beside the model."""
    guarded = Experiment("rollout-2", "4", 0, Mode.GUARDED, share=5.0)
    sticky = StickyKey(KeySource.HEADER, USER_KEY)
    # None of them matches: all are tried.
    rules = (
        Rule(Match(headers={"x-region": ("eu", "us")}), "4"),
        Rule(Match(query={"beta": ("1",)}), "4"),
        Rule(Match(addresses=("10.0.0.0/8",)), "4"),
    )
    return {
        "public": stage.server(TrafficPolicy()),
        "private: a token": stage.server(
            TrafficPolicy(access=Access.PRIVATE, clients=allowed.known)
        ),
        "guarded, drawn at random": stage.server(TrafficPolicy(), guarded),
        "guarded, sticky by a header": stage.server(TrafficPolicy(key=sticky), guarded),
        "guarded, sticky, three rules before it": stage.server(
            TrafficPolicy(key=sticky, rules=rules), guarded
        ),
    }


def _client(name: str) -> tuple[str, Client]:
    token, token_id, digest = new_token(os.urandom(RANDOM_BYTES))
    return token, Client(name, token_id, digest, datetime.now(UTC), "benchmark")
