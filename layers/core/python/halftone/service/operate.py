"""What a person may say to a rollout under way: pause, resume, approve, reject, promote, abort.

Each is one recorded change with the person and a reason. Said again it changes nothing; said in a
phase that it does not fit, it is refused with that phase. None of them switches an alarm off: going
back stays possible in every phase.
"""

from collections.abc import Callable
from datetime import timedelta

from halftone.domain.endpoint import EndpointState
from halftone.domain.errors import NotFound, Refused
from halftone.domain.phase import Phase
from halftone.domain.rollout import Rollout
from halftone.service.ports import Parts
from halftone.service.record import change_rollout, until_written
from halftone.service.rollback import roll_back

_WATCHED = (Phase.OBSERVING, Phase.BAKING)


def pause(parts: Parts, endpoint: str, *, actor: str, reason: str) -> Rollout:
    """Stop the clock: the share stays as it is until ``resume``.

    Raises:
        NotFound: if the endpoint does not exist.
        Refused: if nothing is rolling out, or it is on its way from one share to the next.
    """

    def next_one(running: Rollout) -> Rollout | None:
        if running.phase is Phase.PAUSED:
            return None
        _must(running, "paused", *_WATCHED)
        return running.to(Phase.PAUSED, paused_at=parts.clock.now())

    return _say(parts, endpoint, "paused", next_one, actor=actor, reason=reason)


def resume(parts: Parts, endpoint: str, *, actor: str, reason: str) -> Rollout:
    """Let the clock run again; the time that was paused does not count.

    Raises:
        NotFound: if the endpoint does not exist.
        Refused: if what is rolling out is neither paused nor being watched.
    """

    def next_one(running: Rollout) -> Rollout | None:
        if running.phase in _WATCHED:
            return None
        _must(running, "resumed", Phase.PAUSED)
        now = parts.clock.now()
        paused = now - (running.paused_at or now)
        since = (running.stage_since or now) + max(paused, timedelta(0))
        return running.to(running.resting, stage_since=since, paused_at=None)

    return _say(parts, endpoint, "resumed", next_one, actor=actor, reason=reason)


def approve(parts: Parts, endpoint: str, *, actor: str, reason: str, stage: int) -> Rollout:
    """Open the gate before stage ``stage`` (0 is the first; the number after the last, 100 %).

    Naming the stage is what makes it safe to say twice: a second word for a gate that is open does
    not open the next one.

    Raises:
        NotFound: if the endpoint does not exist.
        Refused: if what is rolling out does not wait at that gate.
    """

    def next_one(running: Rollout) -> Rollout | None:
        if running.stage >= stage or (
            running.phase is Phase.SHIFTING and running.following == stage
        ):
            return None
        _must(running, f"approved for stage {stage}", Phase.AWAITING_APPROVAL)
        if running.following != stage:
            raise Refused(
                f"rollout {running.id} waits for approval of stage {running.following}, not {stage}"
            )
        return running.to(Phase.SHIFTING, target=running.next_share)

    return _say(parts, endpoint, "approved", next_one, actor=actor, reason=reason)


def reject(parts: Parts, endpoint: str, *, actor: str, reason: str) -> EndpointState:
    """Turn down what waits for approval: the champion alone answers again.

    Raises:
        NotFound: if the endpoint does not exist.
        Refused: if what is rolling out does not wait for approval.
    """
    running = _running(parts, endpoint)
    _must(running, "rejected", Phase.AWAITING_APPROVAL, Phase.ROLLING_BACK)
    return _ended(parts, endpoint, running, actor=actor, reason=f"rejected: {reason}")


def promote(parts: Parts, endpoint: str, *, actor: str, reason: str) -> Rollout:
    """Give the challenger all traffic now, on a person's word in place of the evidence.

    The guardrail does not look away: in alarm, or not armed, the next tick goes back instead.

    Raises:
        NotFound: if the endpoint does not exist.
        Refused: if the challenger has no traffic yet, or is on its way from one share to the next.
    """

    def next_one(running: Rollout) -> Rollout | None:
        if running.phase is Phase.SHIFTING and running.target == 100.0:
            return None
        _must(running, "promoted", *_WATCHED, Phase.PAUSED, Phase.AWAITING_APPROVAL)
        return running.to(Phase.SHIFTING, target=100.0)

    return _say(parts, endpoint, "promote-now", next_one, actor=actor, reason=reason)


def abort(parts: Parts, endpoint: str, *, actor: str, reason: str) -> EndpointState:
    """End what is rolling out, in whatever phase it is: the champion alone answers again.

    Raises:
        NotFound: if the endpoint does not exist.
        Refused: if nothing is rolling out.
    """
    running = _running(parts, endpoint)
    return _ended(parts, endpoint, running, actor=actor, reason=f"aborted: {reason}")


def _say(
    parts: Parts,
    endpoint: str,
    action: str,
    next_one: Callable[[Rollout], Rollout | None],
    *,
    actor: str,
    reason: str,
) -> Rollout:
    """Record what ``next_one`` makes of the rollout under way; None from it means: so it is."""

    def attempt() -> Rollout:
        state = parts.store.load(endpoint)
        running = _active(endpoint, state)
        following = next_one(running)
        if following is None or state is None:
            return running
        change_rollout(parts, state, following, action=action, actor=actor, reason=reason)
        return following

    return until_written(endpoint, attempt)


def _running(parts: Parts, endpoint: str) -> Rollout:
    return _active(endpoint, parts.store.load(endpoint))


def _active(endpoint: str, state: EndpointState | None) -> Rollout:
    if state is None:
        raise NotFound("endpoint", endpoint, "see `halftone status`")
    if state.active is None:
        last = f"; {state.rollout.id} is {state.rollout.phase}" if state.rollout else ""
        raise Refused(f"nothing is rolling out on {endpoint!r}{last}")
    return state.active


def _must(running: Rollout, verb: str, *phases: Phase) -> None:
    if running.phase not in phases:
        fitting = " or ".join(phases)
        raise Refused(
            f"rollout {running.id} is {running.phase}: it can be {verb} while it is {fitting}"
        )


def _ended(
    parts: Parts, endpoint: str, running: Rollout, *, actor: str, reason: str
) -> EndpointState:
    ended = roll_back(parts, endpoint, actor=actor, reason=reason, rollout=running.id)
    state = ended or parts.store.load(endpoint)
    if state is None:
        raise NotFound("endpoint", endpoint)
    return state
