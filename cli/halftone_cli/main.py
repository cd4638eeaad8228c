"""The entry point: commands under their names, and the end of every error."""

import io
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from halftone import __version__
from halftone.domain.texts import check_texts
from halftone_cli.catalog import PLAIN, LazyCommands
from halftone_cli.commands.options import (
    DebugOption,
    JsonOption,
    LocalOption,
    ProfileOption,
    StageOption,
)
from halftone_cli.errors import report
from halftone_cli.stage.session import Session

_HELP = {"help_option_names": ["-h", "--help"]}


class _Halftone(TyperGroup):
    """The group of all commands: gives each run its session, and errors their exit codes."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = LazyCommands()

    def main(self, *args: Any, **extra: Any) -> Any:
        session: Session = extra.setdefault("obj", Session())
        try:
            _check_words(args[0] if args else extra.get("args") or sys.argv[1:])
            code = super().main(*args, **{**extra, "standalone_mode": False})
        except Exception as error:  # noqa: BLE001 - the one place where no error gets past
            sys.exit(report(error, debug=session.debug))
        sys.exit(code)


def _check_words(arguments: Sequence[str]) -> None:
    # Bytes that are no UTF-8 reach Python as halves of surrogate pairs.
    for number, argument in enumerate(arguments, start=1):
        check_texts(f"argument {number}", argument)


def _version(requested: bool) -> None:
    if requested:
        typer.echo(__version__)
        raise typer.Exit


app = typer.Typer(name="halftone", cls=_Halftone, context_settings=_HELP, **PLAIN)


@app.callback()
def halftone(  # noqa: PLR0917 - typer reads the options from the signature
    context: typer.Context,
    stage: StageOption = None,
    local: LocalOption = False,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
    _: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Ship new versions of machine-learning models in steps, and take back what is worse.

    The options below may also stand after the command's name.

    \b
    Exit codes:
      0  done
      1  the answer is no (not promoted, no 2xx, not confirmed)
      2  a value that can't be taken        5  the audit does not verify
      3  nothing of that name               6  AWS or an endpoint did not answer
      4  the present state forbids it       7  the caller may not do that
      70 a fault of Halftone's own          130 interrupted
    """
    session: Session = context.obj
    session.said(stage=stage, local=local, profile=profile, as_json=as_json, debug=debug)


def main() -> None:
    """Run the command that the process was started with."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # An old code page has no "→": it is then shown as "\u2192", not the end of a table.
            stream.reconfigure(errors="backslashreplace")
    app(prog_name="halftone")


if __name__ == "__main__":
    main()
