"""``halftone rollback``: the champion alone, or an earlier version again."""

from typing import Annotated

import typer

from halftone.domain.endpoint import EndpointState
from halftone.domain.errors import Unavailable
from halftone.domain.names import checked_name
from halftone.service.rollback import return_to, roll_back
from halftone_cli import shapes
from halftone_cli.context import Session, Stage
from halftone_cli.errors import NO
from halftone_cli.options import EndpointArgument
from halftone_cli.output import confirmed, note, one_line, say_json, show
from halftone_cli.reading import View, read, read_state, spoken_routing


def rollback(
    session: Session,
    endpoint: EndpointArgument,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="VERSION",
            help="The version that is to serve: one that has served before.",
            show_default=False,
        ),
    ] = None,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why; it goes on record.")
    ] = "rolled back by hand",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Take the challenger back, or return to an earlier version.

    A rollout that is under way ends: its champion alone answers. If there is none, the version that
    served before the present one becomes champion again. What is true afterwards is read back and
    shown. On a terminal the command asks before it acts.

    \b
    Examples:
      halftone rollback fraud --reason "scores drift since noon"
      halftone rollback fraud --to 3 --yes
    """
    checked_name("ENDPOINT", endpoint)
    stage = session.stage
    if not yes and session.interactive() and not _agreed(stage, endpoint, to):
        note("nothing was changed")
        raise typer.Exit(NO.code)
    _go_back(stage, endpoint, to=to, reason=reason)
    view = read(stage.parts, endpoint)
    if session.as_json:
        say_json(shapes.status(stage.name, [view]))
    else:
        _tell(view)


def _go_back(stage: Stage, endpoint: str, *, to: str | None, reason: str) -> None:
    actor = stage.actor()
    ended = _end_rollout(stage, endpoint, actor=actor, reason=reason)
    if ended and to in (None, ended.champion and ended.champion.version):
        return
    return_to(stage.parts, endpoint, version=to, actor=actor, reason=reason)


def _end_rollout(stage: Stage, endpoint: str, *, actor: str, reason: str) -> EndpointState | None:
    """The state after the rollout under way was ended; None if there was none.

    First with the parts that leave a slow table behind and set the alias. Once traffic is safe the
    record may take its time.
    """
    try:
        return roll_back(stage.urgent(), endpoint, actor=actor, reason=reason)
    except Unavailable:
        return roll_back(stage.parts, endpoint, actor=actor, reason=reason)


def _agreed(stage: Stage, endpoint: str, to: str | None) -> bool:
    try:
        plan = _intent(read_state(stage.parts, endpoint), to)
    except Unavailable as error:
        # What can't be read must not keep anybody from going back.
        plan = f"Roll back {endpoint}, whose record can't be read ({error})?"
    return confirmed(plan)


def _intent(state: EndpointState, to: str | None) -> str:
    serving = f"version {state.champion.version}" if state.champion else "nothing"
    running = state.active
    if running:
        target = f"version {to}" if to else serving
        return (
            f"End the rollout of {running.package} to {state.endpoint} "
            f"({running.phase} at {running.share:g} %), so that {target} alone answers?"
        )
    target = f"version {to}" if to else "the version before it"
    return f"Take {serving} of {state.endpoint} back, so that {target} alone answers?"


def _tell(view: View) -> None:
    state, champion = view.state, view.state.champion
    if champion:
        show(f"{state.endpoint}: champion is version {champion.version} ({champion.package})")
    if view.routing:
        agreement = view.disagreement or "as recorded"
        show(one_line(f"alias, read back: {spoken_routing(view.routing)}; {agreement}"))
    if state.rollout:
        show(one_line(f"rollout {state.rollout.id}: {state.rollout.phase}, {state.rollout.reason}"))
    for fault in view.faults:
        show(one_line(f"not read: {fault}"))
    show(f"on record: {', '.join(f'{r.seq} {r.action}' for r in view.recent)}")
