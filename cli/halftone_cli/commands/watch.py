"""Watching: the same view again and again, until somebody or something ends it."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from rich.console import Group, RenderableType
from rich.live import Live

from halftone.domain.errors import Unavailable
from halftone_cli.console import console, note, one_line, say_json, show, stamp
from halftone_cli.stage.session import Session
from halftone_cli.views import shapes, tables
from halftone_cli.views.reading import View

PERIOD = timedelta(seconds=2)

Views = Sequence[View]
Lines = Callable[[Views], Sequence[str]]
"""What is new to say about some views since it was asked last, a line each (``one_line``)."""


def summaries() -> Lines:
    """A line for each view, whenever one of them has changed."""
    shown: list[str] = []

    def news(views: Views) -> Sequence[str]:
        texts = [tables.summary(view) for view in views]
        if texts == shown:
            return ()
        shown[:] = texts
        return [f"{stamp(view.at)} {text}" for view, text in zip(views, texts, strict=True)]

    return news


def watch(
    session: Session,
    read: Callable[[], Views],
    render: Callable[[Views], RenderableType],
    done: Callable[[Views], bool],
    lines: Lines | None = None,
) -> Views:
    """Show what ``read`` answers every ``PERIOD`` until ``done``; answer what was shown last.

    On a terminal one view is kept up to date. In a pipe what ``lines`` finds to be new is printed,
    or with ``--json`` one document whenever something changed. After the first look, a look that
    AWS does not answer is told and tried again.

    Raises:
        KeyboardInterrupt: when ctrl-C ends it.
    """
    views = read()
    screen = console()
    if session.as_json or not screen.is_terminal:
        return _printed(session, views, read, done, lines or summaries())
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


def _printed(
    session: Session,
    views: Views,
    read: Callable[[], Views],
    done: Callable[[Views], bool],
    lines: Lines,
) -> Views:
    shown: Sequence[object] = ()
    while True:
        if not session.as_json:
            for line in lines(views):
                show(line)
        elif _facts(views) != shown:
            say_json(shapes.status(session.stage.name, views), lines=True)
            shown = _facts(views)
        if done(views):
            return views
        session.sleep(PERIOD.total_seconds())
        try:
            views = read()
        except Unavailable as error:
            note(f"trying again: {error}")


def _facts(views: Views) -> list[object]:
    """Everything but when it was looked at."""
    return [(view.state, view.routing, view.guard, view.verdict, view.faults) for view in views]
