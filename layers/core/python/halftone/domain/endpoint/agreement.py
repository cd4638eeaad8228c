"""How aliases as they were read differ from what the record says of them. Pure."""

from halftone.domain.endpoint.projection import projection
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.rollout.decide import Agreed, compare
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import ReadAliases, Routing


def disagreement(state: EndpointState, actual: ReadAliases) -> str:
    """How ``actual`` differs from what ``state`` says ("" if it does not).

    Aliases that are read before the state may be behind it while a rollout shifts: that is none.
    """
    live, challenger = actual.live.routing, actual.challenger.routing
    running = state.active
    if running and running.phase is not Phase.ROLLING_BACK:
        difference = compare(running, live, challenger)
        return "" if isinstance(difference, Agreed) else difference.reason
    if state.champion is None:
        return ""
    projected = projection(state)
    if live != projected.live:
        return f"the alias reads {spoken_routing(live)}, the record version {projected.live.main}"
    if challenger != projected.challenger:
        reads = spoken_routing(challenger)
        return (
            f"the alias 'challenger' reads {reads}, the record version {projected.challenger.main}"
        )
    return ""


def spoken_routing(routing: Routing) -> str:
    """A routing for people: ``95 % version 3, 5 % version 4``."""
    if routing.other is None:
        return f"100 % version {routing.main}"
    return (
        f"{100 - routing.share:g} % version {routing.main}, "
        f"{routing.share:g} % version {routing.other}"
    )
