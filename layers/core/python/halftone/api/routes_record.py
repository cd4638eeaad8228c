"""The record: history, audit, and what a plan would take."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Annotated, Any

import msgspec
from fastapi import Query, Response

from halftone.api import shapes
from halftone.api.answers import (
    Cursor,
    Limit,
    Shape,
    after_number,
    answer,
    cursor_after,
    page,
    router,
    shown,
)
from halftone.api.guard import Call, reads
from halftone.api.requests import EndpointName
from halftone.domain import audit
from halftone.domain.errors import BrokenChain, InvalidInput
from halftone.domain.phase import Phase
from halftone.domain.plan import PRESETS, Plan
from halftone.domain.plan_form import parse_plan
from halftone.domain.traffic import Traffic
from halftone.service import rollouts as service
from halftone.service.endpoints import endpoint as found
from halftone.service.preview import EndpointPreview, preview_endpoint

routes = router("record")

NDJSON = "application/x-ndjson"
EXPORTED = 2000
"""Records an export answers at most: an answer of Lambda's may have 6 MB."""


class DeploymentEntry(Shape):
    """A deployment in an endpoint's history.

    What is its rollout's (`actor`, `message`, ...) is null where the audit tells of none.
    """

    version: str
    package: shapes.Package
    published_at: datetime
    serving: bool
    stopped: bool
    rollout: str
    phase: Phase | None
    ended_at: datetime | None
    actor: str | None
    message: str | None


class History(Shape):
    """A page of deployments, the newest first; `next` is null on the last."""

    items: Sequence[DeploymentEntry]
    next: str | None


class Audit(Shape):
    """A page of audit records; `next` is null on the last."""

    items: Sequence[shapes.AuditRecord]
    next: str | None


class Verified(Shape):
    """Whether the chain verifies; if not, from which record on it does not, and why."""

    verified: bool
    records: int
    head: str
    broken_at: int | None
    why: str


class StepPreview(Shape):
    """A step of a plan at that traffic; null where something is not in sight.

    `counts` says what is counted of the challenger: `requests`, or `keys` where a key draws. That
    is what `proof_requests` and `caught_after_requests` count.
    """

    name: str
    weight: float
    mirror: float
    approval: bool
    requests_a_second: float
    counts: str
    counted_an_hour: float
    lasts_seconds: float | None
    bound_by: str
    proof_requests: int | None
    visible_errors_percent: float | None
    caught_after_requests: int | None
    back_after_seconds: float | None
    failed: int | None


class PreviewTraffic(Shape):
    """The traffic that was reckoned with, and where it comes from."""

    requests_a_second: float
    errors_percent: float
    late_percent: float
    source: str
    keys_an_hour: float | None


class PlanPreview(Shape):
    """What a plan takes, sees and costs; `promoted_after_seconds` null: not by itself."""

    plan: shapes.Plan
    plan_of: str
    traffic: PreviewTraffic
    steps: Sequence[StepPreview]
    promoted_after_seconds: float | None
    approvals: int
    warnings: Sequence[str]


@routes.get("/endpoints/{endpoint}/history", responses=shown(History))
async def show_history(
    endpoint: EndpointName,
    call: Annotated[Call, reads()],
    cursor: Cursor = None,
    limit: Limit = 20,
) -> Response:
    """List every deployment of an endpoint, the newest first."""
    begin = after_number(cursor)
    told = service.history(call.parts, endpoint)
    numbered = ((str(n), _entry(one)) for n, one in enumerate(told[begin:], begin + 1))
    items, following = page(numbered, limit)
    return answer(History(items=items, next=following))


@routes.get("/endpoints/{endpoint}/audit", responses=shown(Audit))
async def show_audit(
    endpoint: EndpointName,
    call: Annotated[Call, reads()],
    cursor: Cursor = None,
    limit: Limit = 50,
    newest: Annotated[bool, Query(description="The newest record first.")] = False,
) -> Response:
    """List who changed an endpoint, when and why: the oldest record first, or the newest."""
    state, last = found(call.parts, endpoint), after_number(cursor)
    if not newest:
        records = call.parts.store.audit(endpoint, after=last)
        items, following = page(((str(r.seq), shapes.record(r)) for r in records), limit)
        return answer(Audit(items=items, next=following))
    before = min(last or state.audit.seq + 1, state.audit.seq + 1)
    first = max(1, before - limit)
    records = islice(call.parts.store.audit(endpoint, after=first - 1), before - first)
    items = [shapes.record(record) for record in records][::-1]
    return answer(Audit(items=items, next=cursor_after(str(first)) if first > 1 else None))


@routes.get("/endpoints/{endpoint}/audit/verify", responses=shown(Verified))
async def verify_audit(endpoint: EndpointName, call: Annotated[Call, reads()]) -> Response:
    """Verify an endpoint's audit from its first record to the one that its state names."""
    state = found(call.parts, endpoint)
    broken: BrokenChain | None = None
    records = 0
    try:
        records = audit.verify(endpoint, _until(call, endpoint, state.audit.seq), state.audit)
    except BrokenChain as error:
        broken = error
    told = Verified(
        verified=broken is None,
        records=records,
        head=state.audit.hash,
        broken_at=broken.seq if broken else None,
        why=broken.why if broken else "",
    )
    return answer(told)


@routes.get(
    "/endpoints/{endpoint}/audit/export",
    responses={
        200: {
            "description": "Audit records, one a line, as their hashes cover them.",
            "content": {NDJSON: {"schema": {"type": "string"}}},
        }
    },
)
async def export_audit(
    endpoint: EndpointName,
    call: Annotated[Call, reads()],
    after: Annotated[
        int, Query(ge=0, le=10**12, description="The number of the last record that is known.")
    ] = 0,
) -> Response:
    """Export an endpoint's audit as JSON lines, 2000 records at a time.

    `halftone-last` is the number of the last record that was answered; there are more while
    `halftone-more` is `true`.
    """
    state = found(call.parts, endpoint)
    records = list(islice(call.parts.store.audit(endpoint, after=after), EXPORTED))
    lines = b"".join(msgspec.json.encode(shapes.record(record)) + b"\n" for record in records)
    last = records[-1].seq if records else after
    more = str(last < state.audit.seq).lower()
    headers = {"halftone-last": str(last), "halftone-more": more}
    return Response(lines, 200, headers, NDJSON)


@routes.get(
    "/endpoints/{endpoint}/preview",
    responses=shown(PlanPreview)
    | {409: {"description": "There is no plan or no traffic to reckon with: name it."}},
)
async def preview_plan(
    endpoint: EndpointName,
    call: Annotated[Call, reads()],
    *,
    plan: Annotated[
        str | None,
        Query(max_length=4000, description="A preset's name, or a plan as JSON; else the newest."),
    ] = None,
    requests_a_second: Annotated[
        float | None, Query(ge=0.001, le=1e6, description="Else those of the last hour.")
    ] = None,
    errors_percent: Annotated[
        float | None,
        Query(ge=0.001, le=50, description="Percent of requests (of keys, where a key draws)."),
    ] = None,
    keys_an_hour: Annotated[
        float | None,
        Query(
            gt=0,
            le=3.6e9,
            description="New keys an hour, where a key draws; else those of the stage under way.",
        ),
    ] = None,
) -> Response:
    """Show how long a plan takes at an endpoint's traffic, and what it can see."""
    errors = None if errors_percent is None else errors_percent / 100
    traffic = None
    if requests_a_second is not None:
        part = 0.001 if errors is None else errors
        source = f"as given; {100 * part:g} % taken to err, and as many to be late"
        traffic = Traffic(requests_a_second, part, part, source)
    chosen = None if plan is None else _plan(plan)
    told = preview_endpoint(
        call.parts, endpoint, plan=chosen, traffic=traffic, errors=errors, keys=keys_an_hour
    )
    return answer(_preview(told))


def _plan(given: str) -> Plan:
    if not given.lstrip().startswith("{"):
        return parse_plan(given)
    try:
        value: Mapping[str, Any] = json.loads(given)
    except ValueError:
        raise InvalidInput("plan", given, f"JSON, or one of {', '.join(PRESETS)}") from None
    return parse_plan(value)


def _until(call: Call, endpoint: str, last: int) -> Iterator[audit.AuditRecord]:
    """The records up to the one that was the newest when the state was read."""
    return islice(iter(call.parts.store.audit(endpoint)), last)


def _entry(told: service.Deployed) -> DeploymentEntry:
    deployment, rollout = told.deployment, told.rollout
    return DeploymentEntry(
        version=deployment.version,
        package=shapes.package(deployment.package),
        published_at=deployment.created_at,
        serving=told.serving,
        stopped=told.stopped,
        rollout=deployment.rollout,
        phase=rollout.phase if rollout else None,
        ended_at=rollout.ended_at if rollout else None,
        actor=rollout.actor if rollout else None,
        message=rollout.message if rollout else None,
    )


def _preview(told: EndpointPreview) -> PlanPreview:
    seen = told.preview
    return PlanPreview(
        plan=shapes.shown_plan(told.plan),
        plan_of=told.plan_of,
        traffic=PreviewTraffic(
            requests_a_second=seen.traffic.rate,
            errors_percent=100 * seen.traffic.errors,
            late_percent=100 * seen.traffic.late,
            source=seen.traffic.source,
            keys_an_hour=seen.traffic.keys,
        ),
        steps=[
            StepPreview(
                name=step.name,
                weight=step.stage.weight,
                mirror=step.stage.mirror,
                approval=step.stage.approval,
                requests_a_second=step.rate,
                counts=step.counted.units,
                counted_an_hour=3600 * step.counted.rate,
                lasts_seconds=step.lasts.total_seconds() if step.lasts else None,
                bound_by=step.bound_by,
                proof_requests=step.proof,
                visible_errors_percent=None if step.visible is None else 100 * step.visible,
                caught_after_requests=step.caught,
                back_after_seconds=step.back_after.total_seconds() if step.back_after else None,
                failed=step.hurt,
            )
            for step in seen.steps
        ],
        promoted_after_seconds=seen.promoted_after.total_seconds() if seen.promoted_after else None,
        approvals=seen.approvals,
        warnings=seen.warnings,
    )
