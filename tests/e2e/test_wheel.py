"""The wheel in an empty environment, outside the checkout, as a user installs it.

It runs on the newest supported Python of this machine: the rest of the tier runs on another one.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from uv import find_uv_bin

from halftone import __version__
from halftone_local.machine import free_port
from tests.support.checkout import ROOT

CDK = ROOT / "node_modules" / ".bin" / "cdk"
SUPPORTED = ("3.13", "3.12", "3.11")
REQUEST = {"instances": [{"distance_km": 4.0, "parcels": 2}]}
PREDICTED = {"predictions": [{"minutes": 25.0}]}

PAGE = (ROOT / "docs" / "index.md").read_text()


def file(name: str) -> str:
    """The file of that name on the documentation's first page."""
    block = re.search(rf"```\w+ title=\"{re.escape(name)}\"\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    return block[1]


@dataclass(frozen=True)
class Project:
    """Somebody else's folder, with an environment in which the wheel and its extras are all."""

    folder: Path
    bin: Path
    environment: Mapping[str, str]

    def run(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment; its result, whatever its exit code."""
        return subprocess.run(
            words,
            cwd=self.folder,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            timeout=540,
            check=False,
        )

    def halftone(self, *words: str, **more: str) -> str:
        """What ``halftone`` prints, which has to succeed."""
        done = self.run(str(self.bin / "halftone"), *words, **more)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(autouse=True)
def client() -> None:
    """No part of the tier's stage: in place of the fixture that makes a test its client."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as ``make build`` makes it."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        ["make", "--directory", str(ROOT), "build", f"DIST={folder}"],
        check=True,
        capture_output=True,
    )
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def project(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """An empty environment with the wheel, and nothing that leads back to the checkout."""
    home = tmp_path_factory.mktemp("home")
    folder, venv = home / "project", home / "venv"
    folder.mkdir()
    uv = find_uv_bin()
    process = subprocess.run(
        ["sh", "tools/find_python.sh", *SUPPORTED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    python = process.stdout.strip()
    subprocess.run([uv, "venv", "--quiet", "--python", python, str(venv)], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", str(venv / "bin" / "python")]
    subprocess.run([*install, f"{wheel}[cli,cdk,local]"], check=True, cwd=home)
    node = shutil.which("node")
    assert node is not None
    stored = ("LANG", "LC_ALL")
    # Package registries as this machine is set up for them.
    names = [
        name for name in os.environ if name.startswith(("PIP_", "UV_", "SSL_")) or name in stored
    ]
    environment = {name: os.environ[name] for name in names} | {
        "PATH": os.pathsep.join([str(venv / "bin"), str(Path(node).parent), "/usr/bin", "/bin"]),
        "HOME": os.environ.get("HOME", str(home)),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
    }
    return Project(folder, venv / "bin", environment)


def post(url: str) -> object:
    """The prediction that ``url`` answers ``REQUEST`` with."""
    request = urllib.request.Request(
        url, json.dumps(REQUEST).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def test_the_command_makes_checks_and_serves_a_package(project: Project) -> None:
    assert project.halftone("--version").strip() == __version__
    project.halftone("init", "deliveries")
    package = json.loads(project.halftone("package", "deliveries/models/v1", "--json"))
    assert package["answered"] == 1
    # Its samples run with what the flavor has on Lambda, of which this environment has nothing.
    assert project.run(str(project.bin / "python"), "-c", "import onnxruntime").returncode == 1
    project.halftone("init", "graph", "--flavor", "onnx")
    assert json.loads(project.halftone("package", "graph/models/v1", "--json"))["answered"] == 1

    port = free_port()
    arguments = [str(project.bin / "halftone"), "serve", "deliveries", "--port", str(port)]
    with subprocess.Popen(
        arguments, cwd=project.folder, env=project.environment, stderr=subprocess.DEVNULL
    ) as server:
        try:
            url = f"http://127.0.0.1:{port}/endpoints/deliveries/invocations"
            deadline = time.monotonic() + 30
            while True:
                try:
                    assert post(url) == PREDICTED
                    break
                except OSError:
                    assert time.monotonic() < deadline, "nothing serves"
                    time.sleep(0.2)
        finally:
            server.terminate()


def test_somebody_else_s_app_deploys_to_a_local_aws(project: Project) -> None:
    if not (project.folder / "deliveries").exists():
        project.halftone("init", "deliveries")
    for name in ("app.py", "cdk.json"):
        (project.folder / name).write_text(file(name))
    port = str(free_port())
    try:
        started = json.loads(project.halftone("local", "up", "--port", port, "--json"))
        assert started["port"] == int(port)
        variables = json.loads(project.halftone("local", "env", "--port", port, "--json"))
        deployed = (
            project.run(str(CDK), "bootstrap", "aws://000000000042/us-east-1", **variables),
            project.run(str(CDK), "deploy", "--all", "--require-approval", "never", **variables),
        )
        for done in deployed:
            assert done.returncode == 0, done.stderr[-4000:]

        local = {"HALFTONE_LOCAL_PORT": port}
        answer = project.halftone(
            "--local",
            "invoke",
            "deliveries",
            "--data",
            "@deliveries/request.json",
            "--json",
            **local,
        )
        assert "25.0" in answer
        status = project.halftone("--local", "status", "--json", **local)
        assert json.loads(status)["endpoints"][0]["endpoint"] == "deliveries"
        assert "promoted" in project.halftone("--local", "history", "deliveries", **local)
    finally:
        project.halftone("local", "down", "--port", port)
    assert (
        project.run(str(project.bin / "halftone"), "local", "status", "--port", port).returncode
        == 3
    )


def test_nothing_in_the_environment_leads_back_to_the_checkout(project: Project) -> None:
    packages = ("halftone", "halftone_cli", "halftone_cdk", "halftone_local")
    program = f"import {', '.join(packages)}; print({', '.join(f'{p}.__file__' for p in packages)})"
    printed = project.run(str(project.bin / "python"), "-c", program).stdout.split()
    assert len(printed) == len(packages)
    assert not [path for path in printed if path.startswith(f"{ROOT}/")]
    assert project.run(str(project.bin / "python"), "-c", "import infra").returncode == 1


def test_what_an_extra_lacks_is_named_with_the_extra(wheel: Path, tmp_path: Path) -> None:
    uv, python = find_uv_bin(), tmp_path / "bare" / "bin" / "python"
    subprocess.run(
        [uv, "venv", "--quiet", "--python", sys.executable, "bare"], cwd=tmp_path, check=True
    )
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, str(wheel)], check=True)
    for program, extra in (
        ("from halftone_cli.__main__ import main; main()", "halftone[cli]"),
        ("from halftone_cdk import ModelEndpoint", "halftone[cdk]"),
    ):
        arguments = [str(python), "-c", program]
        done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode
        assert f"pip install '{extra}'" in done.stderr


def test_an_unsupported_python_is_told_which_are_supported(wheel: Path, tmp_path: Path) -> None:
    install = [find_uv_bin(), "pip", "install", "--dry-run", "--no-deps", str(wheel)]
    options = ["--python-version", "3.10", "--target", str(tmp_path / "unused")]
    refused = subprocess.run([*install, *options], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "halftone==" in refused.stderr
    assert "Python>=3.11,<3.14" in refused.stderr
