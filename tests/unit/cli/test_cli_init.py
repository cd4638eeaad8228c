"""``halftone init``: what it makes is an endpoint, and works."""

import json
from pathlib import Path

import pytest
import yaml

from halftone.adapters.declaration import open_declaration


def names(folder):
    return [path.name for path in folder.iterdir()]


def test_what_it_makes_is_checked_and_answers_its_samples(offline, tmp_path):
    made = offline("init", tmp_path / "deliveries")

    assert made.code == 0
    assert f"  halftone serve {tmp_path}/deliveries\n" in made.out
    declared = open_declaration(tmp_path / "deliveries" / "endpoint.yaml")
    assert (declared.spec.name, declared.package.ref.name) == ("deliveries", "deliveries-v1")
    packaged = offline("package", tmp_path / "deliveries" / "models" / "v1", "--json")
    assert (packaged.code, packaged.json["answered"], packaged.json["faults"]) == (0, 1, [])


def test_endpoint_and_model_may_be_called_otherwise(offline, tmp_path):
    made = offline("init", tmp_path / "Some Folder", "--name", "eta", "--model", "blue", "--json")

    assert made.json["endpoint"] == "eta"
    assert made.json["files"] == [
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

    made = offline("init", tmp_path / "eta")

    assert (made.code, made.out) == (2, "")
    assert "expected a folder that does not exist, or is empty" in made.err
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
    made = offline("init", tmp_path / words[0], *words[1:])

    assert made.code == 2
    assert made.err.startswith(f"error: {told}")
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
