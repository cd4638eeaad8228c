"""How things are printed: JSON on stdout for programs, tables for people, both in UTC.

Colours and line widths are for terminals. In a pipe a table's row is one line, and what others
wrote (reasons, messages of models) is never read as markup nor as terminal codes.
"""

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # rich takes as long to import as all else: who prints JSON need not pay it
    from rich.console import Console, RenderableType
    from rich.table import Table

_PIPE_WIDTH = 10_000
"""Columns where there is no screen: so many that no row is broken."""


def console() -> "Console":
    """Where people read: stdout, in colour if it is a terminal."""
    from rich.console import Console  # noqa: PLC0415

    screen = Console(file=sys.stdout, markup=False, emoji=False, highlight=False)
    if not screen.is_terminal:
        screen.width = _PIPE_WIDTH
    return screen


def show(*what: "RenderableType") -> None:
    """Print each of ``what``; in a pipe without the blanks that fill a table's last column."""
    screen = console()
    if screen.is_terminal:
        screen.print(*what, sep="\n")
        return
    with screen.capture() as captured:
        screen.print(*what, sep="\n")
    for line in captured.get().splitlines():
        sys.stdout.write(f"{line.rstrip()}\n")
    sys.stdout.flush()


def table(*columns: str) -> "Table":
    """An empty table with a heading for each of ``columns``."""
    from rich.table import Table  # noqa: PLC0415

    rows = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        rows.add_column(column, overflow="fold")
    return rows


def say_json(document: object, *, lines: bool = False) -> None:
    """``document`` on stdout: indented, or as one line of JSON lines."""
    text = json.dumps(document, indent=None if lines else 2, allow_nan=False)
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """A remark for the reader on stderr, where it is in no program's way."""
    sys.stderr.write(f"{one_line(text)}\n")


def confirmed(question: str) -> bool:
    """Whether a person says yes. Asked on stderr, so that stdout stays what was ordered."""
    sys.stderr.write(f"{one_line(question)} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def stamp(moment: datetime) -> str:
    """A moment for people: ``2026-01-31 12:00:00Z``."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def stamped(moment: str | None) -> str:
    """The same for a moment as the API tells it; ``-`` for none."""
    return stamp(datetime.fromisoformat(moment)) if moment else "-"


def one_line(text: str) -> str:
    """``text`` on one line, with what no terminal should be sent shown as its escape."""
    joined = " ".join(text.split())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in joined)
