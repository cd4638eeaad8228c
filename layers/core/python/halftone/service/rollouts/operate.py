"""Commands that control a running rollout: pause, resume, approve, reject, promote, abort.

Each command is one recorded change with its actor and reason. Repeating a command changes nothing.
A command that the current phase does not allow raises ``Conflict`` with that phase. No command
disarms an alarm: a rollback is possible in every phase.

``rollout`` is the id of the rollout. None means the running one; a late retry may then apply to the
next rollout, so callers that retry pass the id.
"""

from collections.abc import Callable
from datetime import timedelta

from halftone.domain.audit import Author
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import ConcurrentWrite, Conflict, InvalidInput, NotFound
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.rollout import Rollout
from halftone.ports import RolloutPorts
from halftone.service.rollouts.rollback import roll_back
from halftone.service.unit_of_work import commit_rollout, retry_on_conflict

_WATCHED = (Phase.OBSERVING, Phase.BAKING)
_ROLLBACK_PHASES = (Phase.ROLLING_BACK, Phase.ROLLED_BACK)


def pause(
    ports: RolloutPorts, endpoint: str, *, author: Author, rollout: str | None = None
) -> Rollout:
    """Stop the clock: the share stays as it is until ``resume``.

    Raises:
        NotFound: if the endpoint does not exist.
        Conflict: if it is not being watched, such as on its way from one share to the next.
    """

    def next_one(running: Rollout) -> Rollout | None:
        if running.phase is Phase.PAUSED:
            return None
        _require_phase(running, "paused", *_WATCHED)
        return running.to(Phase.PAUSED, paused_at=ports.clock.now())

    return _apply_command(ports, endpoint, rollout, "paused", next_one, author=author)


def resume(
    ports: RolloutPorts, endpoint: str, *, author: Author, rollout: str | None = None
) -> Rollout:
    """Let the clock run again; the time that was paused does not count.

    Raises:
        NotFound: if the endpoint does not exist.
        Conflict: if it is neither paused nor being watched.
    """

    def next_one(running: Rollout) -> Rollout | None:
        if running.phase in _WATCHED:
            return None
        _require_phase(running, "resumed", Phase.PAUSED)
        now = ports.clock.now()
        paused = now - (running.paused_at or now)
        since = (running.stage_since or now) + max(paused, timedelta(0))
        return running.to(running.resting, stage_since=since, paused_at=None)

    return _apply_command(ports, endpoint, rollout, "resumed", next_one, author=author)


def approve(
    ports: RolloutPorts,
    endpoint: str,
    *,
    author: Author,
    stage: int,
    rollout: str | None = None,
) -> Rollout:
    """Open the gate before stage ``stage`` (0 is the first; the number after the last, 100 %).

    The stage makes the command idempotent: repeating it does not open the next gate.

    Raises:
        NotFound: if the endpoint does not exist.
        InvalidInput: if the plan has no such stage.
        Conflict: if it does not wait at that gate.
    """

    def next_one(running: Rollout) -> Rollout | None:
        last = len(running.plan.stages)
        if not 0 <= stage <= last:
            raise InvalidInput(
                "stage",
                stage,
                f"0 to {last}: steps 1 to {last + 1} of rollout {running.id}, counted from 0",
            )
        if running.phase not in _ROLLBACK_PHASES and _has_passed(running, stage):
            return None
        _require_phase(running, f"approved for step {stage + 1}", Phase.AWAITING_APPROVAL)
        if running.following != stage:
            raise Conflict(
                f"rollout {running.id} is {running.phase} of step {running.following + 1}, "
                f"not {stage + 1}"
            )
        return running.to(Phase.SHIFTING, target=running.next_share)

    return _apply_command(ports, endpoint, rollout, "approved", next_one, author=author)


def reject(
    ports: RolloutPorts, endpoint: str, *, author: Author, rollout: str | None = None
) -> EndpointState:
    """Turn down what waits for approval: the champion alone answers again.

    Raises:
        NotFound: if the endpoint does not exist.
        Conflict: if it does not wait for approval.
    """

    state = _state(ports, endpoint)
    running = _newest_rollout(state, rollout)
    if running.phase is Phase.ROLLED_BACK:
        return state
    _require_phase(running, "rejected", Phase.AWAITING_APPROVAL, Phase.ROLLING_BACK)
    return _end(
        ports, endpoint, running.id, author=author.with_reason(f"rejected: {author.reason}")
    )


def promote(
    ports: RolloutPorts, endpoint: str, *, author: Author, rollout: str | None = None
) -> Rollout:
    """Give the challenger all traffic now, on a person's word in place of the evidence.

    The guardrail does not look away: in alarm, or not armed, the next tick goes back instead.

    Raises:
        NotFound: if the endpoint does not exist.
        Conflict: if the challenger has no traffic yet, or is on its way from one share to the next.
    """

    def next_one(running: Rollout) -> Rollout | None:
        if _takes_all(running):
            return None
        _require_phase(running, "promoted", *_WATCHED, Phase.PAUSED, Phase.AWAITING_APPROVAL)
        if running.exposed_at is None:
            raise Conflict(
                f"rollout {running.id} is {running.phase} of its first traffic: it can be promoted "
                "once it has some"
            )
        return running.to(Phase.SHIFTING, target=100.0, paused_at=None, gate="")

    return _apply_command(ports, endpoint, rollout, "promote-now", next_one, author=author)


def abort(
    ports: RolloutPorts, endpoint: str, *, author: Author, rollout: str | None = None
) -> EndpointState:
    """End what is rolling out, in whatever phase it is: the champion alone answers again.

    Raises:
        NotFound: if the endpoint does not exist.
        Conflict: if it is over, and not because it was rolled back.
    """

    return _end(ports, endpoint, rollout, author=author.with_reason(f"aborted: {author.reason}"))


@retry_on_conflict
def _apply_command(
    ports: RolloutPorts,
    endpoint: str,
    rollout: str | None,
    action: str,
    next_one: Callable[[Rollout], Rollout | None],
    *,
    author: Author,
) -> Rollout:
    """Record the rollout that ``next_one`` returns; None leaves the rollout as it is."""
    state = _state(ports, endpoint)
    running = _newest_rollout(state, rollout)
    following = next_one(running)
    if following is None:
        return running
    written = commit_rollout(ports, state, following, action=action, author=author)
    return written.rollout or following


@retry_on_conflict
def _end(
    ports: RolloutPorts,
    endpoint: str,
    rollout: str | None,
    *,
    author: Author,
) -> EndpointState:
    """Roll back first, and check afterwards; a rollout that is rolled back stays so."""
    ended = roll_back(ports, endpoint, author=author, rollout=rollout)
    if ended is not None:
        return ended
    state = _state(ports, endpoint)
    over = _newest_rollout(state, rollout)
    if over.phase is Phase.ROLLED_BACK:
        return state
    if over.phase.final:
        raise Conflict(f"rollout {over.id} is {over.phase}: it can be aborted until it is over")
    raise ConcurrentWrite(f"rollout {over.id} began just now")


def _state(ports: RolloutPorts, endpoint: str) -> EndpointState:
    state = ports.store.load(endpoint)
    if state is None:
        raise NotFound("endpoint", endpoint, "see `halftone status`")
    return state


def _newest_rollout(state: EndpointState, rollout: str | None) -> Rollout:
    """The newest rollout, running or finished; it must have the id ``rollout`` if that is given."""
    newest = state.rollout
    if newest is None:
        raise Conflict(f"nothing is rolling out on {state.endpoint!r}")
    if rollout not in (None, newest.id):
        raise Conflict(
            f"{state.endpoint!r} is not rolling out {rollout}: its newest rollout is {newest.id}, "
            f"which is {newest.phase}"
        )
    return newest


def _require_phase(running: Rollout, verb: str, *phases: Phase) -> None:
    if running.phase not in phases:
        fitting = " or ".join(phases)
        raise Conflict(
            f"rollout {running.id} is {running.phase}: it can be {verb} while it is {fitting}"
        )


def _has_passed(running: Rollout, stage: int) -> bool:
    """Whether the gate before ``stage`` is behind it, or open."""
    opened = running.phase is Phase.SHIFTING and running.following == stage
    return opened or running.stage >= stage or _takes_all(running)


def _takes_all(running: Rollout) -> bool:
    on_its_way = running.phase is Phase.SHIFTING and running.target == 100.0
    return on_its_way or running.phase is Phase.PROMOTED
