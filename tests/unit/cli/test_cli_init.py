"""``halftone init``: what it makes is an endpoint, and works."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import yaml

from halftone.packaging.endpoint_yaml import open_declaration
from halftone_cli.local.onnx_file import linear
from halftone_cli.local.scaffold import Flavor


def names(folder):
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize("flavor", [None, *Flavor])
def test_what_it_makes_is_checked_and_answers_its_samples(offline, tmp_path, flavor):
    name = f"works-{flavor}" if flavor else "works"
    ran = offline("init", tmp_path / name, *(("--flavor", flavor) if flavor else ()))

    assert ran.code == 0
    assert f"  halftone serve {tmp_path}/{name}\n" in ran.out
    declared = open_declaration(tmp_path / name / "endpoint.yaml")
    assert (declared.spec.name, declared.package.ref.name) == (name, f"{name}-v1")
    packaged = offline("package", tmp_path / name / "models" / "v1", "--json").json
    assert packaged["flavor"] == (flavor or "python")
    assert (packaged["answered"], packaged["faults"]) == (packaged["samples"], [])


def test_endpoint_and_model_may_be_called_otherwise(offline, tmp_path):
    ran = offline("init", tmp_path / "Some Folder", "--name", "eta", "--model", "blue", "--json")

    assert ran.json["endpoint"] == "eta"
    assert ran.json["files"] == [
        "endpoint.yaml",
        "models/blue/model.yaml",
        "models/blue/predict.py",
        "models/blue/weights.json",
        "request.json",
    ]
    written = yaml.safe_load((tmp_path / "Some Folder" / "endpoint.yaml").read_text())
    assert (written["name"], written["model"]) == ("eta", "models/blue")


def test_a_name_as_long_as_names_may_be_still_makes_a_package(offline, tmp_path):
    name = "a" * 32

    assert offline("init", tmp_path / name).code == 0
    assert open_declaration(tmp_path / name / "endpoint.yaml").package.ref.name == name


def test_an_empty_folder_is_taken(offline, tmp_path):
    (tmp_path / "eta").mkdir()

    assert offline("init", tmp_path / "eta").code == 0


def test_nothing_is_written_over(offline, tmp_path):
    (tmp_path / "eta").mkdir()
    (tmp_path / "eta" / "notes.txt").write_text("mine")

    ran = offline("init", tmp_path / "eta")

    assert (ran.code, ran.out) == (2, "")
    assert "expected a folder that does not exist, or is empty" in ran.err
    assert names(tmp_path / "eta") == ["notes.txt"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["Deliveries!"], "PATH is 'Deliveries!', expected 1 to 32 of a-z"),
        (["eta", "--name", "E"], "--name is 'E', expected"),
        (["eta", "--model", "../v1"], "--model is '../v1', expected"),
    ],
)
def test_a_name_that_none_can_have_leaves_nothing_behind(offline, tmp_path, words, told):
    ran = offline("init", tmp_path / words[0], *words[1:])

    assert ran.code == 2
    assert ran.err.startswith(f"error: {told}")
    assert names(tmp_path) == []


def test_ctrl_c_leaves_nothing_behind(offline, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)

    assert offline("init", tmp_path / "eta").code == 130
    assert names(tmp_path) == []


def test_the_request_that_comes_with_it_is_json(offline, tmp_path):
    offline("init", tmp_path / "eta")

    assert "instances" in json.loads((tmp_path / "eta" / "request.json").read_text())


def test_an_app_comes_without_a_request_of_its_own(offline, tmp_path):
    ran = offline("init", tmp_path / "eta", "--flavor", "asgi", "--json")

    assert ran.json["files"] == ["endpoint.yaml", "models/v1/app.py", "models/v1/model.yaml"]


@pytest.mark.parametrize("width", [1, 2, 200])
def test_the_graph_that_is_written_calculates_the_linear_model(tmp_path, width):
    file = tmp_path / "model.onnx"
    coefficients = [0.5 * number for number in range(width)]
    file.write_bytes(linear(coefficients, -3.0))

    session = onnxruntime.InferenceSession(file)

    rows = np.arange(2 * width, dtype=np.float32).reshape(2, width)
    [process] = session.run(None, {"X": rows})
    assert process.shape == (2, 1)
    assert process.ravel() == pytest.approx(rows @ np.array(coefficients) - 3.0)


@pytest.mark.parametrize("flavor", Flavor)
def test_its_samples_find_a_model_that_is_one_percent_off(offline, tmp_path, flavor):
    offline("init", tmp_path / "eta", "--flavor", flavor)
    package = tmp_path / "eta" / "models" / "v1"
    if flavor is Flavor.ONNX:
        (package / "model.onnx").write_bytes(linear([2.5, 1.5], 12.25))
    else:
        file = package / ("weights.json" if flavor is Flavor.PYTHON else "app.py")
        file.write_text(file.read_text().replace("12.0", "12.25"))

    ran = offline("package", package)

    assert ran.code == 1
    assert "is 25.25, expected 25.0 within 0.0025" in ran.err
