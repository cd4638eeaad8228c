"""The record: history and audit."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Annotated

import msgspec
from fastapi import Query, Response

from halftone.api import schemas
from halftone.api.authorizer import RequestContext, reads
from halftone.api.requests import EndpointName
from halftone.api.responses import (
    Cursor,
    Limit,
    Shape,
    after_number,
    answer,
    cursor_after,
    fitting,
    page,
    router,
    shown,
)
from halftone.domain import audit
from halftone.domain.errors import BrokenChain, NotFound
from halftone.domain.rollout.phase import Phase
from halftone.service.endpoints.endpoints import endpoint as found
from halftone.service.insight import rollouts as service

routes = router("record")

NDJSON = "application/x-ndjson"
EXPORTED = 2000
"""Records an export answers at most: an answer of Lambda's may have 6 MB."""


class DeploymentEvent(Shape):
    """One audit record about a deployment: its number, when, who, what and why."""

    seq: int
    at: datetime
    actor: str
    action: str
    reason: str


class DeploymentEntry(Shape):
    """A deployment in an endpoint's history.

    What is its rollout's (`actor`, `message`, ...) is null where the audit tells of none. `memory`
    is the function's size in MB (null: published before it was recorded), `replicas` what was asked
    for last before it was stopped. `description` and `tags` are the endpoint's when it was
    published. `stopped_why` says why it takes no requests. `events` are the oldest first.
    """

    version: str
    name: str
    package: schemas.Package
    published_at: datetime
    serving: bool
    stopped: bool
    rollout: str
    phase: Phase | None
    ended_at: datetime | None
    actor: str | None
    message: str | None
    stopped_why: str
    deleted: bool
    memory: int | None
    replicas: int
    description: str
    tags: Mapping[str, str]
    events: Sequence[DeploymentEvent]


class History(Shape):
    """A page of deployments, the newest first; `next` is null on the last."""

    items: Sequence[DeploymentEntry]
    next: str | None


class Audit(Shape):
    """A page of audit records; `next` is null on the last."""

    items: Sequence[schemas.AuditRecord]
    next: str | None


class Verified(Shape):
    """Whether the chain verifies; if not, from which record on it does not, and why."""

    verified: bool
    records: int
    head: str
    broken_at: int | None
    why: str


@routes.get("/endpoints/{endpoint}/history", responses=shown(History))
async def show_history(
    endpoint: EndpointName,
    call: Annotated[RequestContext, reads()],
    deployment: Annotated[
        str | None,
        Query(
            max_length=32,
            description="Only this one: its version, its name, champion or challenger.",
        ),
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> Response:
    """List every deployment of an endpoint with all that happened to it, the newest first."""
    begin = after_number(cursor)
    entries = service.history(call.ports, endpoint)
    if deployment is not None:
        # A deleted deployment keeps its name here, which the state does not know any more.
        called = {deployment, found(call.ports, endpoint).version_called(deployment)}
        entries = [d for d in entries if {d.deployment.version, d.record.name} & called]
        if not entries:
            remedy = f"GET /v1/endpoints/{endpoint}/history lists those there are"
            raise NotFound("deployment", deployment, remedy)
    numbered = ((str(n), _entry(one)) for n, one in enumerate(entries[begin:], begin + 1))
    items, following = page(numbered, limit)
    return answer(History(items=items, next=following))


@routes.get("/endpoints/{endpoint}/audit", responses=shown(Audit))
async def show_audit(
    endpoint: EndpointName,
    call: Annotated[RequestContext, reads()],
    cursor: Cursor = None,
    limit: Limit = 50,
    newest: Annotated[bool, Query(description="The newest record first.")] = False,
) -> Response:
    """List who changed an endpoint, when and why: the oldest record first, or the newest."""
    state, last = found(call.ports, endpoint), after_number(cursor)
    if not newest:
        records = call.ports.store.audit(endpoint, after=last)
        items, following = page(((str(r.seq), schemas.record(r)) for r in records), limit)
        return answer(Audit(items=items, next=following))
    before = min(last or state.audit.seq + 1, state.audit.seq + 1)
    first = max(1, before - limit)
    records = islice(call.ports.store.audit(endpoint, after=first - 1), before - first)
    items = fitting([schemas.record(record) for record in records][::-1])
    first = items[-1].seq if items else first
    return answer(Audit(items=items, next=cursor_after(str(first)) if first > 1 else None))


@routes.get("/endpoints/{endpoint}/audit/verify", responses=shown(Verified))
async def verify_audit(
    endpoint: EndpointName, call: Annotated[RequestContext, reads()]
) -> Response:
    """Verify an endpoint's audit from its first record to the one that its state names."""
    state = found(call.ports, endpoint)
    broken: BrokenChain | None = None
    records = 0
    try:
        records = audit.verify(endpoint, _until(call, endpoint, state.audit.seq), state.audit)
    except BrokenChain as error:
        broken = error
    verified = Verified(
        verified=broken is None,
        records=records,
        head=state.audit.hash,
        broken_at=broken.seq if broken else None,
        why=broken.why if broken else "",
    )
    return answer(verified)


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
    call: Annotated[RequestContext, reads()],
    after: Annotated[
        int, Query(ge=0, le=10**12, description="The number of the last record that is known.")
    ] = 0,
) -> Response:
    """Export an endpoint's audit as JSON lines, 2000 records at a time at most.

    `halftone-last` is the number of the last record that was answered; there are more while
    `halftone-more` is `true`.
    """
    state = found(call.ports, endpoint)
    exported = islice(call.ports.store.audit(endpoint, after=after), EXPORTED)
    records = fitting([schemas.record(record) for record in exported])
    lines = b"".join(msgspec.json.encode(record) + b"\n" for record in records)
    last = records[-1].seq if records else after
    more = str(last < state.audit.seq).lower()
    headers = {"halftone-last": str(last), "halftone-more": more}
    return Response(lines, 200, headers, NDJSON)


def _until(call: RequestContext, endpoint: str, last: int) -> Iterator[audit.AuditRecord]:
    """The records up to the one that was the newest when the state was read."""
    return islice(iter(call.ports.store.audit(endpoint)), last)


def _entry(deployed: service.Deployed) -> DeploymentEntry:
    deployment, rollout, record = deployed.deployment, deployed.rollout, deployed.record
    return DeploymentEntry(
        version=deployment.version,
        name=record.name or deployment.version,
        package=schemas.package(deployment.package),
        published_at=deployment.created_at,
        serving=deployed.serving,
        stopped=bool(record.stopped),
        rollout=deployment.rollout,
        phase=rollout.phase if rollout else None,
        ended_at=rollout.ended_at if rollout else None,
        actor=rollout.actor if rollout else None,
        message=rollout.message if rollout else None,
        stopped_why=record.stopped,
        deleted=bool(deployment.deleted),
        memory=record.memory,
        replicas=record.replicas,
        description=record.description,
        tags={name: str(text) for name, text in record.tags.items()},
        events=[
            DeploymentEvent(
                seq=event.seq,
                at=event.at,
                actor=event.actor,
                action=event.action,
                reason=event.reason,
            )
            for event in record.events
        ],
    )
