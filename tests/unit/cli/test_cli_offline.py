"""``halftone plan show`` and ``halftone package``: what needs neither stage nor credentials."""

import hashlib
import io
import json

import pytest
import yaml

from halftone.domain.rollout.plan import DESCRIPTIONS, PRESETS
from halftone.domain.rollout.plan_schema import load_plan
from halftone.packaging.folder import build_package, open_package
from halftone_cli.main import main
from tests.support.packages import DOUBLES, folder_with


@pytest.fixture
def folder(tmp_path):
    return folder_with(tmp_path / "doubler")


def test_plan_show_lists_every_preset_in_a_line(offline):
    heading, *lines = offline("plan", "show").out.splitlines()

    assert heading.split() == ["plan", "at", "least", "what", "it", "does"]
    assert [line.split()[:2] for line in lines] == [
        ["gradual", "1h40m"],
        ["internal", "2h40m"],
        ["large-model", "2h10m"],
        ["all-at-once", "0s"],
    ]


@pytest.mark.parametrize("name", PRESETS)
def test_plan_show_prints_what_an_endpoint_yaml_may_say(offline, name):
    out = offline("plan", "show", name).out

    assert load_plan(yaml.safe_load(out)["plan"]) == PRESETS[name]
    assert out.startswith(f"# {name}: {DESCRIPTIONS[name]}\n")


def test_plan_show_writes_a_step_on_a_line(offline):
    step = "  - {weight: 5, min_time: 30m, max_time: 2h, min_requests: 100, approval: none}\n"
    assert step in offline("plan", "show", "gradual").out


def test_plan_show_of_one_preset_as_json(offline):
    [plan] = json.loads(offline("plan", "show", "gradual", "--json").out)["plans"]

    assert (plan["name"], plan["least_seconds"]) == ("gradual", 6000.0)
    assert plan["description"] == DESCRIPTIONS["gradual"]
    assert [stage["weight"] for stage in plan["stages"]] == [5, 20, 50, 95]
    assert plan["stages"][-1]["bake"] is True


def test_plan_show_of_an_unknown_preset_names_the_known_ones(offline):
    ran = offline("plan", "show", "nope")

    assert (ran.code, ran.out) == (3, "")
    assert ran.err == f"error: there is no plan 'nope'; there are {', '.join(PRESETS)}\n"


def test_package_prints_what_names_and_fills_it(offline, folder):
    built = build_package(folder)

    ran = offline("package", folder, "--json")

    assert ran.code == 0
    document = json.loads(ran.out)
    assert (document["digest"], document["bytes"]) == (built.digest, len(built.data))
    assert (document["name"], document["samples"], document["output"]) == ("doubler", 1, None)
    assert document["inputs"] == [{"name": "x", "type": "float64"}]
    assert f"digest   {built.digest}\n" in offline("package", folder).out


def test_package_writes_the_zip_that_the_digest_names(offline, folder, tmp_path):
    target = tmp_path / "doubler.zip"

    ran = offline("package", folder, "-o", target)

    assert ran.code == 0
    assert hashlib.sha256(target.read_bytes()).hexdigest() == build_package(folder).digest
    assert open_package(target).manifest.name == "doubler"
    assert target.stat().st_mode & 0o777 == 0o644
    assert f"written  {target}\n" in ran.out
    assert json.loads(offline("package", target, "--json").out)["samples"] == 1


def test_package_says_what_is_wrong_and_writes_nothing(offline, folder, tmp_path):
    (folder / "predict.py").unlink()

    ran = offline("package", folder, "-o", tmp_path / "doubler.zip")

    assert (ran.code, ran.out) == (2, "")
    assert "entry is 'predict.py', expected a file in" in ran.err
    assert ran.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["doubler"]


def test_package_is_not_written_into_itself(offline, folder):
    ran = offline("package", folder, "-o", folder / "out.zip")

    assert ran.code == 2
    assert "a file outside" in ran.err
    assert not (folder / "out.zip").exists()


@pytest.mark.parametrize("target", ["missing/out.zip", "."])
def test_package_that_cannot_be_written_leaves_nothing_behind(offline, folder, tmp_path, target):
    ran = offline("package", folder, "-o", tmp_path / target)

    assert ran.code == 2
    assert "--output is" in ran.err
    assert "expected a file that can be written (" in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["doubler"]


def test_package_asks_the_model_its_samples_as_a_release_does(offline, folder, tmp_path):
    (folder / "predict.py").write_text(DOUBLES.replace("2 *", "3 *"))

    ran = offline("package", folder, "-o", tmp_path / "doubler.zip")

    assert ran.code == 1
    assert "answered 0\n" in ran.out
    assert ran.err == "sample 1 of 1: predictions[0].y is 4.5, expected 3.0 within 3e-06\n"
    assert not (tmp_path / "doubler.zip").exists()


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import nothing_of_that_name\n", "No module named 'nothing_of_that_name'"),
        ("def run(instances):\n    raise KeyError('x')\n", "status is 500, expected 200"),
        ("raise SystemExit(3)\n", "the model could not be loaded: SystemExit: 3"),
    ],
)
def test_package_tells_why_a_model_does_not_work(offline, folder, code, told):
    (folder / "predict.py").write_text(code)

    ran = offline("package", folder, "--json")

    assert ran.code == 1
    assert told in ran.json["faults"][0]


def test_package_does_not_run_what_it_is_told_not_to(offline, folder, tmp_path):
    (folder / "predict.py").write_text("raise SystemExit(3)\n")

    ran = offline("package", folder, "--no-run", "-o", tmp_path / "doubler.zip")

    assert ran.code == 0
    assert "answered not asked\n" in ran.out
    assert (tmp_path / "doubler.zip").exists()


def test_what_a_model_prints_is_no_part_of_the_json(offline, folder):
    (folder / "predict.py").write_text("print('hello')\n" + DOUBLES)

    ran = offline("package", folder, "--json")

    assert ran.json["answered"] == 1
    assert "hello" in ran.err


def test_a_terminal_without_unicode_gets_escapes_and_no_error(monkeypatch):
    screen = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setattr("sys.argv", ["halftone", "-h"])
    with pytest.raises(SystemExit) as ended:
        main()
    screen.write("→")
    assert ended.value.code == 0
    text = screen.buffer.getvalue().decode()
    assert text.startswith("Usage: halftone")
    assert text.endswith("\\u2192")
