"""Rollback: the champion alone answers, whatever else is under way.

The order of writes is what makes it final:

1. *Fence*: the record says ``rolling_back``, conditional on the revision read. From here on every
   other actor that decides on an older record fails to write it, and every one that reads this
   record only helps to finish.
2. *Aliases*: both to the champion alone; first the one by which the challenger gets its share: in
   guarded mode ``challenger``, unless it was on its way to all traffic, else ``live``. Each write
   presents the revision that the record knows, so that nothing has to be read before; if the alias
   has moved on since, it is read, then the record, and written again, as long as the fence stands.
   So an advance that is still on its way is undone and can't come again, for its revision is stale;
   nor can a rollback that was held up for long undo what was released after it.
3. *Confirm*: the aliases are read back, and the record says ``rolled_back``.

A crash after 1 or 2 is finished by the next tick, alarm or reconciler: each step may run again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import Refused, RoutingChanged, StaleWrite, Unavailable
from halftone.domain.names import ALIAS, CHALLENGER
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.rollout import Rollout
from halftone.domain.rollout.routing import UNRELEASED, Routing
from halftone.ports import Parts
from halftone.service.unit_of_work import change_rollout, until_written

_RACES = 10
"""How often the alias may move on under a rollback: each stale advance can do that once."""


def roll_back(
    parts: Parts,
    endpoint: str,
    *,
    actor: str,
    reason: str,
    rollout: str | None = None,
    fired_at: datetime | None = None,
    seen: EndpointState | None = None,
) -> EndpointState | None:
    """End the rollout under way (only the one named, if one is named) and say why.

    ``fired_at`` is when the alarm went off that asks for it: one that did before the alarms were
    armed for the challenger tells of another one, late or for the second time. ``seen`` is the
    state as the caller has just read it, so that no call stands before the fence.

    Answers the state afterwards, or None if there is nothing to roll back: no rollout, another one
    than meant, or one that is final. Safe to call any number of times.

    Raises:
        Unavailable: if the record can't be written. If traffic was split, the alias was set to the
            champion all the same; the next try, or the next tick, finds the gap and records it.
    """
    asked = _Asked(actor, reason, rollout, fired_at)
    try:
        return _recorded(parts, endpoint, asked, seen)
    except Unavailable as gap:
        # Safety over bookkeeping. Whoever called repeats the call, and the record follows.
        if not _alias_first(parts, endpoint):
            raise
        late = f"{reason} (the alias went first, the record followed: {gap})"
        return _recorded(parts, endpoint, replace(asked, reason=late))


@dataclass(frozen=True)
class _Asked:
    """A rollback as it was asked for."""

    actor: str
    reason: str
    rollout: str | None
    fired_at: datetime | None

    def means(self, running: Rollout) -> bool:
        """Whether it is that rollout which is to end."""
        if self.rollout not in (None, running.id):
            return False
        armed = running.armed_at
        return self.fired_at is None or (armed is not None and self.fired_at >= armed)


def _recorded(
    parts: Parts, endpoint: str, asked: _Asked, seen: EndpointState | None = None
) -> EndpointState | None:
    fenced: str | None = None

    def attempt() -> EndpointState | None:
        nonlocal fenced, seen
        state, seen = seen or parts.store.load(endpoint), None
        found = state.rollout if state else None
        if state is None or found is None:
            return None
        if fenced is not None and (found.id != fenced or found.phase.final):
            return state  # somebody else put the last word to what was fenced here
        if found.phase.final or not asked.means(found):
            return None
        # What is fenced once stays what is meant, whatever is released while this call goes on.
        behind = fence(parts, state, found, actor=asked.actor, reason=asked.reason)
        fenced = found.id
        return finish(parts, behind)

    return until_written(endpoint, attempt)


def _alias_first(parts: Parts, endpoint: str) -> bool:
    """Without the record: the alias ``live`` itself says who the champion is.

    Not so where a challenger takes all traffic already: then there is nothing that could be told
    from the aliases.
    """

    def attempt() -> bool:
        seen = parts.aliases.both(endpoint)
        live, home = seen.live.routing, Routing(seen.live.routing.main)
        if live != home:
            parts.aliases.write(endpoint, home, revision=seen.live.revision)
        passes_on = seen.challenger.routing not in (home, UNRELEASED) and home != UNRELEASED
        if passes_on:
            known = seen.challenger.revision
            parts.aliases.write(endpoint, home, revision=known, alias=CHALLENGER)
        return live != home or passes_on

    return until_written(endpoint, attempt)


def fence(
    parts: Parts,
    state: EndpointState,
    running: Rollout,
    *,
    actor: str,
    reason: str,
    numbers: Mapping[str, object] | None = None,
) -> EndpointState:
    """Step 1. Answers the fenced state; a rollout that is fenced already stays as it is."""
    if running.phase is Phase.ROLLING_BACK:
        return state
    return change_rollout(
        parts,
        state,
        running.to(Phase.ROLLING_BACK, target=0.0, promoting=running.target == 100.0),
        action="fence",
        actor=actor,
        reason=reason,
        numbers=numbers,
    )


def finish(parts: Parts, state: EndpointState) -> EndpointState:
    """Steps 2 and 3 for a fenced state.

    Raises:
        StaleWrite: if somebody else has finished it.
    """
    fenced = state.rollout
    if fenced is None or fenced.phase is not Phase.ROLLING_BACK:
        raise Refused(f"the rollout of {state.endpoint!r} is not fenced")
    _go_home(parts, state, fenced)
    seen = parts.aliases.both(state.endpoint)
    for alias, routing in ((ALIAS, seen.live.routing), (CHALLENGER, seen.challenger.routing)):
        if routing != fenced.home:
            told = f"the alias {alias!r} of {state.endpoint!r} reads {routing} after the rollback"
            raise Unavailable(told)
    return change_rollout(
        parts,
        state,
        fenced.to(Phase.ROLLED_BACK, share=0.0, mirror=0.0),
        action="rolled-back",
        reason=fenced.reason,
        numbers={"alias": fenced.home.main},
    )


def _go_home(parts: Parts, state: EndpointState, fenced: Rollout) -> None:
    """Step 2: both aliases to where they stand without the challenger, while the fence is up."""
    known = {ALIAS: fenced.alias_revision, CHALLENGER: fenced.challenger_revision}
    for alias in fenced.way_home:
        for _ in range(_RACES):
            if known[alias] is None:
                seen = parts.aliases.both(state.endpoint)
                known = {ALIAS: seen.live.revision, CHALLENGER: seen.challenger.revision}
                newest = parts.store.load(state.endpoint)
                if newest is None or newest.revision != state.revision:
                    raise StaleWrite(f"rollout {fenced.id} was rolled back by somebody else")
            try:
                parts.aliases.write(state.endpoint, fenced.home, revision=known[alias], alias=alias)
            except RoutingChanged:
                known[alias] = None
            else:
                break
        else:
            raise Unavailable(f"{state.endpoint!r}: {alias!r} changed {_RACES} times in a row")
