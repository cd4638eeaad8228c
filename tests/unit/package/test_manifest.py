"""``model.yaml`` is taken whole or refused with file, field and value."""

import copy

import pytest

from halftone.domain.errors import InvalidPackage
from halftone.domain.package_form import manifest_from_json, parse_manifest

GIVEN = {
    "name": "doubler",
    "flavor": "python",
    "entry": "predict.py",
    "inputs": [{"name": "x", "type": "float64"}],
    "outputs": [{"name": "y", "type": "float64"}],
    "samples": [{"instances": [{"x": 1}], "predictions": [{"y": 2}], "tolerance": 0.001}],
}


def changed(path, value):
    """GIVEN with one value replaced; the path is keys and indexes."""
    given = copy.deepcopy(GIVEN)
    inner = given
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return given


def test_a_manifest_reads_back_from_its_own_json():
    given = {**GIVEN, "flavor": "onnx", "entry": "a/model.onnx", "preprocess": "a/before.py"}
    manifest = parse_manifest(given)
    assert manifest_from_json(manifest.to_json()) == manifest
    assert manifest.files == ("a/model.onnx", "a/before.py")


def test_the_json_does_not_depend_on_the_order_of_the_file():
    backwards = dict(reversed(GIVEN.items()))
    assert parse_manifest(backwards).to_json() == parse_manifest(GIVEN).to_json()


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (["name"], "Doubler!", "name"),
        (["flavor"], "pickle", "flavor"),
        (["flavor"], None, "flavor"),
        (["entry"], "predict.txt", "entry"),
        (["entry"], "../predict.py", "entry"),
        (["entry"], "/predict.py", "entry"),
        (["entry"], "a//predict.py", "entry"),
        (["entry"], None, "entry"),
        (["preprocess"], "before.py", "preprocess"),
        (["description"], 7, "description"),
        (["samples"], [], "samples"),
        (["samples"], None, "samples"),
        (["samples"], ["x"], "samples[0]"),
        (["samples", 0, "instances"], [{"x": "1"}], "samples[0].instances[0].x"),
        (["samples", 0, "predictions"], [{"z": 2}], "samples[0].predictions[0].y"),
        (["samples", 0, "predictions"], [{"y": 2}, {"y": 2}], "samples[0].predictions"),
        (["samples", 0, "tolerance"], "1e-6", "samples[0].tolerance"),
        (["samples", 0, "expected"], [], "samples[0].expected"),
        (["inputs", 0, "type"], "number", "inputs[0].type"),
        (["version"], 3, "version"),
    ],
)
def test_a_wrong_value_is_named_with_file_field_and_value(path, value, field):
    with pytest.raises(InvalidPackage) as caught:
        parse_manifest(changed(path, value), source="models/a/model.yaml")
    assert caught.value.field == field
    assert str(caught.value).startswith(f"models/a/model.yaml: {field} is ")


@pytest.mark.parametrize("text", [b"", b"[]", b"\xff", b"[" * 100_000, b'{"name": "a"}'])
def test_what_is_no_manifest_is_refused(text):
    with pytest.raises(InvalidPackage):
        manifest_from_json(text)
