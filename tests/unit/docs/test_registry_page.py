"""The pages on the registry, deployments, logs and figures say what the code knows, and no less."""

from dataclasses import fields
from pathlib import Path

import pytest

from halftone.api.app import create_app
from halftone.api.authorizer import ApiContext
from halftone.api.openapi import document
from halftone.domain.endpoint.capacity import Capacity
from halftone.domain.endpoint.status import Status
from halftone.domain.insight.charts import Chart
from halftone.domain.insight.logs import NEWEST
from halftone.domain.model.registry import Details, ModelAlias, Validation
from halftone.service.insight.charts import MOST_VERSIONS
from halftone.service.insight.logs import MOST_REPLICAS
from halftone.testing import InMemoryStage

DOCS = Path(__file__).parents[3] / "docs"
REGISTRY = (DOCS / "registry.md").read_text(encoding="utf-8")
WATCHING = (DOCS / "watching.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("status", Status)
def test_every_status_is_explained(status):
    assert f"| {status.value} |" in REGISTRY


@pytest.mark.parametrize("name", [f.name for f in (*fields(Details), *fields(Capacity))])
def test_every_field_is_explained(name):
    rows = [line for line in REGISTRY.splitlines() if line.startswith("| `")]
    assert any(f"`{name}`" in row.split("|")[1] for row in rows)


@pytest.mark.parametrize("word", [*ModelAlias, *Validation])
def test_every_word_is_named(word):
    assert word.value in REGISTRY


@pytest.mark.parametrize("series", [f.name for f in fields(Chart)])
def test_every_series_is_explained(series):
    rows = [line for line in WATCHING.splitlines() if line.startswith("| `")]
    assert any(f"`{series}`" in row.split("|")[1] for row in rows)


def test_the_numbers_are_those_of_the_code():
    assert f"newest {NEWEST} lines, of its last {MOST_REPLICAS} replicas" in WATCHING
    assert f"the {MOST_VERSIONS} newest" in WATCHING


def test_every_path_of_these_topics_is_there():
    app = create_app(ApiContext(InMemoryStage().ports(), lambda _: ""))
    topics = {"models", "deployments", "logs", "metrics"}
    text = f"{REGISTRY}{WATCHING}"
    for path, operations in document(app)["paths"].items():
        if topics & {tag for operation in operations.values() for tag in operation["tags"]}:
            last = path.rstrip("/").split("/")[-1]
            name = last if not last.startswith("{") else path.split("/")[-2]
            assert name in text, path
