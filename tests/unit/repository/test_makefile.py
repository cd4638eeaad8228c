"""``make`` on a machine that lacks something says what to install; interpreters are found."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from halftone_cli.__main__ import SUPPORTED, main
from tests.support.checkout import ROOT

TOOLS = ("sh", "make", "grep", "test", "dirname")
FILES = ("Makefile", "package.json", "package-lock.json", "pyproject.toml", "hatch_build.py")
FAKES = {
    "node of version 18": ("node", "exit 1"),
    "python of version 3.10": ("python3", "echo 3.10 /usr/bin/python3"),
}


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder that is the whole PATH: a shell and make, no Python, no Node."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in TOOLS:
        tool = shutil.which(name)
        assert tool is not None
        (folder / name).symlink_to(tool)
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files of a fresh checkout that ``make setup`` reads."""
    folder = tmp_path / "checkout"
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    shutil.copytree(ROOT / "tools", folder / "tools")
    for name in FILES:
        shutil.copy(ROOT / name, folder / name)
    return folder


def make(checkout: Path, machine: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *words],
        cwd=checkout,
        env={"PATH": str(machine), "HOME": str(checkout)},
        capture_output=True,
        text=True,
        check=False,
    )


def add(machine: Path, fake: str) -> None:
    name, script = FAKES[fake]
    (machine / name).write_text(f"#!{shutil.which('sh')}\n{script}\n")
    (machine / name).chmod(0o755)


@pytest.mark.parametrize("fake", [None, "python of version 3.10"])
def test_without_a_supported_python_it_names_them(
    checkout: Path, machine: Path, fake: str | None
) -> None:
    if fake:
        add(machine, fake)
    refused = make(checkout, machine, "setup")
    assert refused.returncode == 2
    assert "Python 3.11, 3.12 or 3.13 is needed: install one" in refused.stderr
    assert "make PYTHON=/path/to/python" in refused.stderr


@pytest.mark.parametrize("fake", [None, "node of version 18"])
def test_without_node_or_npm_it_says_what_to_install(
    checkout: Path, machine: Path, fake: str | None
) -> None:
    if fake:
        add(machine, fake)
    refused = make(checkout, machine, "node_modules/.done")
    assert refused.returncode == 2
    assert "Node 20 or later with npm is needed: install it" in refused.stderr


def test_the_node_of_this_machine_is_taken(checkout: Path, machine: Path) -> None:
    node = shutil.which("node")
    assert node is not None
    (machine / "node").symlink_to(Path(node).resolve())
    for name, script in (("npm", 'echo "npm $*"'), ("touch", "exit 0")):
        (machine / name).write_text(f"#!{shutil.which('sh')}\n{script}\n")
        (machine / name).chmod(0o755)
    process = make(checkout, machine, "node_modules/.done")
    assert process.returncode == 0, process.stderr
    assert "npm ci --silent" in process.stdout


def test_the_python_on_the_path_is_found_and_dead_shims_are_not(
    checkout: Path, machine: Path
) -> None:
    running = f"{sys.version_info[0]}.{sys.version_info[1]}"
    (machine / "python3.13").write_text(f"#!{shutil.which('sh')}\nexit 127\n")
    (machine / "python3.13").chmod(0o755)
    (machine / "python3").symlink_to(sys.executable)
    versions = ["3.13", running] if running != "3.13" else ["3.12", "3.13"]
    process = subprocess.run(
        ["sh", "tools/find_python.sh", *versions],
        cwd=checkout,
        env={"PATH": str(machine), "HOME": str(checkout)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(process.stdout.strip()).samefile(machine / "python3")


def test_an_interpreter_that_pyenv_keeps_off_the_path_is_found(
    checkout: Path, machine: Path
) -> None:
    running = f"{sys.version_info[0]}.{sys.version_info[1]}"
    stored = checkout / "pyenv" / "versions" / f"{running}.99" / "bin"
    stored.mkdir(parents=True)
    (stored / "python").symlink_to(sys.executable)
    process = subprocess.run(
        ["sh", "tools/find_python.sh", running],
        cwd=checkout,
        env={"PATH": str(machine), "HOME": str(checkout), "PYENV_ROOT": str(checkout / "pyenv")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(process.stdout.strip()).samefile(sys.executable)


def test_the_command_on_a_later_python_says_which_are_supported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # uv takes no notice of the upper bound of requires-python; pip does.
    monkeypatch.setattr(sys, "version_info", (3, 14, 0, "final", 0))
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "Python 3.14 is not supported" in capsys.readouterr().err


def test_every_supported_python_is_named_alike_in_all_places() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    makefile = (ROOT / "Makefile").read_text()
    supported = [f"{major}.{minor}" for major, minor in SUPPORTED]
    assert 'requires-python = ">=3.11,<3.14"' in project
    for version in supported:
        assert f'"Programming Language :: Python :: {version}"' in project
    assert f"SUPPORTED := {' '.join(reversed(supported))}" in makefile
