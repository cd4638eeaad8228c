"""Across the stage: rollouts by phase, and what waits for a person."""

from typing import Annotated, Literal

from fastapi import Query, Response

from halftone.api import overviews
from halftone.api.authorizer import RequestContext, reads
from halftone.api.responses import Cursor, Limit, after, answer, page, router, shown
from halftone.domain.rollout.phase import Phase
from halftone.service.insight import overview as service

routes = router("overview")

_Phase = Literal[
    "running", "any", "preparing", "shifting", "observing", "awaiting_approval", "paused",
    "baking", "promoted", "rolling_back", "rolled_back", "failed",
]  # fmt: skip


@routes.get("/rollouts", responses=shown(overviews.RolloutSummaries))
async def list_all_rollouts(
    call: Annotated[RequestContext, reads()],
    phase: Annotated[
        _Phase, Query(description="Only those in that phase; `running`: in any that is not final.")
    ] = "running",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """List the newest rollout of each endpoint, by the names of the endpoints."""
    shown_rollouts = (
        (one.state.endpoint, summary)
        for one in service.every_overview(call.ports, after=after(cursor))
        if (summary := overviews.rollout_summary(one)) and _fits(summary.phase, phase)
    )
    items, following = page(shown_rollouts, limit)
    return answer(
        overviews.RolloutSummaries(items=items, next=following),
        moves_with=[(item.id, item.phase, item.share, item.verdict) for item in items],
    )


@routes.get("/inbox", responses=shown(overviews.Inbox))
async def show_inbox(call: Annotated[RequestContext, reads()]) -> Response:
    """Show what waits for a person in this stage: approvals, holds, and what went back of late."""
    waiting = [
        (one, one.need) for one in service.every_overview(call.ports) if one.need is not None
    ]
    waiting.sort(key=lambda each: (service.URGENCY.index(each[1]), each[0].state.endpoint))
    rights = call.rights([one.state.about.owner for one, _ in waiting])
    items = [overviews.inbox_item(one, need, rights) for one, need in waiting]
    mine = sum(any(may.allowed for may in item.may.values()) for item in items)
    body = overviews.Inbox(items=items, mine=mine, poll_seconds=10)
    seen = [(item.endpoint, item.needs, item.detail, item.evidence, item.may) for item in items]
    return answer(body, moves_with=seen)


def _fits(phase: Phase, wanted: str) -> bool:
    return {"running": not phase.final, "any": True}.get(wanted, phase.value == wanted)
