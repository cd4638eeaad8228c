"""Watching: the same view again and again, until somebody or something ends it."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from rich.console import Group, RenderableType
from rich.live import Live

from halftone.domain.errors import Unavailable
from halftone_cli import shapes, tables
from halftone_cli.context import Session
from halftone_cli.output import console, note, one_line, say_json, show, stamp
from halftone_cli.reading import View

PERIOD = timedelta(seconds=2)

Views = Sequence[View]


def watch(
    session: Session,
    read: Callable[[], Views],
    render: Callable[[Views], RenderableType],
    done: Callable[[Views], bool],
) -> Views:
    """Show what ``read`` answers every ``PERIOD`` until ``done``; answer what was shown last.

    On a terminal one view is kept up to date. In a pipe a line is printed whenever something
    changed: text, or with ``--json`` one document. After the first look, a look that AWS does not
    answer is told and tried again.

    Raises:
        KeyboardInterrupt: when ctrl-C ends it.
    """
    views = read()
    screen = console()
    if session.as_json or not screen.is_terminal:
        return _lines(session, views, read, done)
    with Live(render(views), console=screen, auto_refresh=False) as live:
        while not done(views):
            session.sleep(PERIOD.total_seconds())
            try:
                views = read()
                live.update(render(views), refresh=True)
            except Unavailable as error:
                told = one_line(f"trying again: {error}")
                live.update(Group(render(views), "", told), refresh=True)
    return views


def _lines(
    session: Session, views: Views, read: Callable[[], Views], done: Callable[[Views], bool]
) -> Views:
    said = _facts if session.as_json else _texts
    shown: Sequence[object] = ()
    while True:
        if said(views) != shown:
            _print(session, views)
            shown = said(views)
        if done(views):
            return views
        session.sleep(PERIOD.total_seconds())
        try:
            views = read()
        except Unavailable as error:
            note(f"trying again: {error}")


def _print(session: Session, views: Views) -> None:
    if session.as_json:
        say_json(shapes.status(session.stage.name, views), lines=True)
        return
    for view, text in zip(views, _texts(views), strict=True):
        show(f"{stamp(view.at)} {text}")


def _texts(views: Views) -> list[str]:
    return [tables.summary(view) for view in views]


def _facts(views: Views) -> list[object]:
    """Everything but when it was looked at."""
    return [(view.state, view.routing, view.guard, view.verdict, view.faults) for view in views]
