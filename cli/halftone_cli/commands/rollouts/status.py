"""``halftone status``: what serves, what rolls out, and why."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import typer
from rich.console import RenderableType

from halftone.domain.errors import InvalidInput
from halftone_cli.commands.options import endpoint_names
from halftone_cli.commands.waiting import wait
from halftone_cli.commands.watch import Views, watch
from halftone_cli.console import note, say_json, show
from halftone_cli.stage.session import Session
from halftone_cli.views import shapes, tables
from halftone_cli.views.reading import read

_AT_ONCE = 8
"""Endpoints that are read at the same time."""


def status(
    session: Session,
    endpoint: Annotated[
        str | None,
        typer.Argument(
            metavar="ENDPOINT",
            help="Only this endpoint, in full.",
            show_default=False,
            autocompletion=endpoint_names,
        ),
    ] = None,
    watching: Annotated[
        bool, typer.Option("--watch", "-w", help="Keep showing it, until ctrl-C.")
    ] = False,
    until_done: Annotated[
        bool,
        typer.Option(
            "--until-done",
            help="Watch until the rollout of ENDPOINT is over. Exits 0 if its challenger was "
            "promoted, 1 if it was not.",
        ),
    ] = False,
) -> None:
    """Show what serves, what rolls out, and why.

    One line for each endpoint of the stage; for one ENDPOINT everything: the alias as read compared
    with the record, the guardrail, the plan, the evidence with its e-values, and the newest records
    of the audit. Nothing is changed.

    \b
    Examples:
      halftone status
      halftone status fraud --watch
      halftone status fraud --until-done --json
    """
    if until_done and endpoint is None:
        raise InvalidInput("ENDPOINT", None, "one whose rollout is to end, as --until-done says")
    views = _reader(session, endpoint)
    render = _renderer(session, endpoint)
    if until_done:
        raise typer.Exit(wait(session, views, render))
    if watching:
        _watch(session, views, render)
        return
    _show(session, views(), render)


def _reader(session: Session, endpoint: str | None) -> Callable[[], Views]:
    ports = session.stage.ports
    if endpoint is not None:
        return lambda: [read(ports, endpoint)]

    def all_of_them() -> Views:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(lambda name: read(ports, name), ports.catalogue.endpoints()))

    return all_of_them


def _renderer(session: Session, endpoint: str | None) -> Callable[[Views], RenderableType]:
    if endpoint is None:
        return tables.overview
    return lambda views: tables.detail(session.stage.name, views[0])


def _show(session: Session, views: Views, render: Callable[[Views], RenderableType]) -> None:
    if session.as_json:
        say_json(shapes.status(session.stage.name, views))
    elif views:
        show(render(views))
    else:
        note(f"nothing has been released on the stage {session.stage.name!r} yet")


def _watch(
    session: Session, views: Callable[[], Views], render: Callable[[Views], RenderableType]
) -> None:
    try:
        watch(session, views, render, done=lambda _: False)
    except KeyboardInterrupt:
        # The way out of a watch that has no end of its own.
        return
