"""What docs/serving.md shows of packages: every example is built, and the short ones answer."""

import re
from pathlib import Path

import pytest
import yaml

from halftone.domain.model.manifest import Flavor, Manifest
from halftone.domain.model.manifest_schema import load_manifest
from halftone.domain.model.schema import FieldType
from halftone.domain.model.smoke_test import check_answer, smoke_event
from halftone.domain.names import package_key
from halftone.packaging.folder import build_package
from halftone.serving.app import start
from halftone.serving.inference.artifacts import FolderArtifacts
from halftone.serving.settings import Settings

PAGE = (Path(__file__).parents[3] / "docs" / "serving.md").read_text()
PAIRS = re.findall(
    r"^```yaml\n(name:[^`]*)^```\n\n```python\n# (\w+\.py)\n(.*?)^```",
    PAGE,
    re.DOTALL | re.MULTILINE,
)
ALONE = [
    block
    for block in re.findall(r"^```yaml\n(name:.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    if "samples.json" in block and "flavor: mlflow" not in block
]


class Context:
    aws_request_id = "request-1"
    function_version = "3"


@pytest.mark.parametrize(
    ("manifest", "file", "code"), PAIRS, ids=[pair[0].split("\n")[0] for pair in PAIRS]
)
def test_an_example_with_its_code_answers_its_samples(manifest, file, code, tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "model.yaml").write_text(manifest)
    (folder / file).write_text(code)
    package = build_package(folder)
    stored = tmp_path / package_key(package.digest)
    stored.parent.mkdir()
    stored.write_bytes(package.data)
    log = []
    settings = Settings("e", "bucket", 500.0, 1_000_000, "rollout-1", package.digest)
    server = start(settings, FolderArtifacts(tmp_path), root=tmp_path / "new", write=log.append)
    for sample in package.manifest.samples:
        assert check_answer(sample, server(smoke_event("e", sample), Context())) is None
    assert log == []


def test_there_are_such_examples_of_python_free_json_and_apps():
    assert [yaml.safe_load(pair[0])["name"] for pair in PAIRS] == ["churn", "words", "greeter"]


@pytest.mark.parametrize("block", ALONE, ids=lambda block: block.split("\n")[0])
def test_the_other_manifests_are_manifests(block):
    document = yaml.safe_load(block)
    record = {field["name"]: value_of(field) for field in document["inputs"]}
    assert (
        load_manifest({**document, "samples": [{"instances": [record]}]}).flavor
        == document["flavor"]
    )


def value_of(field):
    value = "" if field["type"] == "string" else 0
    for size in reversed(field.get("shape", [])):
        value = [value] * size
    return value


def test_every_field_flavor_and_type_is_on_the_page():
    table = PAGE[PAGE.index("## model.yaml") :]
    for name in Manifest.__dataclass_fields__:
        assert f"`{name}`" in table, name
    for flavor in [*Flavor, "mlflow"]:
        assert f"## Flavor {flavor}\n" in PAGE
    for kind in FieldType:
        family = re.match("[a-z]+", kind).group()
        assert f"`{kind}`" in table or f"`{family}8` to" in table, kind
