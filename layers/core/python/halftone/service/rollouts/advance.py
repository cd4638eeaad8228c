"""The tick: look, decide, and apply one decision. All that moves a rollout forward happens here.

A tick reads the aliases *before* the record. Whatever it then decides is written with the alias
revision it read: if a rollback came in between, the alias has moved on and the write fails. Each
tick first brings record and aliases into agreement, so that a crash anywhere in the tick before is
repaired here.

The order in which a share is given: the alias ``challenger`` first, by which nobody sends anything
yet; then the alias ``live``, as far as the mode has it split; read back; then the record, and with
it the dispatch, which is what a front acts on.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import NotFound, StaleWrite, Unavailable
from halftone.domain.names import ALIAS, CHALLENGER
from halftone.domain.rollout.decide import (
    Alarmed,
    AskAgain,
    GoBack,
    GoOn,
    Restore,
    Wait,
    Yield,
    compare,
    decide,
    decide_at_gate,
)
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.rollout import Rollout
from halftone.domain.rollout.routing import ReadAliases
from halftone.domain.rollout.verdict import Verdict, VerdictKind
from halftone.ports import Parts
from halftone.ports.guardrails import AlarmState
from halftone.service.rollouts.observe import look, look_ahead
from halftone.service.rollouts.prepare import POLL, prepare
from halftone.service.rollouts.probation import keep_watch
from halftone.service.rollouts.reconcile import reconcile
from halftone.service.rollouts.rollback import fence, finish, roll_back
from halftone.service.unit_of_work import ENGINE, change, change_rollout

_STEPS = 8
"""How many recorded steps one tick may take; the rest is the next tick's."""

_RATIO = 200
"""A tick comes at the latest after a 200th of the rollout's age."""

_UNSEEN = Verdict(VerdictKind.NO_DATA, "not looked at: the guardrail is in alarm")


@dataclass(frozen=True)
class Tick:
    """What a tick says to whatever calls it: whether to come again, and after how long."""

    done: bool
    wait: timedelta
    phase: Phase | None
    reason: str


def advance(parts: Parts, endpoint: str, rollout: str | None, *, every: timedelta) -> Tick:
    """Take the rollout as far as it can go now.

    ``rollout`` None means whatever is under way; ``every`` is the shortest time between looks. A
    tick for a rollout that is over, or is not the endpoint's any more, changes nothing.
    """
    phase: Phase | None = None
    for _ in range(_STEPS):
        seen = parts.aliases.both(endpoint)
        state = parts.store.load(endpoint)
        running = state.active if state else None
        try:
            if state is not None and running is None:
                reconcile(parts, state, seen)
                keep_watch(parts, state)
            if state is None or running is None or rollout not in (None, running.id):
                last = state.rollout if state else None
                return Tick(True, timedelta(0), last.phase if last else None, "nothing to do")
            phase = running.phase
            step = _step(parts, state, running, seen)
        except StaleWrite:
            continue  # somebody wrote in between: look again, decide again
        if not isinstance(step, EndpointState):
            return step if isinstance(step, Tick) else _later(parts, running, step, every)
    return Tick(False, POLL, phase, "more to do")


def _later(parts: Parts, running: Rollout, waiting: Wait, every: timedelta) -> Tick:
    # Looks thin out as a rollout ages, so that one of a month stays below Step Functions' limit of
    # 25,000 events. Guardrails do not wait for looks.
    age = parts.clock.now() - running.started_at
    return Tick(False, max(every, age / _RATIO), running.phase, waiting.reason)


def _step(
    parts: Parts, state: EndpointState, running: Rollout, seen: ReadAliases
) -> EndpointState | Wait | Tick:
    """One recorded step, or why there is none to take now."""
    if running.phase is Phase.ROLLING_BACK:
        return finish(parts, state)
    agreement = compare(running, seen.live.routing, seen.challenger.routing)
    if isinstance(agreement, Yield):
        return _back(parts, state, running, agreement.reason)
    if isinstance(agreement, Restore):
        return _restore(parts, state, running, agreement, seen)
    if running.phase is Phase.PREPARING:
        step = prepare(parts, state, running)
        if isinstance(step, timedelta):
            return Tick(False, step, running.phase, "waiting for Lambda")
        return step
    if running.phase is Phase.SHIFTING:
        return _shift(parts, state, running, seen)
    return _watch(parts, state, running)


def _restore(
    parts: Parts, state: EndpointState, running: Rollout, found: Restore, seen: ReadAliases
) -> EndpointState:
    # Less traffic for the challenger is always safe, so this write needs no intent of its own.
    at = seen.live if found.alias == ALIAS else seen.challenger
    written = parts.aliases.write(
        state.endpoint, found.routing, revision=at.revision, alias=found.alias
    )
    if found.alias == ALIAS:
        repaired = replace(running, alias_revision=written)
    else:
        repaired = replace(running, challenger_revision=written)
    return change_rollout(parts, state, repaired, action="repaired", reason=found.reason)


def _watch(parts: Parts, state: EndpointState, running: Rollout) -> EndpointState | Wait:
    try:
        guard = parts.guardrails.read(state.endpoint)
    except NotFound as gone:
        return _back(parts, state, running, f"there is no guardrail any more: {gone}")
    through = running.called_through(max(running.stage, 0))
    if running.challenger and (guard.armed_for, guard.alias) != (running.challenger, through):
        # A deploy rewrote an alarm. Traffic without an armed alarm is not to be: arm or go back.
        try:
            why = f"rollout {running.id}"
            parts.guardrails.arm(state.endpoint, running.challenger, why, alias=through)
        except Unavailable as error:
            return _back(parts, state, running, f"the guardrail could not be armed: {error}")
        guard = parts.guardrails.read(state.endpoint)
    alarmed = Alarmed(guard.reason) if guard.state is AlarmState.ALARM else None
    # Nothing that evidence could say would keep a challenger in alarm: no call stands before it.
    verdict = _UNSEEN if alarmed else look(parts, state.endpoint, running)
    decision = decide(running, verdict, alarmed, parts.clock.now())
    match decision:
        case Wait():
            return decision
        case GoBack(reason):
            fenced = fence(
                parts, state, running, actor=ENGINE, reason=reason, numbers=verdict.numbers
            )
            return finish(parts, fenced)
        case GoOn(reason):
            following = running.onward(verdict.kind)
            return change_rollout(
                parts,
                state,
                following,
                action="advance",
                reason=reason,
                numbers={**verdict.numbers, "from": running.share, "to": following.target},
            )


def _shift(
    parts: Parts, state: EndpointState, running: Rollout, seen: ReadAliases
) -> EndpointState | Wait:
    """Give the challenger what the record intends, and record it once the alias says so."""
    # Also where the alias is there already, after a crash: all traffic is not to be confirmed over
    # an alarm that came in between.
    unfit = _unfit(parts, state.endpoint, running)
    if unfit:
        return _back(parts, state, running, unfit)
    challenger, live = running.called, running.routing(running.target)
    moves = challenger != seen.challenger.routing, live != seen.live.routing
    if running.gate and seen.live.routing == running.routing(running.share):
        found = _look_at_gate(parts, state, running)
        if found is not None:
            return found
    if moves[0]:
        known = seen.challenger.revision
        parts.aliases.write(state.endpoint, challenger, revision=known, alias=CHALLENGER)
    if moves[1]:
        parts.aliases.write(state.endpoint, live, revision=seen.live.revision)
    if any(moves):
        seen = parts.aliases.both(state.endpoint)
        if (seen.live.routing, seen.challenger.routing) != (live, challenger):
            raise StaleWrite("an alias was changed right after the shift")
    if running.target == 100.0:
        return _promoted(parts, state, running)
    now = parts.clock.now()
    arrived = replace(running, stage=running.stage + 1, since=running.share)
    arrived = arrived.to(
        arrived.resting,
        share=running.target,
        mirror=running.next_mirror,
        stage_since=now,
        alias_revision=seen.live.revision,
        challenger_revision=seen.challenger.revision,
        exposed_at=running.exposed_at or now,
        gate="",
    )
    arrived = replace(arrived, borders=(*running.begun, arrived.border(now)))
    return change_rollout(parts, state, arrived, action="shifted", reason=_arrival(arrived))


def _look_at_gate(
    parts: Parts, state: EndpointState, running: Rollout
) -> EndpointState | Wait | None:
    """What stands against the share that a person approved; None where nothing does.

    The evidence is as old as the gate, and the last minute is not in it.
    """
    verdict = look(parts, state.endpoint, running)
    decision = decide_at_gate(running, verdict, look_ahead(parts, state.endpoint, running))
    match decision:
        case GoBack(reason):
            return _back(parts, state, running, reason)
        case AskAgain(reason, gate):
            asking = running.to(Phase.AWAITING_APPROVAL, target=running.share, gate=gate)
            return change_rollout(
                parts, state, asking, action="asks-again", reason=reason, numbers=verdict.numbers
            )
        case Wait():
            return decision
    return None


def _arrival(arrived: Rollout) -> str:
    if arrived.mirror:
        return f"the challenger scores {arrived.mirror:g} % unseen"
    if arrived.guarded:
        return f"the champion passes {arrived.share:g} % on"
    return f"the alias reads {arrived.share:g} %"


def _unfit(parts: Parts, endpoint: str, running: Rollout) -> str:
    """Why the guardrail forbids the challenger more traffic, or nothing."""
    try:
        guard = parts.guardrails.read(endpoint)
    except NotFound as gone:
        return f"there is no guardrail any more: {gone}"
    if guard.armed_for is None or guard.armed_for != running.challenger:
        return "the guardrail is not armed for the challenger"
    if guard.state is AlarmState.ALARM and running.champion is not None:
        return f"guardrail in alarm: {guard.reason}"
    through = running.called_through(running.following)
    if guard.alias != through:
        # From scoring unseen to answering: the platform counts crashes by the alias called.
        try:
            parts.guardrails.arm(endpoint, guard.armed_for, f"rollout {running.id}", alias=through)
        except Unavailable as error:
            return f"the guardrail could not be armed: {error}"
    return ""


def _promoted(parts: Parts, state: EndpointState, running: Rollout) -> EndpointState:
    published = [
        d for d in parts.store.deployments(state.endpoint) if d.version == running.challenger
    ]
    champion: Deployment = published[0]
    told = "the alias reads 100 %"
    done = running.to(Phase.PROMOTED, share=100.0, target=100.0, mirror=0.0, reason=told, gate="")
    return change(
        parts,
        state,
        replace(state, champion=champion, rollout=done),
        action="promoted",
        actor=ENGINE,
        reason=done.reason,
    )


def _back(parts: Parts, state: EndpointState, running: Rollout, reason: str) -> EndpointState:
    ended = roll_back(
        parts, state.endpoint, actor=ENGINE, reason=reason, rollout=running.id, seen=state
    )
    return ended or state
