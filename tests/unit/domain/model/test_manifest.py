"""``model.yaml`` is taken whole or refused with file, field and value."""

import copy

import pytest

from halftone.domain.errors import InvalidPackage
from halftone.domain.model.manifest import Interface
from halftone.domain.model.manifest_schema import load_manifest, manifest_from_json

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
    original = copy.deepcopy(GIVEN)
    inner = original
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return original


def test_a_manifest_reads_back_from_its_own_json():
    fields = {**GIVEN, "flavor": "onnx", "entry": "a/model.onnx", "preprocess": "a/before.py"}
    manifest = load_manifest(fields)
    assert manifest_from_json(manifest.to_json()) == manifest
    assert manifest.files == ("a/model.onnx", "a/before.py")


def test_the_json_does_not_depend_on_the_order_of_the_file():
    backwards = dict(reversed(GIVEN.items()))
    assert load_manifest(backwards).to_json() == load_manifest(GIVEN).to_json()


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
        load_manifest(changed(path, value), source="models/a/model.yaml")
    assert caught.value.field == field
    assert str(caught.value).startswith(f"models/a/model.yaml: {field} is ")


@pytest.mark.parametrize("text", [b"", b"[]", b"\xff", b"[" * 100_000, b'{"name": "a"}'])
def test_what_is_no_manifest_is_refused(text):
    with pytest.raises(InvalidPackage):
        manifest_from_json(text)


SKLEARN = {**GIVEN, "flavor": "sklearn", "entry": "model.skops"}
FREE = {
    "name": "free",
    "flavor": "python",
    "entry": "predict.py",
    "samples": [{"request": {"text": "a"}, "response": [1, 2.5, None]}],
}
APP = {
    "name": "app",
    "flavor": "asgi",
    "entry": "app.py",
    "samples": [
        {"method": "GET", "path": "/x?y=1"},
        {"method": "POST", "path": "/", "body": {"a": 1}, "status": 201, "response": "made"},
    ],
}


@pytest.mark.parametrize(
    ("given", "interface"),
    [
        ({**SKLEARN, "trusted": ["a.b.C"], "preprocess": "steps.py"}, Interface.RECORDS),
        ({**SKLEARN, "entry": "model.joblib", "allow_pickle": True}, Interface.RECORDS),
        ({**GIVEN, "headers": ["X-Region"]}, Interface.RECORDS),
        ({**FREE, "headers": ["x-region"]}, Interface.JSON),
        (APP, Interface.HTTP),
    ],
)
def test_every_flavors_manifest_reads_back_and_says_its_inputs(given, interface):
    manifest = load_manifest(given)
    assert manifest.interface is interface
    assert manifest_from_json(manifest.to_json()) == manifest


@pytest.mark.parametrize(
    ("outputs", "methods", "expected"),
    [
        (["risk"], {}, {"risk": "predict"}),
        (["predict_proba"], {}, {"predict_proba": "predict_proba"}),
        (["y", "shares"], {"y": "predict", "shares": "predict_proba"}, None),
        (["y", "decision_function"], {"y": "predict"}, None),
    ],
)
def test_each_output_of_a_sklearn_model_has_a_method(outputs, methods, expected):
    fields = {
        **SKLEARN,
        "outputs": [{"name": name, "type": "float64"} for name in outputs],
        "samples": [{"instances": [{"x": 1}]}],
        "methods": methods,
    }
    result = load_manifest(fields).methods
    assert result == (expected or {**{name: name for name in outputs}, **methods})


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({**SKLEARN, "entry": "model.pkl"}, "allow_pickle", "runs whatever code it carries"),
        ({**SKLEARN, "entry": "model.pkl", "allow_pickle": False}, "allow_pickle", "skops"),
        ({**SKLEARN, "entry": "model.pkl", "allow_pickle": "yes"}, "allow_pickle", "true or false"),
        ({**SKLEARN, "allow_pickle": True}, "allow_pickle", "model.skops is no pickle"),
        ({**SKLEARN, "entry": "net.pt", "allow_pickle": True}, "entry", ".pkl"),
        ({**GIVEN, "allow_pickle": True}, "allow_pickle", "only sklearn"),
        ({**GIVEN, "trusted": ["a.B"]}, "trusted", "only sklearn"),
        ({**SKLEARN, "headers": ["x-a"]}, "headers", "only python"),
        ({**SKLEARN, "trusted": ["a b"]}, "trusted[0]", "module.Type"),
        ({**SKLEARN, "methods": {"z": "predict"}}, "methods.z", "an output among y"),
        ({**SKLEARN, "methods": {"y": "fit"}}, "methods.y", "predict_proba"),
        (
            {
                **SKLEARN,
                "outputs": [*GIVEN["outputs"], {"name": "z", "type": "int64"}],
                "samples": [{"instances": [{"x": 1}]}],
            },
            "methods.y",
            "several outputs",
        ),
        ({**GIVEN, "headers": ["Authorization"]}, "headers[0]", "never a secret"),
        ({**GIVEN, "headers": ["x-a", "X-A"]}, "headers[1]", "not named before"),
        ({**GIVEN, "headers": ["x a"]}, "headers[0]", "the name of a header"),
        ({**GIVEN, "headers": "x-a"}, "headers", "a list"),
        ({**FREE, "samples": [{"request": 1}]}, "samples[0].response", "a JSON value"),
        ({**FREE, "samples": [{"request": {1, 2}, "response": 1}]}, "samples[0].request", "JSON"),
        ({**FREE, "samples": [{"request": float("nan"), "response": 1}]}, "samples[0].request", ""),
        ({**FREE, "samples": GIVEN["samples"]}, "samples[0].instances", "request, response"),
        ({**FREE, "outputs": GIVEN["outputs"]}, "inputs", "a list of fields"),
        ({**APP, "inputs": GIVEN["inputs"]}, "inputs", "flavor asgi has none"),
        ({**APP, "samples": [{"method": "get", "path": "/"}]}, "samples[0].method", "GET"),
        ({**APP, "samples": [{"method": "GET", "path": "x"}]}, "samples[0].path", "/score"),
        ({**APP, "samples": [{"method": "GET", "path": "/a b"}]}, "samples[0].path", "/score"),
        (
            {**APP, "samples": [{"method": "GET", "path": "/", "status": 99}]},
            "samples[0].status",
            "100 to 599",
        ),
        ({**GIVEN, "flavor": "pmml"}, "flavor", "python, onnx, sklearn, asgi, lightgbm, xgboost"),
    ],
)
def test_what_a_flavor_does_not_have_is_refused_with_the_remedy(given, field, words):
    with pytest.raises(InvalidPackage) as caught:
        load_manifest(given)
    assert caught.value.field == field
    assert words in caught.value.expected
