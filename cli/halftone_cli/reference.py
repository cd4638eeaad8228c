"""Keeps docs/cli.md in step with the command: ``python -m halftone_cli.reference docs/cli.md``.

Two kinds of blocks, each ended by ``<!-- end -->``, are written here: ``<!-- help: NAME -->`` holds
what ``NAME --help`` prints at a fixed width, ``<!-- exit codes -->`` the table of exit codes. A
test fails while the file says anything else.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from halftone_cli.errors import DONE, EXIT_CODES, INTERRUPTED, NO, UNEXPECTED, USAGE
from halftone_cli.main import app

WIDTH = 80
_BLOCK = re.compile(r"(<!-- (help: [a-z ]+|exit codes) -->\n).*?(<!-- end -->)", re.DOTALL)


def commands() -> Iterator[tuple[str, str]]:
    """Each command's words, such as ``halftone audit verify``, and its help text."""
    yield from _helps(typer.main.get_command(app), "halftone", None)


def _helps(command: Any, name: str, parent: Any) -> Iterator[tuple[str, str]]:
    context = typer.Context(
        command, info_name=name, parent=parent, terminal_width=WIDTH, **command.context_settings
    )
    yield context.command_path, command.get_help(context)
    if isinstance(command, TyperGroup):
        for inner, subcommand in command.commands.items():
            yield from _helps(subcommand, inner, context)


def exit_codes() -> str:
    """The exit codes as a table in Markdown."""
    codes = {
        exit_code.code: exit_code.meaning
        for exit_code in (DONE, NO, USAGE, UNEXPECTED, INTERRUPTED)
    }
    kinds: dict[int, list[str]] = {}
    for kind, exit_code in EXIT_CODES.items():
        codes[exit_code.code] = exit_code.meaning
        kinds.setdefault(exit_code.code, []).append(f"`{kind.__name__}`")
    rows = [
        f"| {code} | {codes[code]} | {', '.join(kinds.get(code, []))} |" for code in sorted(codes)
    ]
    return "\n".join(["| code | meaning | error |", "| ---- | ------- | ----- |", *rows])


def in_step(text: str) -> str:
    """``text`` with every marked block as the command has it now.

    Raises:
        KeyError: naming a block of a command that does not exist.
    """
    helps = dict(commands())

    def block(match: re.Match[str]) -> str:
        kind, _, command = match[2].partition(": ")
        body = exit_codes() if kind == "exit codes" else f"```text\n{helps[command]}\n```"
        return f"{match[1]}{body}\n{match[3]}"

    return _BLOCK.sub(block, text)


if __name__ == "__main__":
    document = Path(sys.argv[1])
    document.write_text(in_step(document.read_text()))
