"""The shapes of lists over many endpoints: their newest rollouts, and what waits for a person."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from halftone.api.evidence_schemas import (
    Clock,
    EvidenceNumbers,
    Permission,
    numbers,
    shown_clock,
    shown_permissions,
)
from halftone.api.responses import Shape
from halftone.domain.rollout.phase import Phase
from halftone.ports.observability import Answered
from halftone.service.insight.overview import RATE_SPAN, Need, Overview
from halftone.service.insight.permissions import Rights


class Rung(Shape):
    """A step of a ladder: the share, or the mirror share, and whether a person opens it."""

    weight: float
    mirror: float
    approval: bool
    bake: bool


class RolloutSummary(Shape):
    """An endpoint's newest rollout in short. `stage` counts from 1; `verdict` is its kind."""

    id: str
    endpoint: str
    owner: str | None
    phase: Phase
    over: bool
    champion: str | None
    challenger: str | None
    package: str
    share: float
    mirror: float
    stage: int
    ladder: Sequence[Rung]
    started_at: datetime
    ended_at: datetime | None
    actor: str
    message: str
    reason: str
    verdict: str | None
    clock: Clock | None


class Summary(Shape):
    """What a first page shows of an endpoint.

    `needs` is why a person should look at it: `approval`, `held`, `paused`, `failed`,
    `rolled_back`, `restored`, `flagged`; new words may come. `qps` and `success` (percent) are
    those of the last five whole minutes; null where nothing was counted. `may` is what the caller
    may do to the endpoint: `release`, `roll_back`, `edit`, `read_logs`, `own`, `delete`.
    """

    rollout: RolloutSummary | None
    needs: Need | None
    needs_since: datetime | None
    qps: float | None
    success: float | None
    may: Mapping[str, Permission]
    poll_seconds: int


class RolloutSummaries(Shape):
    """A page of rollouts, by the names of their endpoints; `next` is null on the last."""

    items: Sequence[RolloutSummary]
    next: str | None


class InboxItem(Shape):
    """Something that waits for a person: why, of what, with the evidence, and what they may do."""

    endpoint: str
    needs: Need
    since: datetime | None
    detail: str
    rollout: RolloutSummary | None
    verdict: str | None
    verdict_reason: str
    evidence: EvidenceNumbers | None
    may: Mapping[str, Permission]


class Inbox(Shape):
    """All that waits for a person in this stage, the most urgent first.

    `mine` counts those of which the caller may do something.
    """

    items: Sequence[InboxItem]
    mine: int
    poll_seconds: int


_POLL = {Phase.PREPARING: 2, Phase.SHIFTING: 2, Phase.ROLLING_BACK: 2}


def poll_seconds(phase: Phase | None) -> int:
    """Seconds after which to look again: 2 while a rollout moves, 10 watched, 60 with none."""
    return 60 if phase is None or phase.final else _POLL.get(phase, 10)


def rollout_summary(one: Overview) -> RolloutSummary | None:
    """The newest rollout of an endpoint in short."""
    rollout = one.state.rollout
    if rollout is None:
        return None
    plan = rollout.plan
    return RolloutSummary(
        id=rollout.id,
        endpoint=one.state.endpoint,
        owner=one.state.about.owner,
        phase=rollout.phase,
        over=rollout.phase.final,
        champion=rollout.champion,
        challenger=rollout.challenger,
        package=rollout.package.name,
        share=rollout.share,
        mirror=rollout.mirror,
        stage=rollout.stage + 1,
        ladder=[
            Rung(
                weight=stage.weight,
                mirror=stage.mirror,
                approval=stage.approval,
                bake=plan.is_bake(number),
            )
            for number, stage in enumerate(plan.stages)
        ],
        started_at=rollout.started_at,
        ended_at=one.ended_at,
        actor=rollout.actor,
        message=rollout.message,
        reason=rollout.reason,
        verdict=one.verdict.kind.value if one.verdict else None,
        clock=shown_clock(one.clock) if one.clock else None,
    )


def summary(one: Overview, answered: Answered | None, rights: Rights) -> Summary:
    """The summary of an endpoint."""
    requests = answered.requests if answered else 0
    errors = answered.errors if answered else 0
    rollout = one.state.rollout
    return Summary(
        rollout=rollout_summary(one),
        needs=one.need,
        needs_since=one.since,
        qps=requests / RATE_SPAN.total_seconds() if requests else None,
        success=100 * (1 - errors / requests) if requests else None,
        may=shown_permissions(rights.on_endpoint(one.state)),
        poll_seconds=poll_seconds(rollout.phase if rollout else None),
    )


def inbox_item(one: Overview, need: Need, rights: Rights) -> InboxItem:
    """An item of the inbox."""
    state, rollout, verdict = one.state, one.state.rollout, one.verdict
    detail = state.restored or (rollout.reason if rollout else "")
    return InboxItem(
        endpoint=state.endpoint,
        needs=need,
        since=one.since,
        detail=state.flagged if need is Need.FLAGGED else detail,
        rollout=rollout_summary(one),
        verdict=verdict.kind.value if verdict else None,
        verdict_reason=verdict.reason if verdict else "",
        evidence=numbers(verdict.numbers) if verdict else None,
        may=shown_permissions(rights.on_rollout(state, rollout) if rollout else {}),
    )
