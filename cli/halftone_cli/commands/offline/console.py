"""``halftone console``: the console in a browser of this machine, with the caller's own rights."""

import webbrowser
from typing import Annotated

import typer

from halftone_cli.console import note, one_line, say_json, show
from halftone_cli.local.console.files import bundle
from halftone_cli.local.console.server import ConsoleStage, serving_console
from halftone_cli.stage.place import local_runs
from halftone_cli.stage.session import Session

_PERIOD = 5.0
"""Seconds between two looks at whether the stage is still there."""


def open_console(
    session: Session,
    port: Annotated[int, typer.Option(metavar="PORT", help="The port; 0 takes a free one.")] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the link in a browser, too.")
    ] = False,
) -> None:
    """Open the console on this machine: every release, rollout and record, in a browser.

    Whoever holds the printed link acts with your AWS credentials, as this command does. It works
    once, on this machine alone. Ctrl-C ends the console.

    \b
    Examples:
      halftone console
      halftone --local console --port 8900
    """
    files, stage = bundle(), session.stage
    shown = ConsoleStage(stage.name, session.where.local, stage.control.send, stage.upload)
    with serving_console(shown, files, port) as server:
        arn = session.control.get("/me")["arn"]
        if session.as_json:
            say_json({"stage": stage.name, "url": server.link, "arn": arn})
        else:
            show(server.link)
            note(one_line(f"stage {stage.name}, with the rights of {arn}; ctrl-C ends it"))
        if browser:
            webbrowser.open(server.link)
        try:
            while not session.where.local or local_runs():
                session.sleep(_PERIOD)
        except KeyboardInterrupt:
            note("stopped")
