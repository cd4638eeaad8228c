"""Directories that MLflow saved (``examples/flavors/train.py``) become packages of our flavors."""

import io
import json
import math
import shutil
import zipfile

import numpy as np
import pytest
import yaml

from halftone.domain.errors import InvalidPackage
from halftone.domain.model.manifest import Flavor
from halftone.packaging.folder import build_package
from halftone.serving.inference.loader import load
from tests.support.refusals import read_or_refusal


@pytest.fixture
def saved(request, tmp_path):
    """saved(name, **model_yaml): a copy of a saved directory, with a model.yaml if one is given."""

    def copied(name, /, **given):
        folder = tmp_path / name
        shutil.copytree(request.config.rootpath / "tests" / "data" / "mlflow" / name, folder)
        if given:
            text = yaml.safe_dump({"flavor": "mlflow", **given})
            (folder / "model.yaml").write_text(text)
        return folder

    return copied


def edit(folder, change):
    """Change MLmodel as a mapping."""
    source = folder / "MLmodel"
    content = yaml.safe_load(source.read_text())
    change(content)
    source.write_text(yaml.safe_dump(content))


def unpacked(package, folder):
    with zipfile.ZipFile(io.BytesIO(package.data)) as archive:
        archive.extractall(folder)
    return load(folder, package.manifest, package.digest)


def example(folder):
    return json.loads((folder / "serving_input_example.json").read_text())["inputs"]


def test_a_saved_directory_is_a_package_as_it_is(saved, tmp_path):
    folder = saved("probabilities")
    package = build_package(folder)
    manifest = package.manifest
    assert manifest.name == "probabilities"
    assert manifest.flavor is Flavor.SKLEARN
    assert manifest.entry == "model.skops"
    assert manifest.methods == {"prediction": "predict_proba"}
    assert [(field.name, field.shape) for field in manifest.inputs] == [("input", (13,))]
    assert manifest.samples[0].instances == tuple({"input": row} for row in example(folder))
    assert manifest.samples[0].predictions is None
    predictions = unpacked(package, tmp_path / "new").predict(list(manifest.samples[0].instances))
    assert [round(sum(one["prediction"]), 3) for one in predictions] == [1.0, 1.0]


def test_what_mlflow_notes_does_not_change_the_package(saved):
    folder = saved("probabilities")
    before = build_package(folder)
    edit(folder, lambda content: content.update(utc_time_created="later", model_uuid="1"))
    (folder / "conda.yaml").write_text("name: other\n")
    after = build_package(folder)
    assert after == before
    names = zipfile.ZipFile(io.BytesIO(after.data)).namelist()
    assert names == ["model.json", "model.skops"]


def test_an_onnx_model_runs_by_its_names_without_an_input_name(saved, tmp_path):
    folder = saved("onnx")
    package = build_package(folder)
    assert package.manifest.flavor is Flavor.ONNX
    assert [field.name for field in package.manifest.outputs] == ["label", "probabilities"]
    instances = [{"input": row} for row in example(folder)]
    predictions = unpacked(package, tmp_path / "new").predict(instances)
    assert [one["label"] for one in predictions] == [0, 0]
    assert np.allclose([sum(one["probabilities"]) for one in predictions], 1, atol=1e-5)


def test_an_onnx_model_may_keep_its_weights_in_files_beside_it(saved, tmp_path):
    """MLflow saves graphs above a kilobyte so."""
    folder = saved("external")
    package = build_package(folder)
    names = zipfile.ZipFile(io.BytesIO(package.data)).namelist()
    assert len(names) == 3
    rows = [{"input": row} for row in example(folder)]
    predictions = unpacked(package, tmp_path / "new").predict(rows)
    assert all(prediction["label"] in (0, 1, 2) for prediction in predictions)


SPEC = '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 2]}}]'


def test_model_yaml_goes_before_mlmodel(saved):
    outputs = [{"name": "shares", "type": "float64", "shape": [3]}]
    samples = [{"instances": [{"input": [0.0] * 13}]}]
    folder = saved("probabilities", name="wine", outputs=outputs, samples=samples, description="!")
    manifest = build_package(folder).manifest
    assert manifest.name == "wine"
    assert manifest.description == "!"
    assert manifest.methods == {"shares": "predict_proba"}
    assert manifest.samples[0].instances == ({"input": [0.0] * 13},)


def test_the_saved_directory_may_lie_within_the_package(request):
    folder = request.config.rootpath / "examples" / "flavors" / "wine" / "models" / "v1"
    package = build_package(folder)
    names = zipfile.ZipFile(io.BytesIO(package.data)).namelist()
    assert names == ["model.json", "samples.json", "saved/model.skops"]
    columns = [field.name for field in package.manifest.inputs]
    assert columns[-2:] == ["od280/od315_of_diluted_wines", "proline"]


def test_a_pickle_is_refused_unless_the_package_says_so(saved, tmp_path):
    folder = saved("pickle")
    with pytest.raises(InvalidPackage, match="runs whatever code it carries") as caught:
        build_package(folder)
    assert caught.value.field == "allow_pickle"
    text = yaml.safe_dump({"flavor": "mlflow", "allow_pickle": True})
    (folder / "model.yaml").write_text(text)
    package = build_package(folder)
    assert package.manifest.allow_pickle
    rows = [{"input": row} for row in example(folder)]
    assert unpacked(package, tmp_path / "new").predict(rows) == [{"prediction": 0}] * 2


def test_another_flavor_becomes_pyfunc_and_needs_its_signature(saved):
    with pytest.raises(InvalidPackage) as caught:
        build_package(saved("pyfunc"))
    assert caught.value.field == "signature.inputs"


CHANGES = {
    "no signature": (lambda c: c.pop("signature"), "signature.inputs"),
    "a type that JSON has not": (
        lambda c: c["signature"].update(inputs='[{"type": "datetime", "name": "t"}]'),
        "signature.inputs",
    ),
    "an axis of any length": (
        lambda c: c["signature"].update(
            inputs='[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, -1]}}]'
        ),
        "signature.inputs",
    ),
    "a batch of fixed size": (
        lambda c: c["signature"].update(outputs=SPEC.replace("-1", "1")),
        "signature.outputs",
    ),
    "a signature that is no JSON": (
        lambda c: c["signature"].update(outputs="["),
        "signature.outputs",
    ),
    "no flavors": (lambda c: c.pop("flavors"), "flavors"),
    "a model outside": (
        lambda c: c["flavors"]["sklearn"].update(pickled_model="../model.skops"),
        "entry",
    ),
}


@pytest.mark.parametrize(("change", "field"), CHANGES.values(), ids=CHANGES)
def test_what_can_not_be_served_is_named(saved, change, field):
    folder = saved("probabilities")
    edit(folder, change)
    with pytest.raises(InvalidPackage) as caught:
        build_package(folder)
    assert caught.value.field == field


@pytest.mark.parametrize("text", ["", "[]", "a: [", "flavors: 3", "\x00"])
def test_what_is_no_mlmodel_is_refused(saved, text):
    folder = saved("probabilities")
    (folder / "MLmodel").write_text(text)
    with pytest.raises(InvalidPackage, match="MLmodel"):
        build_package(folder)


@pytest.mark.parametrize("entry", ["model.skops", "../MLmodel", "nowhere/MLmodel", 3])
def test_an_entry_that_is_no_mlmodel_is_refused(saved, entry):
    with pytest.raises(InvalidPackage) as caught:
        build_package(saved("probabilities", entry=entry))
    assert caught.value.field == "entry"


def test_without_an_example_samples_are_asked_for(saved):
    folder = saved("probabilities")
    (folder / "serving_input_example.json").unlink()
    with pytest.raises(InvalidPackage, match="input_example"):
        build_package(folder)


FRAMES = {
    "split": {"dataframe_split": {"columns": ["a", "b"], "data": [[1, "x"], [2, "y"]]}},
    "records": {"dataframe_records": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]},
    "columns": {"inputs": {"a": [1, 2], "b": ["x", "y"]}},
}


@pytest.mark.parametrize("given", FRAMES.values(), ids=FRAMES)
def test_examples_of_every_shape_become_records(saved, given):
    folder = saved("probabilities")
    columns = '[{"type": "long", "name": "a"}, {"type": "string", "name": "b", "required": true}]'
    edit(folder, lambda content: content["signature"].update(inputs=columns))
    (folder / "serving_input_example.json").write_text(json.dumps(given))
    (sample,) = build_package(folder).manifest.samples
    assert sample.instances == ({"a": 1, "b": "x"}, {"a": 2, "b": "y"})


def test_a_column_that_may_be_missing_is_an_optional_field(saved):
    folder = saved("probabilities")
    columns = [
        {"type": "double", "name": 1, "required": False},
        {"type": "long", "name": 2, "required": True},
    ]
    edit(folder, lambda content: content["signature"].update(inputs=json.dumps(columns)))
    example = {"dataframe_split": {"columns": [1, 2], "data": [[None, 1], [math.nan, 2], [3, 4]]}}
    (folder / "serving_input_example.json").write_text(json.dumps(example))
    manifest = build_package(folder).manifest
    assert [(f.name, f.optional) for f in manifest.inputs] == [("1", True), ("2", False)]
    assert [record["1"] for record in manifest.samples[0].instances] == [None, None, 3.0]


def places(value, path=()):
    """The paths of everything in a value."""
    yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, key))


def replaced(value, path, other):
    """``value`` with what stands at a path replaced."""
    if not path:
        return other
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], other)
    return copy


@pytest.mark.parametrize("other", [None, 5, "text", [], {}, [5], {"a": 5}, "[5]", "[{}]", "[[]]"])
def test_an_mlmodel_of_any_structure_is_read_or_refused(saved, other):
    folder = saved("probabilities")
    sound = yaml.safe_load((folder / "MLmodel").read_text())
    for path in places(sound):
        (folder / "MLmodel").write_text(yaml.safe_dump(replaced(sound, path, other)))
        built = read_or_refusal(build_package, folder)
        assert isinstance(built, InvalidPackage) or built.digest


@pytest.mark.parametrize("other", [None, 5, "text", [], {}, [5], {"a": 5}])
def test_an_example_of_any_structure_is_read_or_refused(saved, other):
    folder = saved("probabilities")
    file = folder / "serving_input_example.json"
    for sound in ({"inputs": [[0.0] * 13]}, {"dataframe_split": {"columns": [1], "data": [[1]]}}):
        for path in places(sound):
            file.write_text(json.dumps(replaced(sound, path, other)))
            built = read_or_refusal(build_package, folder)
            assert isinstance(built, InvalidPackage) or built.digest
