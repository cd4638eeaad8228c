"""A page of documentation whose commands are run: what stands there is what was done.

Blocks marked ``sh`` are run in their order, as one shell session would: variables and the folder
carry on from one to the next. A block marked ``text`` right after one holds what it printed.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_PARTS = re.compile(
    r"^## (?P<title>[^\n]+)$|^```sh\n(?P<commands>.*?)^```$", re.MULTILINE | re.DOTALL
)
_RECORDED = re.compile(
    r"(^```sh\n(?P<commands>(?:(?!```).)*)^```\n)\n```text\n.*?^```$", re.MULTILINE | re.DOTALL
)
_SECONDS = 300


@dataclass(frozen=True)
class Block:
    """Commands of a page, below the heading ``title``."""

    title: str
    commands: str


@dataclass
class Shell:
    """A shell session: the environment and the folder as the block before left them."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def run(self, block: Block) -> str:
        """What the block prints, on both streams.

        Raises:
            AssertionError: if a command of it fails, with what it printed.
        """
        with tempfile.TemporaryDirectory() as scratch:
            left = Path(scratch, "environment")
            script = f"set -euo pipefail\n{block.commands}\n(pwd; env -0) > {left}\n"
            done = subprocess.run(  # noqa: S603 - a page of this checkout
                ["/bin/bash", "-c", script],
                cwd=self.folder,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
            if done.returncode:
                message = (
                    f"{block.title}: exit code {done.returncode}\n{block.commands}\n{done.stdout}"
                )
                raise AssertionError(message)
            folder, _, variables = left.read_text().partition("\n")
        self.folder = Path(folder)
        pairs = (pair.partition("=") for pair in variables.split("\0") if pair)
        self.environment = {name: value for name, _, value in pairs}
        return done.stdout


def blocks(page: str) -> list[Block]:
    """The commands of a page, in their order."""
    title, blocks = "", []
    for part in _PARTS.finditer(page):
        title = part["title"] or title
        if part["commands"] is not None:
            blocks.append(Block(title, part["commands"]))
    return blocks


def recorded(page: str, printed: Mapping[str, str]) -> str:
    """The page with what each block of commands printed in the place of what it shows now."""

    def shown(match: re.Match[str]) -> str:
        return f"{match[1]}\n```text\n{printed[match['commands']].rstrip()}\n```"

    return _RECORDED.sub(shown, page)
