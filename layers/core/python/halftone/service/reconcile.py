"""Reconciling an endpoint on which nothing rolls out: its champion alone should answer.

The engine alone writes the alias, but a person in need may, and a rollback that was held up may
still write what was right when it began. What such a write means is for the record to say.
"""

from dataclasses import replace

from halftone.domain.endpoint import EndpointState
from halftone.domain.errors import StaleWrite
from halftone.domain.routing import ReadRouting, Routing
from halftone.service.ports import Parts
from halftone.service.record import ENGINE, change
from halftone.service.served import served


def reconcile(parts: Parts, state: EndpointState, seen: ReadRouting) -> None:
    """Bring record and alias into agreement; ``seen`` is the alias, read before ``state``.

    A version that has served before and now answers alone was put back: it is champion again, for
    nobody takes traffic from the present one without a reason. Anything else is set right.

    Raises:
        StaleWrite: if record or alias changed since they were read.
    """
    if state.champion is None or seen.routing == Routing(state.champion.version):
        return
    if parts.aliases.read(state.endpoint) != seen:
        raise StaleWrite(f"the alias of {state.endpoint!r} was on its way to what the record says")
    earlier = [d for d in served(parts, state.endpoint) if seen.routing == Routing(d.version)]
    found = f"the alias reads {seen.routing}, the champion is version {state.champion.version}"
    if earlier:
        after = replace(state, champion=earlier[0])
        change(parts, state, after, action="adopted", actor=ENGINE, reason=found)
        return
    home = Routing(state.champion.version)
    parts.aliases.write(state.endpoint, home, revision=seen.revision)
    change(parts, state, state, action="repaired", actor=ENGINE, reason=found)
