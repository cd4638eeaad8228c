"""The five minutes of docs/serving.md: its commands are run as they stand, on a free port."""

import os
import re
import socket
import subprocess
from pathlib import Path

from demo.page import Block, Shell, blocks

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "serving.md").read_text()


def five_minutes() -> list[Block]:
    return [block for block in blocks(PAGE) if block.title == "Five minutes"]


def test_from_nothing_to_an_answer(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    first = five_minutes()[0]
    path = f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"
    shell = Shell(tmp_path, {**os.environ, "PATH": path})
    printed = shell.run(Block(first.title, first.commands.replace("8080", str(port))))
    shown = re.search(r"```text\n(.*?)\n```", PAGE, re.DOTALL)
    assert shown is not None
    assert shown[1] in printed.splitlines()
    assert "answered 1" in printed
    assert (tmp_path / "churn" / "endpoint.yaml").exists()


def test_a_deploy_takes_the_folder_that_it_is_given() -> None:
    (command,) = five_minutes()[1].commands.splitlines()
    words = command.partition("#")[0].split()
    told = subprocess.run(
        ["make", "--dry-run", "--directory", str(ROOT), *words[1:]],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert f"-c endpoints={ROOT}" in told
    assert "-c stage=dev" in told
