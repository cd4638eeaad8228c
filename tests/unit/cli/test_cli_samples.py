"""``package`` and ``release`` ask samples with what the flavor has on Lambda, and nothing else."""

import textwrap

import pytest
import yaml

from halftone.domain.errors import Unavailable
from halftone.domain.model.manifest import Flavor
from halftone.packaging.folder import build_package
from halftone_cli.local import flavor_environment as environments
from halftone_cli.local.flavor_environment import flavor_environment, packages_of
from halftone_cli.local.samples import sample_faults

MANIFEST = {
    "name": "doubler",
    "flavor": "python",
    "entry": "predict.py",
    "inputs": [{"name": "x", "type": "float64"}],
    "outputs": [{"name": "y", "type": "float64"}],
    "samples": [{"instances": [{"x": 1.5}], "predictions": [{"y": 3}]}],
}


@pytest.fixture
def faults(tmp_path):
    """faults(code, **manifest): what is wrong with a package of that ``predict.py``."""

    def found(code, **changes):
        folder = tmp_path / "doubler"
        folder.mkdir(exist_ok=True)
        (folder / "predict.py").write_text(textwrap.dedent(code))
        (folder / "model.yaml").write_text(yaml.safe_dump({**MANIFEST, **changes}))
        return sample_faults(build_package(folder))

    return found


DOUBLES = "def run(instances):\n    return [{'y': 2 * r['x']} for r in instances]\n"


def test_a_sound_model_is_answered(faults):
    assert faults(DOUBLES) == []


@pytest.mark.parametrize("library", ["sklearn", "onnxruntime", "yaml", "pytest", "halftone_cli"])
def test_what_is_installed_here_alone_can_not_be_imported(faults, library):
    fault = faults(f"import {library}\n{DOUBLES}")[0]
    assert f"No module named '{library}'; " in fault
    assert "; flavor python has boto3, " in fault
    assert f"name {library} in a requirements.txt" in fault


@pytest.mark.parametrize("library", ["numpy", "boto3", "msgspec", "json"])
def test_what_the_layer_has_can_be_imported(faults, library):
    assert faults(f"import {library}\n{DOUBLES}") == []


def test_the_packages_are_those_of_the_lock_and_of_nobody_else(faults):
    code = """
    import sys

    def run(instances):
        files = [getattr(m, "__file__", None) or "" for m in sys.modules.values()]
        return [{"y": float(sum("site-packages" in f for f in files))} for r in instances]
    """
    assert faults(code, samples=[{"instances": [{"x": 1}], "predictions": [{"y": 0}]}]) == []


@pytest.mark.parametrize("flavor", Flavor)
def test_every_flavor_has_a_lock(flavor):
    assert "msgspec" in packages_of(flavor)


def test_a_wrong_answer_is_told(faults):
    (fault,) = faults(DOUBLES.replace("2 *", "3 *"))
    assert fault == "sample 1 of 1: predictions[0].y is 4.5, expected 3.0 within 3e-06"


def test_a_model_that_answers_one_record_alone_is_told(faults):
    code = "def run(instances):\n    (record,) = instances\n    return [{'y': 2 * record['x']}]\n"
    (fault,) = faults(code)
    assert fault.startswith("sample 1 sent twice in one request: status is 500")


@pytest.mark.parametrize(
    ("code", "ending"),
    [
        ("import os\nos._exit(3)\n", "exit code 3"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", "signal SIGKILL"),
    ],
)
def test_a_model_that_ends_its_process_is_told(faults, code, ending):
    assert faults(code + DOUBLES) == [f"the model ended its process: {ending}"]


def test_what_a_model_prints_goes_to_stderr(faults, capsys):
    assert faults("print('hello')\n" + DOUBLES) == []
    assert capsys.readouterr() == ("", "hello\n")


def test_packages_are_installed_once(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(environments, "build_folder", lambda: tmp_path)
    first = flavor_environment(Flavor.PYTHON)
    assert "installing what flavor python has on Lambda" in capsys.readouterr().err
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    assert flavor_environment(Flavor.PYTHON) == first
    assert capsys.readouterr().err == ""
    assert (first / "numpy" / "__init__.py").is_file()
    assert [path.parent for path in tmp_path.glob("flavors/*")] == [first.parent]


def test_what_can_not_be_installed_is_told_and_leaves_nothing(tmp_path, monkeypatch, offline):
    monkeypatch.setattr(environments, "build_folder", lambda: tmp_path)
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    with pytest.raises(Unavailable, match=r"installing flavor python's packages: .*--no-run"):
        flavor_environment(Flavor.PYTHON)
    assert list(tmp_path.glob("flavors/*")) == []
    folder = tmp_path / "eta"
    assert offline("init", folder).code == 0
    ran = offline("package", folder / "models" / "v1")
    assert (ran.code, ran.out) == (6, "")
    assert "connect to a package index, or pass --no-run" in ran.err
    assert offline("package", folder / "models" / "v1", "--no-run").code == 0
