"""The console in Debian's Chromium, on the seeded stage, behind its real server."""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from halftone_cli.local.console.files import bundle
from halftone_cli.local.console.server import ConsoleStage, serving_console
from tests.browser.seeds import Town, stage_at, user
from tests.browser.serve import send_to

HERE = Path(__file__).parent
PACKAGES = ("chromium", "fonts-noto-cjk", "fonts-liberation")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser, which is installed where it is missing. Without one nothing here has run."""
    if shutil.which("chromium") is None:
        for command in (["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES]):
            subprocess.run(["apt-get", "--quiet", *command], check=True, capture_output=True)
    path = shutil.which("chromium")
    assert path, "install Chromium (Debian's package): these tests need it"
    return path


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    """The bundle of these sources, and what drives the browser."""
    subprocess.run([".venv/bin/python", "tools/build_console.py"], cwd=HERE.parents[1], check=True)


@contextmanager
def _console(town: Town, person: str) -> Iterator[str]:
    send = send_to(town, lambda: user(person), threading.Lock())
    with serving_console(ConsoleStage("test", False, send), bundle()) as server:
        yield server.link


@pytest.fixture
def run(chromium: str) -> Callable[..., dict[str, Any]]:
    """A script beside this file, as a person on a stage of its own; its report must be clean."""

    def run(script: str, *words: str, person: str = "ann", seconds: float = 120) -> dict[str, Any]:
        with _console(stage_at(), person) as link:
            done = subprocess.run(
                ["node", str(HERE / script), link, *words],
                env={**os.environ, "CHROMIUM": chromium},
                capture_output=True,
                text=True,
                timeout=seconds,
                check=False,
            )
        assert done.returncode == 0, done.stderr
        report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        assert not report["faults"], "\n".join(report["faults"])
        assert report["checked"], "the script checked nothing"
        return report

    return run
