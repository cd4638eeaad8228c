"""``halftone rollout …``: what a person says to a rollout under way.

Each command does one thing of ``service.operate`` and shows what is true afterwards.
"""

from collections.abc import Callable
from typing import Annotated

import typer

from halftone.domain.errors import InvalidInput
from halftone.domain.rollout import Rollout
from halftone.service import operate
from halftone_cli import shapes
from halftone_cli.context import Session
from halftone_cli.errors import NO
from halftone_cli.options import EndpointArgument
from halftone_cli.output import confirmed, note, say_json, show
from halftone_cli.reading import read, read_state
from halftone_cli.story import story
from halftone_cli.tables import detail, standing
from halftone_cli.waiting import wait

ReasonOption = Annotated[
    str, typer.Option(metavar="TEXT", help="Why; it goes on record.", show_default=False)
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def watch(session: Session, endpoint: EndpointArgument) -> None:
    """Watch a rollout until it is over: its share, its step, and the verdict in numbers.

    On a terminal one view is kept up to date; in a pipe a line is printed for each record of the
    audit and for each change of the verdict. Exits 0 if the challenger was promoted, 1 if it was
    not. Ctrl-C ends the watching, not the rollout.

    \b
    Examples:
      halftone rollout watch fraud
      halftone rollout watch fraud --json | jq -r .endpoints[0].verdict.reason
    """
    stage = session.stage
    raise typer.Exit(
        wait(
            session,
            lambda: [read(stage.parts, endpoint)],
            lambda views: detail(stage.name, views[0]),
            lambda: story(stage.parts, endpoint),
        )
    )


def pause(session: Session, endpoint: EndpointArgument, reason: ReasonOption) -> None:
    """Keep the challenger's share as it is until `resume`.

    The clock of the step stops. Alarms, and the proof of a regression, still end the rollout.

    \b
    Examples:
      halftone rollout pause fraud --reason "the upstream batch runs until nine"
    """
    _say(session, operate.pause, endpoint, _newest(session, endpoint), reason=reason)


def resume(session: Session, endpoint: EndpointArgument, reason: ReasonOption) -> None:
    """Let a paused rollout go on; the time that it was paused does not count.

    \b
    Examples:
      halftone rollout resume fraud --reason "the batch is through"
    """
    _say(session, operate.resume, endpoint, _newest(session, endpoint), reason=reason)


def approve(
    session: Session,
    endpoint: EndpointArgument,
    reason: ReasonOption,
    step: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="The step to let it into, counted from 1 as in `status`; the number after the "
            "bake's is 100 %. By default the one it waits for.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Let a rollout that waits for approval into its next step.

    With --step it is safe to be said twice: a second word never opens the next gate.

    \b
    Examples:
      halftone rollout approve fraud --reason "looked through forty answers"
      halftone rollout approve fraud --step 2 --reason "change 1841"
    """
    newest = _newest(session, endpoint)
    last = len(newest.plan.stages) + 1 if newest else 1
    if step is not None and not 1 <= step <= last:
        raise InvalidInput("--step", step, f"1 to {last}")
    waited_for = newest.following if newest else 0
    gate = waited_for if step is None else step - 1
    _say(session, operate.approve, endpoint, newest, reason=reason, stage=gate)


def reject(session: Session, endpoint: EndpointArgument, reason: ReasonOption) -> None:
    """Turn down a rollout that waits for approval: the champion alone answers again.

    \b
    Examples:
      halftone rollout reject fraud --reason "the new scores can't be explained"
    """
    _say(session, operate.reject, endpoint, _newest(session, endpoint), reason=reason)


def promote(
    session: Session, endpoint: EndpointArgument, reason: ReasonOption, yes: YesOption = False
) -> None:
    """Give the challenger all traffic now, without waiting for evidence.

    An alarm that is red, or not armed, still takes the challenger back instead. The alias is moved
    by the next tick. On a terminal the command asks before it acts.

    \b
    Examples:
      halftone rollout promote fraud --reason "the champion fails on every request"
    """
    newest = _newest(session, endpoint)
    _ask(session, newest, f"give it all traffic of {endpoint} now, without evidence", yes=yes)
    _say(session, operate.promote, endpoint, newest, reason=reason)


def abort(
    session: Session, endpoint: EndpointArgument, reason: ReasonOption, yes: YesOption = False
) -> None:
    """End a rollout in whatever phase it is: the champion alone answers again.

    Where there is no rollout it is refused; `halftone rollback` would go back to the version before
    the champion then. On a terminal the command asks before it acts.

    \b
    Examples:
      halftone rollout abort fraud --reason "wrong model"
    """
    newest = _newest(session, endpoint)
    _ask(session, newest, f"end its rollout to {endpoint}", yes=yes)
    _say(session, operate.abort, endpoint, newest, reason=reason)


def _newest(session: Session, endpoint: str) -> Rollout | None:
    """The newest rollout as it is before anything is done; whether it fits, the use case says."""
    return read_state(session.stage.parts, endpoint).rollout


def _ask(session: Session, newest: Rollout | None, wish: str, *, yes: bool) -> None:
    if newest is None or newest.phase.final or yes or not session.interactive():
        return
    named = f"version {newest.challenger or 'unpublished'} ({newest.package})"
    if not confirmed(f"{named} is {newest.phase} at {newest.share:g} %: {wish}?"):
        note("nothing was changed")
        raise typer.Exit(NO.code)


def _say(
    session: Session,
    operation: Callable[..., object],
    endpoint: str,
    seen: Rollout | None,
    **said: object,
) -> None:
    """Do it to the rollout that was ``seen``, and to none that began since; show what is true."""
    stage = session.stage
    rollout = seen.id if seen else None
    operation(stage.parts, endpoint, actor=stage.actor(), rollout=rollout, **said)
    view = read(stage.parts, endpoint)
    if session.as_json:
        say_json(shapes.status(stage.name, [view]))
    else:
        show(*standing(view))
