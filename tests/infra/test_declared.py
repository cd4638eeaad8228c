"""Folders that declare endpoints, and how a wrong one is told."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from halftone.domain.errors import InvalidInput
from halftone_cdk.constructs.endpoint.release import deployer
from halftone_cdk.declared import declared_endpoints
from tests.infra.support import EXAMPLES

CHAMPION = EXAMPLES / "breast-cancer" / "models" / "champion"


def declare(folder: Path, text: str) -> Path:
    """An endpoint's folder with a real package in it."""
    shutil.copytree(CHAMPION, folder / "champion")
    source = folder / "endpoint.yaml"
    source.write_text(text)
    return source


def test_every_folder_with_a_declaration_is_an_endpoint(tmp_path: Path) -> None:
    declare(tmp_path / "b", "name: second\nmodel: champion\n")
    declare(tmp_path / "a", "name: first\nmodel: champion\nmemory: 256\n")
    (tmp_path / "notes").mkdir()
    first, second = declared_endpoints(tmp_path)
    assert (first.spec.name, first.spec.memory, second.spec.name) == ("first", 256, "second")
    assert first.package.digest == second.package.digest


@pytest.mark.parametrize(
    ("text", "field", "value", "expected"),
    [
        ("name: Fraud\nmodel: champion\n", "name", "Fraud", "a-z"),
        ("name: fraud\n", "model", None, "a path"),
        ("name: fraud\nmodel: ../champion\n", "model", "../champion", "a path below"),
        ("name: fraud\nmodel: challenger\n", "model", "challenger", "a model package below"),
        ("name: no\nmodel: champion\n", "name", False, "hyphens, in quotes"),
        (
            "name: fraud\nmodel: champion\nmemroy: 1\n",
            "memroy",
            1,
            "no such field (did you mean memory?)",
        ),
        (
            "name: fraud\nmodel: champion\nplan: {steps: [{wieght: 5}]}\n",
            "plan.steps[0].wieght",
            5,
            "no such field (did you mean weight?)",
        ),
        (
            "name: fraud\nmodel: champion\nplan: {steps: [{weight: 120}]}\n",
            "plan.steps[0].weight",
            120,
            "a percentage from 0.1 to 100",
        ),
        (
            "name: fraud\nmodel: champion\nplan: {steps: [{weight: 50}, {weight: 20}]}\n",
            "plan.steps[1].weight",
            20.0,
            "more than the 50 % before it",
        ),
        ("name: fraud\nname: froud\n", "line 2", "name is given twice", "YAML"),
        ("name: [fraud\n", "line 2", "expected ',' or ']'", "YAML"),
        ("- fraud\n", "endpoint.yaml", ["fraud"], "a mapping"),
    ],
)
def test_a_wrong_declaration_is_told_with_field_and_value(
    text: str, field: str, value: object, expected: str, tmp_path: Path
) -> None:
    source = declare(tmp_path / "fraud", text)
    with pytest.raises(InvalidInput) as raised:
        declared_endpoints(tmp_path)
    error = raised.value
    assert (error.field, error.source) == (field, str(source))
    if isinstance(value, str) and error.value != value:
        assert str(error.value).startswith(value)
    else:
        assert error.value == value
    assert expected in error.expected
    assert "\n" not in str(error)


def test_two_endpoints_of_one_name_are_refused(tmp_path: Path) -> None:
    first = declare(tmp_path / "a", "name: fraud\nmodel: champion\n")
    second = declare(tmp_path / "b", "name: fraud\nmodel: champion\n")
    with pytest.raises(InvalidInput) as raised:
        declared_endpoints(tmp_path)
    assert (raised.value.value, raised.value.source) == ("fraud", str(second))
    assert str(first) in raised.value.expected


@pytest.mark.parametrize(
    ("wrong", "right", "field", "value"),
    [
        ("flavor: python", "flavor: pmml", "flavor", "pmml"),
        ("entry: predict.py", "entry: missing.py", "entry", "missing.py"),
    ],
)
def test_a_wrong_package_is_told_with_its_file(
    wrong: str, right: str, field: str, value: str, tmp_path: Path
) -> None:
    declare(tmp_path / "fraud", "name: fraud\nmodel: champion\n")
    manifest = tmp_path / "fraud" / "champion" / "model.yaml"
    manifest.write_text(manifest.read_text().replace(wrong, right))
    with pytest.raises(InvalidInput) as raised:
        declared_endpoints(tmp_path)
    assert (raised.value.field, raised.value.value) == (field, value)
    assert raised.value.source == str(manifest)


@pytest.mark.parametrize(
    ("content", "expected"), [(b"\xff\xfe\x00", "UTF-8"), (b"a: \x00", "printable characters")]
)
def test_a_file_that_is_no_text_is_told(content: bytes, expected: str, tmp_path: Path) -> None:
    source = declare(tmp_path / "fraud", "")
    source.write_bytes(content)
    with pytest.raises(InvalidInput) as raised:
        declared_endpoints(tmp_path)
    assert raised.value.source == str(source)
    assert raised.value.expected == expected


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({}, {}),
        ({"deployer": ""}, {}),
        ({"deployer": "arn:aws:iam::1:user/x"}, InvalidInput),
        (
            {"deployer": "arn:aws:iam::111111111111:user/ann"},
            {"Deployer": "arn:aws:iam::111111111111:user/ann"},
        ),
    ],
)
def test_whose_deploy_it_is_comes_from_the_context(context: Any, expected: Any) -> None:
    app = App(context=context)
    if expected is InvalidInput:
        with pytest.raises(InvalidInput, match="principal"):
            deployer(app)
    else:
        assert deployer(app) == expected
