"""What the verbs that change something share: asking, acting once, telling what is true."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from halftone.domain.errors import Conflict, HalftoneError, NotFound, Unavailable
from halftone.domain.names import checked_name
from halftone.domain.rollout.phase import Phase
from halftone_cli.commands.story import story
from halftone_cli.commands.waiting import wait
from halftone_cli.console import confirmed, note, say_json, show
from halftone_cli.control.api import Json
from halftone_cli.control.problems import NothingThere
from halftone_cli.errors import NO, Interrupted
from halftone_cli.stage.session import Session
from halftone_cli.views import shapes
from halftone_cli.views.reading import read
from halftone_cli.views.tables import detail, standing

MessageOption = Annotated[
    str,
    typer.Option(
        "--message", "-m", metavar="TEXT", help="Why; it goes on record.", show_default=False
    ),
]
RequiredMessage = Annotated[
    str,
    typer.Option(
        "--message",
        "-m",
        metavar="TEXT",
        help="Why; it goes on record. Required.",
        show_default=False,
    ),
]
"""For a parameter without default; ``options`` refuses the command where it is missing."""
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def ask(session: Session, question: Callable[[], str], *, yes: bool) -> None:
    """Go on only if a person says so, where there is one to ask.

    Raises:
        typer.Exit: with the code of a no.
    """
    if yes or not session.interactive():
        return
    if not confirmed(question()):
        note("nothing was changed")
        raise typer.Exit(NO.code)


@contextmanager
def carried_out_once(session: Session) -> Iterator[None]:
    """If ctrl-C comes, say what became of the change, and how to go on."""
    try:
        yield
    except Interrupted:
        raise
    except KeyboardInterrupt:
        note(f"interrupted: {_how_it_stands(session)}")
        raise


def _how_it_stands(session: Session) -> str:
    api = session.spoken_with
    if api is None or not (api.open or api.done):
        return "nothing was changed; the same command begins again"
    if not api.open:
        return "it was carried out; `halftone status` shows how it stands"
    if "POST" in api.open:
        return (
            "it may have been carried out or not; the same command with "
            f"--request {api.key} carries it out once, and tells how it stands"
        )
    return "it may have been carried out or not; the same command again leads to the same end"


def existing(endpoint: str) -> str:
    """``endpoint`` if anything can have that name; whether it has, the API says.

    Raises:
        InvalidInput: otherwise.
    """
    return checked_name("ENDPOINT", endpoint)


def endpoint_of(session: Session, endpoint: str) -> Json:
    """The endpoint as the API shows it.

    Raises:
        InvalidInput: if nothing can have that name.
        NotFound: if there is no such endpoint.
    """
    path = f"/endpoints/{existing(endpoint)}"
    try:
        return session.control.get(path)
    except NothingThere as error:
        remedy = "`halftone endpoints list` shows which there are"
        raise NotFound("endpoint", endpoint, remedy) from error


def newest_rollout(session: Session, endpoint: str) -> Json:
    """The endpoint's newest rollout as the API shows it.

    Raises:
        Conflict: if there never was one.
    """
    rollout = endpoint_of(session, endpoint)["rollout"]
    if rollout is None:
        raise Conflict(f"{endpoint!r} has no rollout")
    return session.control.get(f"/endpoints/{endpoint}/rollouts/{rollout}")


def tell(session: Session, endpoint: str) -> None:
    """Show what is true of the endpoint now.

    Read back with the caller's own rights; who has none but for the API sees what that says.
    """
    try:
        view = read(session.stage.ports, endpoint)
    except Unavailable as error:
        _as_the_api_says(session, endpoint, error)
        return
    if session.as_json:
        say_json(shapes.status(session.stage.name, [view]))
    else:
        show(*standing(view))


def _as_the_api_says(session: Session, endpoint: str, why: HalftoneError) -> None:
    found = endpoint_of(session, endpoint)
    note(f"as the control API tells it, because {why}")
    if session.as_json:
        say_json(found)
    else:
        show(f"{endpoint}: {found['status']}, {found['message']}")


def watch_to_the_end(session: Session, endpoint: str, *, until: Phase | None = None) -> int:
    """Show the rollout under way until it is over; answer the exit code: see ``wait``."""
    stage = session.stage
    return wait(
        session,
        lambda: [read(stage.ports, endpoint)],
        lambda views: detail(stage.name, views[0]),
        lambda: story(stage.ports, endpoint),
        until=until,
    )
