"""The promises of the engine, as checks of each step and of each end.

1. No traffic to a version that was not smoke-tested, or without an armed alarm.
2. The challenger's share never exceeds the plan's current step.
3. Once a rollback is accepted, no write of any other actor raises the challenger's share again.
4. Every change of state has exactly one audit record, written in the same transaction.
5. The audit chain verifies.
6. No evidence, no promotion.
7. Replaying any event, tick or request changes nothing.
8. After a crash at any point, the next tick brings record and alias into agreement. An end is on
   record only once the aliases were read to say so.

1 to 6 are checked after every single step, and so is how a rollout's end is recorded; 5 (from the
first record on), 7 and 8 at every end of a schedule.
"""

from halftone.domain.audit import AuditRecord, verify
from halftone.domain.endpoint.route_table import route_config_of
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.names import ALIAS, CHALLENGER
from halftone.domain.rollout.evidence import BUCKET
from halftone.domain.rollout.phase import TRANSITIONS, Phase
from halftone.domain.rollout.routing import UNRELEASED, ReadAliases, Routing
from halftone.ports.guardrails import Guard
from halftone.service.unit_of_work import summary
from tests.property.engine.simulation import Standing
from tests.property.engine.world import Snapshot, World
from tests.support.engine import NAME


class Broken(AssertionError):
    """A promise does not hold."""

    def __init__(self, promise: int, why: str) -> None:
        self.promise = promise
        super().__init__(f"promise {promise} is broken: {why}")


def check_step(world: World, before: Snapshot, standing: Standing, after: Snapshot) -> None:
    """Judge the call that a process of the engine makes where it stands.

    Raises:
        Broken: naming the promise.
    """
    call = standing.call
    assert call is not None
    if call.name in ("aliases.write", "store.commit", "store.put_dispatch"):
        _check_traffic(before, standing, after)
    if before.state is not after.state or before.records != after.records:
        record = _check_record(before, after)
        _check_end(before, standing, after)
        _check_evidence(world, before, record)
    if not after.memory.by_hand:
        _check_share(after)


def _check_traffic(before: Snapshot, standing: Standing, after: Snapshot) -> None:
    call, state = standing.call, after.state
    assert call is not None
    served = _served(after)
    routings = after.alias.routing, after.challenger.routing
    for version in {v for r in routings for v in (r.main, r.other) if v} - {UNRELEASED.main}:
        was, now = before.reach(version), after.reach(version)
        share = now.share
        if share <= was.share and now.mirror <= was.mirror:
            continue
        # What a front may do rests on the alias that it calls.
        by = call.kwargs.get("alias", ALIAS) if call.name == "aliases.write" else CHALLENGER
        if (version, by) in after.memory.taken_back:
            raise Broken(3, f"version {version} was taken back and gets {share:g} % again")
        if version in served:
            continue
        if version not in after.memory.answered:
            raise Broken(1, f"version {version} gets {share:g} % without a smoke test")
        # Nothing can hold the alarms while the alias is written: what counts is that the writer
        # looked before. That they were disarmed since is for the next tick to see.
        watched = _last_look(standing)
        if watched != version:
            raise Broken(1, f"version {version} gets {share:g} %, the alarms watch {watched}")
        if state is None or state.active is None or state.active.challenger != version:
            raise Broken(2, f"version {version} gets {share:g} % and nobody rolls it out")


def _check_share(now: Snapshot) -> None:
    rollout = now.state.rollout if now.state else None
    if rollout is None or rollout.challenger in (None, rollout.champion):
        return
    if rollout.phase in (Phase.ROLLING_BACK, Phase.PROMOTED):
        return  # on its way to 0 by a rule of its own; or champion, which other rollouts may change
    allowed = rollout.share
    # In guarded mode a share that is not all rises with the record and not before.
    if rollout.phase is Phase.SHIFTING and (not rollout.guarded or rollout.target == 100.0):
        allowed = max(rollout.share, rollout.target)
    found = now.reach(rollout.challenger)
    if found.share > allowed:
        raise Broken(2, f"{rollout.phase} allows {allowed:g} %, it may get {found.share:g} %")
    # A front with an earlier stage's dispatch may go on scoring: no client sees those answers.
    scored = max([0.0, *(s.mirror for s in rollout.plan.stages[: rollout.stage + 1])])
    if found.mirror > scored:
        raise Broken(2, f"stage {rollout.stage} allows {scored:g} % to be scored, not {found}")


def _check_record(before: Snapshot, after: Snapshot) -> AuditRecord:
    old, new = before.state or EndpointState(NAME), after.state
    if new is None or len(after.records) != len(before.records) + 1 or new == old:
        written = len(after.records) - len(before.records)
        raise Broken(4, f"{written} records for a change of state from {old} to {new}")
    _check_transition(old, new)
    record = after.records[-1]
    # What each setting was and is stands beside it.
    said = tuple(
        {name: value for name, value in told.items() if name != "settings"}
        for told in (record.before, record.after)
    )
    if said != (summary(old), summary(new)):
        told = f"{record.before} and {record.after}"
        raise Broken(4, f"the record tells of {told}, which is not what was changed")
    if (new.revision, new.audit) != (old.revision + 1, record.head):
        raise Broken(4, f"revision {new.revision} names record {new.audit.seq}")
    if (record.seq, record.previous) != (old.audit.seq + 1, old.audit.hash):
        raise Broken(5, f"record {record.seq} does not follow {old.audit.seq}")
    return record


def _check_transition(old: EndpointState, new: EndpointState) -> None:
    was, now = old.rollout, new.rollout
    if was is None or was.phase.final or now == was:
        return
    if now is None or now.id != was.id:
        raise Broken(2, f"rollout {was.id} is gone from the record while {was.phase}")
    if now.phase is not was.phase and now.phase not in TRANSITIONS[was.phase]:
        raise Broken(2, f"rollout {was.id} became {now.phase} from {was.phase}")


def _check_end(before: Snapshot, standing: Standing, after: Snapshot) -> None:
    """That a rollout is promoted, or rolled back, is told of aliases that were read to say so."""
    was, now = (one.state and one.state.rollout for one in (before, after))
    if now is None or now == was or now.phase not in (Phase.PROMOTED, Phase.ROLLED_BACK):
        return
    read = [a.value for call, a in standing.heard if call.name == "aliases.both" and not a.error]
    last = read[-1] if read else None
    if not isinstance(last, ReadAliases):
        raise Broken(8, f"{now.phase} is on record, and no alias was read")
    found = last.live.routing, last.challenger.routing
    ended = Routing(now.challenger) if now.phase is Phase.PROMOTED else now.home
    if found != (ended, ended):
        raise Broken(8, f"{now.phase} is on record, the aliases read {found[0]} and {found[1]}")


def _check_evidence(world: World, before: Snapshot, record: AuditRecord) -> None:
    if record.action != "advance" or before.state is None:
        return
    rollout = before.state.rollout
    assert rollout is not None
    assert rollout.stage_since is not None
    stage = rollout.plan.stages[rollout.stage]
    # Counted afresh from what the versions did, not from what the engine keeps of it.
    requests = sum(
        bucket.challenger.requests
        for bucket in world.real.metrics.counted[NAME]
        if rollout.begun[-1].start <= bucket.start and bucket.start + BUCKET <= before.moment
    )
    if requests < stage.min_requests:
        raise Broken(6, f"{requests} of at least {stage.min_requests} requests, and on it goes")
    if before.moment - rollout.stage_since < stage.min_time:
        raise Broken(6, f"on it goes before {stage.min_time} have passed")


def check_agreement(now: Snapshot) -> None:
    """Judge where record and alias stand after a tick that nobody disturbed.

    Raises:
        Broken: if they disagree, or the chain does not verify.
    """
    if now.state is None:
        return
    if now.state.champion is None and now.state.rollout is None:
        return  # retired: there is no alias any more
    verify(NAME, now.records, now.state.audit)
    if len(now.records) != now.state.revision:
        raise Broken(4, f"{now.state.revision} writes, {len(now.records)} records")
    if now.dispatch != route_config_of(now.state):
        raise Broken(8, f"the record says {now.state}, servers are told {now.dispatch}")
    running, alias, challenger = now.state.active, now.alias.routing, now.challenger.routing
    if running is None:
        champion = now.state.champion
        home = Routing(champion.version) if champion else UNRELEASED
        if (alias, challenger) != (home, home):
            raise Broken(8, f"nothing rolls out, {home} should answer, not {alias} or {challenger}")
    elif running.phase is Phase.ROLLING_BACK:
        raise Broken(8, "the rollback was not finished")
    elif alias != running.routing(running.share):
        raise Broken(8, f"the record says {running.share:g} %, the alias {alias}")
    elif challenger != (running.home if running.stage < 0 else running.called):
        raise Broken(8, f"at stage {running.stage} the alias 'challenger' reads {challenger}")
    elif running.stage >= 0 and now.guard.armed_for != running.challenger:
        raise Broken(1, f"{running.share:g} % without an armed alarm after a whole tick")


def same(before: Snapshot, after: Snapshot) -> bool:
    """Whether record and aliases say the same; these may have been written with what they said."""
    return _said(before) == _said(after)


def _said(now: Snapshot) -> tuple[object, ...]:
    return now.state, now.alias.routing, now.challenger.routing, now.started


def _last_look(standing: Standing) -> str | None:
    """The version that the alarms watched when the process last looked, after the record."""
    watched = None
    for call, answer in standing.heard:
        if call.name == "store.load":
            watched = None
        if call.name == "guardrails.read" and isinstance(answer.value, Guard):
            watched = answer.value.armed_for
    return watched


def _served(now: Snapshot) -> set[str]:
    return {str(record.after.get("champion")) for record in now.records}
