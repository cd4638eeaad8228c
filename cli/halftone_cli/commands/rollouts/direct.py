"""The glass to break: a rollback straight on Lambda and DynamoDB, with the caller's own rights.

It needs no control API, no workflow and no table that answers in time: the alias goes first then,
and the record follows.
"""

from dataclasses import dataclass

from halftone.domain.audit import Author
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import ConcurrentWrite, InvalidInput, Unavailable
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.rollout import Rollout
from halftone.ports import Ports
from halftone.service.releases.revert import Seen, revert
from halftone.service.rollouts.rollback import roll_back
from halftone_cli.commands.changing import ask
from halftone_cli.console import note, say_json, show
from halftone_cli.errors import Interrupted
from halftone_cli.stage.place import Stage
from halftone_cli.stage.session import Session
from halftone_cli.views import shapes
from halftone_cli.views.reading import read, read_state
from halftone_cli.views.tables import standing


def rollback_directly(
    session: Session, endpoint: str, *, to: str | None, reason: str, yes: bool
) -> None:
    """End the rollout under way, or return to ``to`` or the version before; show what is true."""
    stage = session.stage
    urgent = stage.urgent()
    seen = _seen(urgent, endpoint)
    if to is not None and not to.isdigit():
        to = _version_called(seen, to)
    ask(session, lambda: _question(seen, endpoint, to), yes=yes)
    try:
        _go_back(stage, urgent, endpoint, seen, _Wish(to, stage.actor(), reason))
    except KeyboardInterrupt:
        note(
            "interrupted: it may have been carried out or not; look at "
            f"`halftone status {endpoint}` before you say it again, or it goes one version further"
        )
        raise Interrupted from None
    view = read(stage.ports, endpoint)
    if session.as_json:
        say_json(shapes.status(stage.name, [view]))
    else:
        show(*standing(view))


def _version_called(seen: EndpointState | None, name: str) -> str:
    version = seen.version_called(name) if seen else None
    if version is None:
        remedy = "the version's number, if the record can't be read or does not have the name"
        raise InvalidInput("--to", name, remedy)
    return version


@dataclass(frozen=True)
class _Wish:
    """What is asked for: the version that is to serve (None: see the help), by whom and why."""

    to: str | None
    actor: str
    reason: str


def _seen(urgent: Ports, endpoint: str) -> EndpointState | None:
    """The record as it is before anything is done; None if the table leaves us waiting."""
    try:
        return read_state(urgent, endpoint)
    except Unavailable:
        # What can't be read must not keep anybody from going back.
        return None


def _go_back(
    stage: Stage, urgent: Ports, endpoint: str, seen: EndpointState | None, wish: _Wish
) -> None:
    """Do what was seen to be right, and nothing beyond it.

    A rollout that an alarm ended between reading and acting must not make this go back one version
    further than whoever asked could know.

    Raises:
        ConcurrentWrite: if what was seen is no longer so.
    """
    running = seen.active if seen else None
    if seen is None or running is not None:
        rollout = running.id if running else None
        ended = _end_rollout(stage, urgent, endpoint, rollout, wish)
        if wish.to in (None, ended.champion):
            return
    revert(
        stage.ports,
        endpoint,
        version=wish.to,
        author=Author(wish.actor, wish.reason),
        seen=Seen.of(seen) if seen else None,
    )


def _end_rollout(
    stage: Stage, urgent: Ports, endpoint: str, rollout: str | None, wish: _Wish
) -> Rollout:
    """End that rollout (None: the one under way), and answer it as it ended.

    First with the parts that leave a slow table behind and set the alias. Once traffic is safe the
    record may take its time.
    """

    def end(ports: Ports) -> EndpointState | None:
        return roll_back(ports, endpoint, author=Author(wish.actor, wish.reason), rollout=rollout)

    try:
        state = end(urgent)
    except Unavailable:
        state = end(stage.ports)
    if state is None and rollout is not None:
        state = stage.ports.store.load(endpoint)  # somebody else may have ended it
    found = state.rollout if state else None
    if found is None or found.phase is not Phase.ROLLED_BACK or rollout not in (None, found.id):
        meant = f"rollout {rollout}" if rollout else "a rollout under way"
        raise ConcurrentWrite(f"{endpoint!r} no longer has {meant} to take back")
    return found


def _question(seen: EndpointState | None, endpoint: str, to: str | None) -> str:
    if seen is None:
        return f"Roll back {endpoint}? Its record can't be read in time."
    return _intent(seen, to)


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
