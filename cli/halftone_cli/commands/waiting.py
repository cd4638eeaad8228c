"""Waiting for the end of a rollout, which goes on whether or not anybody waits for it."""

from collections.abc import Callable

from rich.console import RenderableType

from halftone.domain.errors import Conflict
from halftone.domain.rollout.phase import Phase
from halftone_cli.commands.watch import Lines, Views, summaries, watch
from halftone_cli.console import note
from halftone_cli.errors import DONE, NO, Interrupted
from halftone_cli.stage.session import Session
from halftone_cli.views.reading import View


def wait(
    session: Session,
    read: Callable[[], Views],
    render: Callable[[Views], RenderableType],
    lines: Callable[[], Lines] = summaries,
    *,
    until: Phase | None = None,
) -> int:
    """Show what ``read`` answers of one endpoint until its rollout is over, or in the phase
    ``until``; answer the exit code.

    Raises:
        Conflict: if the endpoint has no rollout.
        Interrupted: when ctrl-C ends it; then it is told how to go on.
    """
    first = read()[0]
    endpoint = first.state.endpoint
    if first.state.rollout is None:
        raise Conflict(f"{endpoint!r} has no rollout to wait for")
    rollout = first.state.rollout.id
    try:
        last = watch(
            session,
            read,
            render,
            done=lambda now: outcome(now[0], rollout, until) is not None,
            lines=lines(),
        )
    except KeyboardInterrupt:
        if outcome(first, rollout, until) is None:
            told = f"the rollout goes on by itself: `halftone rollout watch {endpoint}` shows it"
            note(f"no longer watching; {told} again, `halftone rollback {endpoint}` takes it back")
        raise Interrupted from None
    return DONE.code if outcome(last[0], rollout, until) else NO.code


def outcome(view: View, rollout: str, until: Phase | None = None) -> bool | None:
    """Whether the rollout came as far as ``until``, or brought a new champion; None while that is
    open.
    """
    present = view.state.rollout
    if present and present.id == rollout:
        if until is not None and present.phase is until:
            return True
        return present.phase is Phase.PROMOTED if present.phase.final else None
    # Another one has followed since: what serves tells how this one ended.
    return view.state.champion is not None and view.state.champion.rollout == rollout
