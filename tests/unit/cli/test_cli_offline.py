"""``halftone plan show`` and ``halftone package``: what needs neither stage nor credentials."""

import hashlib
import json

import pytest
import yaml
from typer.testing import CliRunner

from halftone.adapters.folder import build_package, open_package
from halftone.domain.plan import DESCRIPTIONS, PRESETS
from halftone.domain.plan_form import parse_plan
from halftone_cli.context import Session
from halftone_cli.main import app

MANIFEST = """
name: doubler
flavor: python
entry: predict.py
inputs: [{name: x, type: float64}]
outputs: [{name: y, type: float64}]
samples:
  - instances: [{x: 1.5}]
    predictions: [{y: 3}]
"""


def no_stage(_):
    raise AssertionError("this command needs no stage")


@pytest.fixture
def run():
    def run(*words):
        session = Session(connect=no_stage)
        return CliRunner().invoke(app, [str(w) for w in words], obj=session, prog_name="halftone")

    return run


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "doubler"
    folder.mkdir()
    (folder / "predict.py").write_text("def run(instances): ...\n")
    (folder / "model.yaml").write_text(MANIFEST)
    return folder


def test_plan_show_lists_every_preset_in_a_line(run):
    heading, *lines = run("plan", "show").stdout.splitlines()

    assert heading.split() == ["plan", "at", "least", "what", "it", "does"]
    assert [line.split()[:2] for line in lines] == [
        ["gradual", "1h40m"],
        ["internal", "2h40m"],
        ["large-model", "2h10m"],
        ["all-at-once", "0s"],
    ]


@pytest.mark.parametrize("name", PRESETS)
def test_plan_show_prints_what_an_endpoint_yaml_may_say(run, name):
    out = run("plan", "show", name).stdout

    assert parse_plan(yaml.safe_load(out)["plan"]) == PRESETS[name]
    assert out.startswith(f"# {name}: {DESCRIPTIONS[name]}\n")


def test_plan_show_writes_a_step_on_a_line(run):
    step = "  - {weight: 5, min_time: 30m, max_time: 2h, min_requests: 100, approval: none}\n"
    assert step in run("plan", "show", "gradual").stdout


def test_plan_show_of_one_preset_as_json(run):
    [plan] = json.loads(run("plan", "show", "gradual", "--json").stdout)["plans"]

    assert (plan["name"], plan["least_seconds"]) == ("gradual", 6000.0)
    assert plan["description"] == DESCRIPTIONS["gradual"]
    assert [stage["weight"] for stage in plan["stages"]] == [5, 20, 50, 95]
    assert plan["stages"][-1]["bake"] is True


def test_plan_show_of_an_unknown_preset_names_the_known_ones(run):
    ran = run("plan", "show", "nope")

    assert (ran.exit_code, ran.stdout) == (3, "")
    assert ran.stderr == f"error: there is no plan 'nope'; there are {', '.join(PRESETS)}\n"


def test_package_prints_what_names_and_fills_it(run, folder):
    built = build_package(folder)

    ran = run("package", folder, "--json")

    assert ran.exit_code == 0
    found = json.loads(ran.stdout)
    assert (found["digest"], found["bytes"]) == (built.digest, len(built.data))
    assert (found["name"], found["samples"], found["output"]) == ("doubler", 1, None)
    assert found["inputs"] == [{"name": "x", "type": "float64"}]
    assert f"digest   {built.digest}\n" in run("package", folder).stdout


def test_package_writes_the_zip_that_the_digest_names(run, folder, tmp_path):
    target = tmp_path / "doubler.zip"

    ran = run("package", folder, "-o", target)

    assert ran.exit_code == 0
    assert hashlib.sha256(target.read_bytes()).hexdigest() == build_package(folder).digest
    assert open_package(target).manifest.name == "doubler"
    assert target.stat().st_mode & 0o777 == 0o644
    assert f"written  {target}\n" in ran.stdout
    assert json.loads(run("package", target, "--json").stdout)["samples"] == 1


def test_package_says_what_is_wrong_and_writes_nothing(run, folder, tmp_path):
    (folder / "predict.py").unlink()

    ran = run("package", folder, "-o", tmp_path / "doubler.zip")

    assert (ran.exit_code, ran.stdout) == (2, "")
    assert "entry is 'predict.py', expected a file in" in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["doubler"]


def test_package_is_not_written_into_itself(run, folder):
    ran = run("package", folder, "-o", folder / "out.zip")

    assert ran.exit_code == 2
    assert "a file outside" in ran.stderr
    assert not (folder / "out.zip").exists()


@pytest.mark.parametrize("target", ["missing/out.zip", "."])
def test_package_that_cannot_be_written_leaves_nothing_behind(run, folder, tmp_path, target):
    ran = run("package", folder, "-o", tmp_path / target)

    assert ran.exit_code == 2
    assert "--output is" in ran.stderr
    assert "expected a file that can be written (" in ran.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["doubler"]
