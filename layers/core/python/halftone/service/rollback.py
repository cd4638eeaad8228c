"""Rollback: the champion alone answers, whatever else is under way.

The order of writes is what makes it final:

1. *Fence*: the record says ``rolling_back``, conditional on the revision read. From here on every
   other actor that decides on an older record fails to write it, and every one that reads this
   record only helps to finish.
2. *Alias*: to the champion alone, without a revision, over whatever stands there. An advance that
   was decided before the fence presents a revision that this write makes stale.
3. *Confirm*: the alias is read back, and the record says ``rolled_back``.

A crash after 1 or 2 is finished by the next tick, alarm or reconciler: each step may run again.
"""

from dataclasses import replace

from halftone.domain.deployment import Deployment
from halftone.domain.endpoint import EndpointState
from halftone.domain.errors import NotFound, Refused, StaleWrite, Unavailable
from halftone.domain.phase import Phase
from halftone.domain.plan import PRESETS
from halftone.domain.rollout import Rollout
from halftone.domain.routing import Routing
from halftone.service.ports import Parts
from halftone.service.record import change, change_rollout

_ATTEMPTS = 10


def roll_back(
    parts: Parts, endpoint: str, *, actor: str, reason: str, rollout: str | None = None
) -> EndpointState | None:
    """End the rollout under way (only the one named, if one is named) and say why.

    Answers the state afterwards, or None if there is nothing to roll back: no rollout, another one
    than named, or one that is final. Safe to call any number of times.

    Raises:
        Unavailable: if the record can't be written. If traffic was split, the alias was set to the
            champion all the same; the next try, or the next tick, finds the gap and records it.
    """
    try:
        return _recorded(parts, endpoint, rollout, actor=actor, reason=reason)
    except Unavailable as gap:
        # Safety over bookkeeping. Whoever called repeats the call, and the record follows.
        if not _alias_first(parts, endpoint):
            raise
        late = f"{reason} (the alias went first, the record followed: {gap})"
        return _recorded(parts, endpoint, rollout, actor=actor, reason=late)


def _recorded(
    parts: Parts, endpoint: str, rollout: str | None, *, actor: str, reason: str
) -> EndpointState | None:
    for _ in range(_ATTEMPTS):
        state = parts.store.load(endpoint)
        running = state.active if state else None
        if state is None or running is None or rollout not in (None, running.id):
            return None
        try:
            return finish(parts, fence(parts, state, running, actor=actor, reason=reason))
        except StaleWrite:
            continue  # a tick wrote in between: read again and put the fence on top of it
    raise Unavailable(f"the record of {endpoint!r} changed {_ATTEMPTS} times while rolling back")


def _alias_first(parts: Parts, endpoint: str) -> bool:
    """Without the record: while traffic is split, the alias itself says who the champion is."""
    seen = parts.aliases.read(endpoint)
    if seen.routing.other is None:
        return False
    parts.aliases.write(endpoint, Routing(seen.routing.main), revision=None)
    return True


def fence(
    parts: Parts, state: EndpointState, running: Rollout, *, actor: str, reason: str
) -> EndpointState:
    """Step 1. Answers the fenced state; a rollout that is fenced already stays as it is."""
    if running.phase is Phase.ROLLING_BACK:
        return state
    fenced = running.to(Phase.ROLLING_BACK, target=0.0)
    return change_rollout(parts, state, fenced, action="fence", actor=actor, reason=reason)


def finish(parts: Parts, state: EndpointState) -> EndpointState:
    """Steps 2 and 3 for a fenced state."""
    fenced = state.rollout
    if fenced is None or fenced.phase is not Phase.ROLLING_BACK:
        raise Refused(f"the rollout of {state.endpoint!r} is not fenced")
    if fenced.champion is not None:
        home = Routing(fenced.champion)
        parts.aliases.write(state.endpoint, home, revision=None)
        seen = parts.aliases.read(state.endpoint).routing
        if seen != home:
            raise Unavailable(f"the alias of {state.endpoint!r} reads {seen} after the rollback")
    done = fenced.to(Phase.ROLLED_BACK, share=0.0)
    return change_rollout(
        parts,
        state,
        done,
        action="rolled-back",
        reason=fenced.reason,
        numbers={"alias": fenced.champion},
    )


def return_to(
    parts: Parts, endpoint: str, *, version: str | None, actor: str, reason: str
) -> EndpointState:
    """Make an earlier deployment the champion again: ``version``, or the newest one before.

    A rollout that is under way is rolled back; if ``version`` names its champion, or is None, that
    is all there is to do.

    Raises:
        NotFound: if the endpoint or the version does not exist.
        Refused: if that version serves already, or there is none before it.
    """
    state = parts.store.load(endpoint)
    if state is None:
        raise NotFound("endpoint", endpoint, "see `halftone status`")
    if state.active:
        ended = roll_back(parts, endpoint, actor=actor, reason=reason)
        state = ended or parts.store.load(endpoint) or state
        if version is None:
            return state
    live = state.champion
    if live is None:
        raise Refused(f"{endpoint!r} has never served a version: there is nothing to return to")
    target = _target(parts, state, live, version)
    alarms = _arm(parts, endpoint, target.version)
    withdrawal = Rollout(
        id=f"return-{state.revision + 1}-to-{target.version}",
        plan=PRESETS["all-at-once"],
        package=live.package,
        settings=live.settings,
        actor=actor,
        started_at=parts.clock.now(),
        champion=target.version,
        challenger=live.version,
        share=100.0,
        phase=Phase.ROLLING_BACK,
        message=reason,
        reason=reason,
    )
    fenced = change(
        parts,
        state,
        replace(state, champion=target, rollout=withdrawal),
        action="return",
        actor=actor,
        reason=reason,
        numbers={"alarms": alarms},
    )
    return finish(parts, fenced)


def _target(
    parts: Parts, state: EndpointState, live: Deployment, version: str | None
) -> Deployment:
    """A deployment that was champion once: the only ones known to have answered well."""
    if version == live.version:
        raise Refused(f"version {version} serves {state.endpoint!r} already")
    served = {record.after.get("champion") for record in parts.store.audit(state.endpoint)}
    known = [d for d in parts.store.deployments(state.endpoint) if d.version in served]
    if version is not None:
        chosen = [d for d in known if d.version == version]
        if not chosen:
            names = ", ".join(d.version for d in known)
            raise NotFound("version", version, f"{state.endpoint!r} was served by {names}")
        return chosen[0]
    earlier = [d for d in known if int(d.version) < int(live.version)]
    if not earlier:
        raise Refused(f"version {live.version} is the first that {state.endpoint!r} was served by")
    return max(earlier, key=lambda d: int(d.version))


def _arm(parts: Parts, endpoint: str, version: str) -> str:
    """Arm for the version that returns; if that fails, returning matters more."""
    try:
        parts.guardrails.arm(endpoint, version, f"return to version {version}")
    except Unavailable as error:
        return f"not armed: {error}"
    return "armed"
