"""``halftone rollout …``: what a person says to a rollout under way.

Each command is one request to the control API about the rollout that was seen, and about none that
began since; then it shows what is true.
"""

from typing import Annotated

import typer

from halftone.domain.errors import InvalidInput
from halftone.domain.rollout.phase import Phase
from halftone_cli.commands.changing import (
    RequiredMessage,
    YesOption,
    ask,
    newest_rollout,
    tell,
    watch_to_the_end,
)
from halftone_cli.commands.options import EndpointArgument
from halftone_cli.control.api import Json
from halftone_cli.stage.session import Session


def watch(
    session: Session,
    endpoint: EndpointArgument,
    *,
    until: Annotated[
        Phase | None,
        typer.Option(
            metavar="PHASE",
            help="Watch no further than this phase, such as awaiting_approval.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Watch a rollout until it is over: its share, its step, and the verdict in numbers.

    On a terminal one view is kept up to date; in a pipe a line is printed for each record of the
    audit and for each change of the verdict. Exits 0 if the challenger was promoted (or came as far
    as --until), 1 if it was not. Ctrl-C ends the watching, not the rollout.

    \b
    Examples:
      halftone rollout watch fraud
      halftone rollout watch fraud --until awaiting_approval
      halftone rollout watch fraud --json | jq -r .endpoints[0].verdict.reason
    """
    raise typer.Exit(watch_to_the_end(session, endpoint, until=until))


def pause(session: Session, endpoint: EndpointArgument, message: RequiredMessage) -> None:
    """Keep the challenger's share as it is until `resume`.

    The clock of the step stops. Alarms, and the proof of a regression, still end the rollout.

    \b
    Examples:
      halftone rollout pause fraud --message "the upstream batch runs until nine"
    """
    _say(session, "pause", endpoint, newest_rollout(session, endpoint), message)


def resume(session: Session, endpoint: EndpointArgument, message: RequiredMessage) -> None:
    """Let a paused rollout go on; the time that it was paused does not count.

    \b
    Examples:
      halftone rollout resume fraud --message "the batch is through"
    """
    _say(session, "resume", endpoint, newest_rollout(session, endpoint), message)


def approve(
    session: Session,
    endpoint: EndpointArgument,
    message: RequiredMessage,
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
      halftone rollout approve fraud --message "looked through forty answers"
      halftone rollout approve fraud --step 2 --message "change 1841"
    """
    newest = newest_rollout(session, endpoint)
    last = len(newest["plan"]["stages"]) + 1
    if step is not None and not 1 <= step <= last:
        raise InvalidInput("--step", step, f"1 to {last}")
    # The API counts from 0, and `stage` is the number of the present one counted from 1.
    gate = newest["stage"] if step is None else step - 1
    _say(session, "approve", endpoint, newest, message, stage=gate)


def reject(session: Session, endpoint: EndpointArgument, message: RequiredMessage) -> None:
    """Turn down a rollout that waits for approval: the champion alone answers again.

    \b
    Examples:
      halftone rollout reject fraud --message "the new scores can't be explained"
    """
    _say(session, "reject", endpoint, newest_rollout(session, endpoint), message)


def promote(
    session: Session, endpoint: EndpointArgument, message: RequiredMessage, yes: YesOption = False
) -> None:
    """Give the challenger all traffic now, without waiting for evidence.

    An alarm that is red, or not armed, still takes the challenger back instead. The alias is moved
    by the next tick. On a terminal the command asks before it acts.

    \b
    Examples:
      halftone rollout promote fraud --message "the champion fails on every request"
    """
    newest = newest_rollout(session, endpoint)
    _ask(session, newest, f"give it all traffic of {endpoint} now, without evidence", yes=yes)
    _say(session, "promote", endpoint, newest, message)


def abort(
    session: Session, endpoint: EndpointArgument, message: RequiredMessage, yes: YesOption = False
) -> None:
    """End a rollout in whatever phase it is: the champion alone answers again.

    Where there is no rollout it is refused; `halftone rollback` would go back to the version before
    the champion then. On a terminal the command asks before it acts.

    \b
    Examples:
      halftone rollout abort fraud --message "wrong model"
    """
    newest = newest_rollout(session, endpoint)
    _ask(session, newest, f"end its rollout to {endpoint}", yes=yes)
    _say(session, "abort", endpoint, newest, message)


def _ask(session: Session, newest: Json, wish: str, *, yes: bool) -> None:
    if newest["over"]:
        return
    package = f"{newest['package']['name']}@{newest['package']['digest'][:12]}"
    named = f"version {newest['challenger'] or 'unpublished'} ({package})"
    stands = f"{newest['phase']} at {newest['share']:g} %"
    ask(session, lambda: f"{named} is {stands}: {wish}?", yes=yes)


def _say(
    session: Session, verb: str, endpoint: str, seen: Json, message: str, **said: object
) -> None:
    path = f"/endpoints/{endpoint}/rollouts/{seen['id']}/{verb}"
    session.control.post(path, {"message": message, **said})
    tell(session, endpoint)
