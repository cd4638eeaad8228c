"""The tick: analyzes the evidence, decides, and applies one decision. Only ticks advance rollouts.

A tick reads the aliases *before* the record. It writes its decision with the alias revision that it
read: after a rollback in between, the alias has another revision and the write fails. Each tick
first reconciles record and aliases, so that it repairs a crash in the tick before.

The order in which a share is given is the reconciler's (``service.rollouts.reconcile``): the
alarms, the alias ``challenger``, the alias ``live``, read back; then the record, and with it the
dispatch, which is what a front acts on.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from halftone.domain.endpoint.champions import bereave, succeed
from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.projection import Watch, projection
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import ConcurrentWrite, NotFound, RecordRestored, Unavailable
from halftone.domain.names import ALIAS
from halftone.domain.rollout.decide import (
    Advance,
    Alarmed,
    AskAgain,
    Hold,
    Restore,
    RollBack,
    Yield,
    compare,
    decide,
    decide_at_gate,
    decide_late,
)
from halftone.domain.rollout.evidence import BUCKET
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.rollout import Rollout
from halftone.domain.rollout.routing import UNRELEASED, ReadAliases
from halftone.domain.rollout.verdict import Verdict, VerdictKind
from halftone.ports import RolloutPorts
from halftone.ports.guardrails import AlarmState, Guard
from halftone.service.rollouts.observe import analyze, look_ahead
from halftone.service.rollouts.past_champions import (
    exists,
    newest_left,
    none_left,
    with_past,
)
from halftone.service.rollouts.prepare import POLL, prepare
from halftone.service.rollouts.reconcile import (
    RESTORED,
    anchor_of,
    arm,
    give,
    must_be_newest,
    point,
    reconcile,
    watches,
)
from halftone.service.rollouts.rollback import alarm_numbers, fence, finish, roll_back
from halftone.service.rollouts.validation import failed, withdraw_failed
from halftone.service.unit_of_work import by_engine, commit, commit_rollout, renew_key

_STEPS = 8
"""How many recorded steps one tick may take; the rest is the next tick's."""

_RATIO = 200
"""A tick comes at the latest after a 200th of the rollout's age."""

HELD = timedelta(minutes=1)
"""How long between two ticks that find a record older than its aliases."""

_UNSEEN = Verdict(VerdictKind.NO_DATA, "not looked at: the guardrail is in alarm")


@dataclass(frozen=True)
class Tick:
    """The result of a tick: whether the rollout is done, and else when the next tick is due."""

    done: bool
    wait: timedelta
    phase: Phase | None
    reason: str


def advance(ports: RolloutPorts, endpoint: str, rollout: str | None, *, every: timedelta) -> Tick:
    """Take the rollout as far as it can go now.

    ``rollout`` None means whatever is under way; ``every`` is the shortest time between looks. A
    tick for a rollout that is over, or is not the endpoint's any more, changes nothing.
    """
    phase: Phase | None = None
    decided: tuple[int, datetime] | None = None
    for _ in range(_STEPS):
        began = ports.clock.now()
        aliases = ports.aliases.both(endpoint)
        state = ports.store.load(endpoint)
        running = state.active if state else None
        try:
            if state is not None:
                must_be_newest(ports, state, aliases)
                state = withdraw_failed(ports, state)
                if running is None:
                    reconcile(ports, state, aliases)
                    if renew_key(ports, state):
                        continue
            if state is None or running is None or rollout not in (None, running.id):
                last = state.rollout if state else None
                return Tick(True, timedelta(0), last.phase if last else None, "nothing to do")
            phase = running.phase
            fresh = decided is not None and decided[0] == state.revision
            fresh = fresh and decided is not None and began - decided[1] < BUCKET
            step = _step(ports, state, running, aliases, fresh=fresh)
        except RecordRestored as older:
            return _held(ports, endpoint, str(older), every)
        except ConcurrentWrite:
            continue  # a concurrent write: read and decide again
        if not isinstance(step, EndpointState):
            return step if isinstance(step, Tick) else _later(ports, running, step, every)
        decided = (step.revision, began)
    return Tick(False, POLL, phase, "more to do")


def _held(ports: RolloutPorts, endpoint: str, reason: str, every: timedelta) -> Tick:
    """Record that the endpoint is held, so that later changes keep it held."""
    state = ports.store.load(endpoint)
    if state is not None and not state.restored:
        with suppress(ConcurrentWrite):
            held = replace(state, restored=reason)
            commit(ports, state, held, action=RESTORED, author=by_engine(reason))
    phase = state.rollout.phase if state and state.rollout else None
    return Tick(False, max(every, HELD), phase, reason)


def _later(ports: RolloutPorts, running: Rollout, waiting: Hold, every: timedelta) -> Tick:
    # Looks thin out as a rollout ages, so that one of a month stays below Step Functions' limit of
    # 25,000 events. Guardrails do not wait for looks.
    age = ports.clock.now() - running.started_at
    return Tick(False, max(every, age / _RATIO), running.phase, waiting.reason)


def _step(
    ports: RolloutPorts,
    state: EndpointState,
    running: Rollout,
    aliases: ReadAliases,
    *,
    fresh: bool,
) -> EndpointState | Hold | Tick:
    """Take one recorded step, or return why none is due.

    ``fresh``: this tick wrote the state itself, less than a bucket ago.
    """
    if running.phase is Phase.ROLLING_BACK:
        return finish(ports, state)
    agreement = compare(running, aliases.live.routing, aliases.challenger.routing)
    if isinstance(agreement, Yield):
        first = _become_first(ports, state, running, aliases)
        return first or _back(ports, state, running, agreement.reason)
    if isinstance(agreement, Restore):
        return _restore(ports, state, running, agreement, aliases)
    if running.phase in (Phase.PREPARING, Phase.SHIFTING):
        reason = failed(ports, running.package)
        if reason:
            return _back(ports, state, running, reason)
    if running.phase is Phase.PREPARING:
        step = prepare(ports, state, running)
        if isinstance(step, timedelta):
            return Tick(False, step, running.phase, "waiting for Lambda")
        return step
    if running.phase is Phase.SHIFTING:
        return _shift(ports, state, running, aliases, fresh=fresh)
    return _watch(ports, state, running)


def _become_first(
    ports: RolloutPorts, state: EndpointState, running: Rollout, aliases: ReadAliases
) -> EndpointState | None:
    """Go on as a first release where the function was made anew, and nothing else can serve.

    The record may have a champion all the same: its table was restored to an earlier day. Going
    back would end the one release that mends it.
    """
    champion = running.champion
    if running.phase is not Phase.PREPARING or aliases.live.routing != UNRELEASED:
        return None
    if champion is None or exists(ports, state.endpoint, champion):
        return None
    with_history = with_past(ports, state)
    if newest_left(ports, with_history, champion) is not None:
        return None
    reason = none_left(state.endpoint, champion)
    alone = replace(running, champion=None, reason=reason)
    return commit(
        ports,
        state,
        replace(bereave(with_history, reason), rollout=alone),
        action="repaired",
        author=by_engine(reason),
        numbers={"gone": champion, "champion": None},
    )


def _restore(
    ports: RolloutPorts,
    state: EndpointState,
    running: Rollout,
    repair: Restore,
    aliases: ReadAliases,
) -> EndpointState:
    # Less traffic for the challenger is always safe, so this write needs no intent of its own.
    at = aliases.live if repair.alias == ALIAS else aliases.challenger
    try:
        written = point(ports, state, repair.alias, repair.routing, revision=at.revision)
    except NotFound:
        champion = running.champion
        if champion is None or exists(ports, state.endpoint, champion):
            raise
        # A rollback knows what serves in the place of a champion that is gone.
        return _back(ports, state, running, f"{repair.reason}, and version {champion} is gone")
    if repair.alias == ALIAS:
        repaired = replace(running, alias_revision=written)
    else:
        repaired = replace(running, challenger_revision=written)
    anchored = replace(state, anchor=anchor_of(state))
    return commit_rollout(
        ports, anchored, repaired, action="repaired", author=by_engine(repair.reason)
    )


def _watch(ports: RolloutPorts, state: EndpointState, running: Rollout) -> EndpointState | Hold:
    try:
        guard = ports.guardrails.read(state.endpoint)
    except NotFound as gone:
        return _back(ports, state, running, f"there is no guardrail any more: {gone}")
    watch = projection(state).watch
    # Whoever rewrote the alarms since they were armed did not take a red state off them: it counts.
    if watch and not watches(guard, watch) and guard.state is not AlarmState.ALARM:
        # Traffic without an armed alarm is not to be: arm or go back.
        try:
            arm(ports, state.endpoint, watch, f"rollout {running.id}")
        except Unavailable as error:
            return _back(ports, state, running, f"the guardrail could not be armed: {error}")
        guard = ports.guardrails.read(state.endpoint)
    alarmed = _alarmed(guard, watch)
    reason = "" if alarmed else failed(ports, running.package)
    if reason:
        return _back(ports, state, running, reason)
    # Nothing that evidence could say would keep a challenger in alarm: no call stands before it.
    verdict = _UNSEEN if alarmed else analyze(ports, state.endpoint, running)
    decision = decide(running, verdict, alarmed, ports.clock.now())
    match decision:
        case Hold():
            return decision
        case RollBack(reason, detail):
            numbers = {**verdict.numbers, **alarm_numbers(detail)}
            fenced = fence(ports, state, running, author=by_engine(reason), numbers=numbers)
            return finish(ports, fenced)
        case Advance(reason):
            following = running.onward(verdict.kind)
            return commit_rollout(
                ports,
                state,
                following,
                action="advance",
                author=by_engine(reason),
                numbers={**verdict.numbers, "from": running.share, "to": following.target},
            )


def _shift(
    ports: RolloutPorts,
    state: EndpointState,
    running: Rollout,
    aliases: ReadAliases,
    *,
    fresh: bool,
) -> EndpointState | Hold:
    """Give the challenger its target share, and record it once the aliases are confirmed."""
    # Also where the alias is there already, after a crash: all traffic is not to be confirmed over
    # an alarm that came in between.
    unfit, detail = _unfit(ports, state.endpoint, running)
    if unfit:
        return _back(ports, state, running, unfit, detail)
    if aliases.live.routing == running.routing(running.share):
        obstacle = None
        if running.gate:
            obstacle = _look_at_gate(ports, state, running)
        elif running.current is not None and not fresh:
            obstacle = _look_late(ports, state, running)
        if obstacle is not None:
            return obstacle
    desired = projection(state)
    before = aliases
    aliases = give(ports, state, aliases, desired.live, desired.challenger)
    anchored = state if aliases is before else replace(state, anchor=anchor_of(state))
    if running.target == 100.0:
        return _promoted(ports, anchored, running)
    now = ports.clock.now()
    arrived = replace(running, stage=running.stage + 1, since=running.share)
    arrived = arrived.to(
        arrived.resting,
        share=running.target,
        mirror=running.next_mirror,
        stage_since=now,
        alias_revision=aliases.live.revision,
        challenger_revision=aliases.challenger.revision,
        exposed_at=running.exposed_at or now,
        gate="",
    )
    arrived = replace(arrived, borders=(*running.begun, arrived.border(now)))
    return commit_rollout(
        ports, anchored, arrived, action="shifted", author=by_engine(_arrival(arrived))
    )


def _look_at_gate(
    ports: RolloutPorts, state: EndpointState, running: Rollout
) -> EndpointState | Hold | None:
    """What prevents the share that a person approved; None if nothing does.

    The evidence is as old as the gate, and the last minute is not in it.
    """
    verdict = analyze(ports, state.endpoint, running)
    decision = decide_at_gate(running, verdict, look_ahead(ports, state.endpoint, running))
    match decision:
        case RollBack(reason):
            return _back(ports, state, running, reason)
        case AskAgain(reason, gate):
            asking = running.to(Phase.AWAITING_APPROVAL, target=running.share, gate=gate)
            return commit_rollout(
                ports,
                state,
                asking,
                action="asks-again",
                author=by_engine(reason),
                numbers=verdict.numbers,
            )
        case Hold():
            return decision
    return None


def _look_late(
    ports: RolloutPorts, state: EndpointState, running: Rollout
) -> EndpointState | Hold | None:
    """What prevents a share that an earlier tick or a person decided on; None if nothing does.

    The tick that decided may have died, or stood still, before it gave the share.
    """
    verdict = analyze(ports, state.endpoint, running)
    match decide_late(verdict, look_ahead(ports, state.endpoint, running)):
        case RollBack(reason):
            return _back(ports, state, running, reason)
        case Hold() as waiting:
            return waiting
    return None


def _arrival(arrived: Rollout) -> str:
    if arrived.mirror:
        return f"the challenger scores {arrived.mirror:g} % unseen"
    if arrived.guarded:
        return f"the champion passes {arrived.share:g} % on"
    return f"the alias reads {arrived.share:g} %"


def _unfit(ports: RolloutPorts, endpoint: str, running: Rollout) -> tuple[str, str]:
    """Why the guardrail forbids more traffic ("": it does not), and what CloudWatch says."""
    try:
        guard = ports.guardrails.read(endpoint)
    except NotFound as gone:
        return f"there is no guardrail any more: {gone}", ""
    if guard.armed_for is None or guard.armed_for != running.challenger:
        return "the guardrail is not armed for the challenger", ""
    if guard.state is AlarmState.ALARM and running.champion is not None:
        return f"guardrail in alarm: {guard.reason}", guard.detail
    watch = Watch(guard.armed_for, running.called_through(running.following))
    if not watches(guard, watch):
        # From scoring unseen to answering: the platform counts crashes by the alias called.
        try:
            arm(ports, endpoint, watch, f"rollout {running.id}")
        except Unavailable as error:
            return f"the guardrail could not be armed: {error}", ""
    return "", ""


def _alarmed(guard: Guard, watch: Watch | None) -> Alarmed | None:
    if guard.state is not AlarmState.ALARM:
        return None
    if watch is None or watches(guard, watch):
        return Alarmed(guard.reason, guard.detail)
    watched = f"version {guard.armed_for}" if guard.armed_for else "no one version"
    return Alarmed(
        f"{guard.reason} (red as it was found, watching {watched} through {guard.alias!r})",
        guard.detail,
    )


def _promoted(ports: RolloutPorts, state: EndpointState, running: Rollout) -> EndpointState:
    published = [
        d for d in ports.store.deployments(state.endpoint) if d.version == running.challenger
    ]
    if not published:
        raise ConcurrentWrite("the table was restored while the alias was written")
    champion: Deployment = published[0]
    reason = "the alias reads 100 %"
    done = running.to(Phase.PROMOTED, share=100.0, target=100.0, mirror=0.0, reason=reason, gate="")
    after = succeed(with_past(ports, state), champion)
    return commit(
        ports,
        state,
        replace(after, rollout=done),
        action="promoted",
        author=by_engine(done.reason),
    )


def _back(
    ports: RolloutPorts, state: EndpointState, running: Rollout, reason: str, detail: str = ""
) -> EndpointState:
    ended = roll_back(
        ports,
        state.endpoint,
        author=by_engine(reason),
        rollout=running.id,
        seen=state,
        detail=detail,
    )
    return ended or state
