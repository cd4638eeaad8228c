"""Many endpoints at once, each with its newest rollout: a few calls a page, not a few each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import Unavailable
from halftone.domain.insight.rollout_clock import RolloutClock, WaitsFor, clock_of
from halftone.domain.rollout.analysis import judge
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.rollout import Rollout
from halftone.domain.rollout.verdict import Verdict, VerdictKind
from halftone.ports import Ports
from halftone.ports.observability import Answered

AT_ONCE = 100
"""Endpoints that are read by one call."""

RECENT = timedelta(days=1)
"""For how long a rollout that failed waits for somebody to look at it."""

RATE_SPAN = timedelta(minutes=5)
"""What the rates of a list are means of: CloudWatch has them as one value."""


class Need(StrEnum):
    """Why a person should look at an endpoint now. More words may come."""

    APPROVAL = "approval"
    HELD = "held"
    PAUSED = "paused"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    RESTORED = "restored"
    FLAGGED = "flagged"


URGENCY = tuple(Need)
"""The needs in the order in which an inbox has them."""


@dataclass(frozen=True)
class Overview:
    """An endpoint with its newest rollout; ``since`` is when its ``need`` began, where known."""

    state: EndpointState
    verdict: Verdict | None
    clock: RolloutClock | None
    ended_at: datetime | None
    need: Need | None
    since: datetime | None


def overviews(ports: Ports, states: Sequence[EndpointState]) -> Sequence[Overview]:
    """The overviews of ``states``. Two calls for a hundred."""
    now = ports.clock.now()
    running = [(s.endpoint, s.active.id) for s in states if s.active and s.active.current]
    over = [(s.endpoint, s.rollout.id) for s in states if s.rollout and s.rollout.phase.final]
    evidence = ports.rollout_history.evidence_of(running) if running else {}
    ended = ports.rollout_history.ended(over) if over else {}
    entries = []
    for state in states:
        rollout = state.rollout
        verdict, ended_at = None, None
        if rollout and rollout.phase.final:
            ended_at = ended.get(rollout.id)
        elif rollout and rollout.current and rollout.id in evidence:
            verdict = judge(evidence[rollout.id], rollout.plan, rollout.current, rollout.units)
        clock = clock_of(rollout, verdict, now, ended_at=ended_at) if rollout else None
        need, since = _need(state, verdict, clock, ended_at, now)
        entries.append(Overview(state, verdict, clock, ended_at, need, since))
    return entries


def every_overview(ports: Ports, *, after: str = "") -> Iterator[Overview]:
    """The overviews of all endpoints after the one named ``after``, by name, a hundred at once."""
    names = [name for name in ports.catalogue.endpoints() if name > after]
    for first in range(0, len(names), AT_ONCE):
        yield from overviews(ports, ports.catalogue.load_states(names[first : first + AT_ONCE]))


def _need(
    state: EndpointState,
    verdict: Verdict | None,
    clock: RolloutClock | None,
    ended_at: datetime | None,
    now: datetime,
) -> tuple[Need | None, datetime | None]:
    rollout = state.rollout
    if state.restored:
        return Need.RESTORED, None
    if rollout is None or clock is None:
        return (Need.FLAGGED if state.flagged else None), None
    if rollout.phase is Phase.AWAITING_APPROVAL:
        return Need.APPROVAL, None
    if rollout.phase is Phase.PAUSED:
        return Need.PAUSED, rollout.paused_at
    kind = verdict.kind if verdict else None
    if clock.waits_for is WaitsFor.PERSON or kind in (VerdictKind.LOST_TRAFFIC, VerdictKind.ERROR):
        return Need.HELD, None
    if ended_at is not None and now - ended_at < RECENT:
        if rollout.phase is Phase.FAILED:
            return Need.FAILED, ended_at
        if rollout.phase is Phase.ROLLED_BACK:
            return Need.ROLLED_BACK, ended_at
    return (Need.FLAGGED if state.flagged else None), None


def rates(ports: Ports, states: Sequence[EndpointState]) -> Mapping[str, Answered]:
    """What the endpoints were asked in the last whole minutes, by name. One call for a hundred.

    Nothing where CloudWatch did not answer: a list is not to fail for the sake of its figures.
    """
    until = ports.clock.now().replace(second=0, microsecond=0)
    until -= timedelta(minutes=until.minute % 5)
    asked = [(state.endpoint, version) for state in states for version in _taking(state)]
    try:
        counted = ports.charts.answered(asked, since=until - RATE_SPAN, until=until)
    except Unavailable:
        return {}
    sums: dict[str, Answered] = {}
    for (endpoint, _), one in counted.items():
        before = sums.get(endpoint, Answered(0, 0))
        sums[endpoint] = Answered(before.requests + one.requests, before.errors + one.errors)
    return sums


def _taking(state: EndpointState) -> Sequence[str]:
    """The versions that answer most of an endpoint's requests: two at most."""
    rollout: Rollout | None = state.active
    versions = [state.champion.version if state.champion else None]
    versions += [rollout.challenger] if rollout else []
    return tuple(dict.fromkeys(version for version in versions if version))
