"""What is true of an endpoint now: record, alias, guardrail and evidence, read and compared.

Reads only. What can't be read is said, and does not keep the rest from being shown.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from halftone.domain.audit import AuditRecord
from halftone.domain.endpoint.agreement import disagreement
from halftone.domain.endpoint.projection import projection, shares
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import HalftoneError, NotFound
from halftone.domain.names import checked_name
from halftone.domain.rollout.analysis import judge
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import Routing
from halftone.domain.rollout.verdict import Verdict
from halftone.ports import Ports
from halftone.ports.guardrails import Guard

RECENT = 5
"""How many of the newest audit records a view shows."""

_T = TypeVar("_T")


@dataclass(frozen=True)
class View:
    """An endpoint as it was at ``at``.

    ``alias_disagreement`` and ``alarm_disagreement`` say how these differ from the record ("": they
    do not); ``faults`` what could not be read, where ``routing`` or ``guard`` is None.
    ``answering`` are the percentages of unpinned requests that versions answer, by alias and
    routes, where no rule matches.
    """

    at: datetime
    state: EndpointState
    recent: tuple[AuditRecord, ...]
    routing: Routing | None
    guard: Guard | None
    verdict: Verdict | None
    alias_disagreement: str
    alarm_disagreement: str
    faults: tuple[str, ...]
    answering: Mapping[str, float] = field(default_factory=dict)

    @property
    def disagreement(self) -> str:
        """How aliases, or else alarms, differ from the record ("" if they do not)."""
        return self.alias_disagreement or self.alarm_disagreement

    @property
    def since(self) -> datetime | None:
        """Since when the record says what it says."""
        return self.recent[-1].at if self.recent else None


def read_state(ports: Ports, endpoint: str) -> EndpointState:
    """The endpoint's state.

    Raises:
        InvalidInput: if nothing can have that name.
        NotFound: if nothing was ever released to it.
    """
    state = ports.store.load(checked_name("ENDPOINT", endpoint))
    if state is None:
        names = ", ".join(ports.catalogue.endpoints()) or "none yet"
        raise NotFound("endpoint", endpoint, f"released to so far: {names}")
    return state


def read(ports: Ports, endpoint: str) -> View:
    """The endpoint as it is now.

    Raises:
        NotFound: if nothing was ever released to it.
        Unavailable: if its record can't be read.
    """
    faults: list[str] = []
    # The aliases before the record, as the engine's tick does: a shift in between reads as one that
    # is still on its way, not as a disagreement.
    aliases = _try(lambda: ports.aliases.both(endpoint), faults)
    state = read_state(ports, endpoint)
    retired = state.champion is None and state.rollout is None
    if retired:
        # Its stack is gone, and with it the alias and the alarms: nothing is wrong.
        aliases, faults = None, []
    guard = None if retired else _try(lambda: ports.guardrails.read(endpoint), faults)
    differs = disagreement(state, aliases) if aliases else ""
    return View(
        at=ports.clock.now(),
        state=state,
        recent=tuple(ports.store.audit(endpoint, after=max(0, state.audit.seq - RECENT))),
        routing=aliases.live.routing if aliases else None,
        guard=guard,
        verdict=_verdict(ports, state),
        alias_disagreement=state.restored or differs,
        alarm_disagreement=_unwatched(state, guard),
        faults=tuple(faults),
        answering=shares(state, aliases.live.routing) if aliases else {},
    )


def _try(reading: Callable[[], _T], faults: list[str]) -> _T | None:
    try:
        return reading()
    except HalftoneError as error:
        faults.append(str(error))
        return None


def _verdict(ports: Ports, state: EndpointState) -> Verdict | None:
    """What the evidence that was kept says of the rollout under way; None before there is any."""
    running = state.active
    if running is None or running.current is None:
        return None
    evidence = ports.evidence.load_evidence(state.endpoint, running.id)
    return judge(evidence, running.plan, running.current) if evidence else None


def _unwatched(state: EndpointState, guard: Guard | None) -> str:
    """How what the alarms watch differs from what they must watch ("" if it does not)."""
    watch = projection(state).watch
    needed = state.active is not None or state.serving.probation is not None
    if watch is None or guard is None or not needed or _arming(state):
        return ""
    if (guard.armed_for, guard.alias) == (watch.version, watch.alias):
        return ""
    watched = f"version {guard.armed_for}" if guard.armed_for else "no one version"
    return f"the alarms watch {watched}, the record says version {watch.version}"


def _arming(state: EndpointState) -> bool:
    """Whether the alarms are on their way to what they must watch."""
    running, probation = state.active, state.serving.probation
    if running is not None:
        return running.phase in (Phase.PREPARING, Phase.SHIFTING)
    return probation is not None and not probation.armed
