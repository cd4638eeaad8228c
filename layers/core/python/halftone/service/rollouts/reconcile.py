"""Reconciling an endpoint on which nothing rolls out: its champion alone answers, by each alias.

The engine alone writes the aliases, but a person in need may, and a rollback that was held up may
still write what was right when it began. What such a write means is for the record to say.
"""

from dataclasses import replace

from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import StaleWrite
from halftone.domain.names import CHALLENGER
from halftone.domain.rollout.routing import ReadAliases, Routing
from halftone.ports import Parts
from halftone.service.rollouts.past_champions import served
from halftone.service.unit_of_work import ENGINE, change


def reconcile(parts: Parts, state: EndpointState, seen: ReadAliases) -> None:
    """Bring record and aliases into agreement; ``seen`` are these, read before ``state``.

    A version that has served before and now answers alone was put back: it is champion again, for
    nobody takes traffic from the present one without a reason. Anything else is set right.

    Raises:
        StaleWrite: if record or an alias changed since they were read.
    """
    if state.champion is None:
        return
    home = Routing(state.champion.version)
    if seen.live.routing == home == seen.challenger.routing:
        return
    if parts.aliases.both(state.endpoint) != seen:
        raise StaleWrite(f"an alias of {state.endpoint!r} was on its way to what the record says")
    if seen.live.routing != home:
        state, home = _set_right(parts, state, seen, home)
    if seen.challenger.routing != home:
        known, read = seen.challenger.revision, seen.challenger.routing
        parts.aliases.write(state.endpoint, home, revision=known, alias=CHALLENGER)
        found = f"the alias {CHALLENGER!r} reads {read}, the champion is version {home.main}"
        change(parts, state, state, action="repaired", actor=ENGINE, reason=found)


def _set_right(
    parts: Parts, state: EndpointState, seen: ReadAliases, home: Routing
) -> tuple[EndpointState, Routing]:
    """The state, and where both aliases belong, once it and ``live`` agree on the champion."""
    read = seen.live.routing
    earlier = [d for d in served(parts, state.endpoint) if read == Routing(d.version)]
    found = f"the alias reads {read}, the champion is version {home.main}"
    if earlier:
        placed = state.placing(earlier[0].version)
        after = replace(state, champion=earlier[0], placed=placed)
        adopted = change(parts, state, after, action="adopted", actor=ENGINE, reason=found)
        return adopted, read
    parts.aliases.write(state.endpoint, home, revision=seen.live.revision)
    return change(parts, state, state, action="repaired", actor=ENGINE, reason=found), home
