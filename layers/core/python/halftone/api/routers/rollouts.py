"""Rollouts: looked at, and spoken to."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import Header, Query, Response
from pydantic import Field

from halftone.api import evidence_schemas, schemas
from halftone.api.authorizer import RequestContext, posts, reads
from halftone.api.errors import PreconditionRequired
from halftone.api.requests import EndpointName, Message, RolloutId
from halftone.api.responses import (
    Cursor,
    Limit,
    Shape,
    after,
    answer,
    fitting,
    page,
    router,
    shown,
)
from halftone.domain.access import Action
from halftone.domain.errors import InvalidInput
from halftone.ports import Ports
from halftone.service.authorization import must_not_have_started
from halftone.service.deployments.deployments import resolve_version
from halftone.service.endpoints.endpoints import by_record
from halftone.service.endpoints.endpoints import endpoint as found
from halftone.service.insight import rollouts as service
from halftone.service.insight.permissions import Permission
from halftone.service.releases.revert import Seen, revert
from halftone.service.rollouts import operate
from halftone.service.rollouts.adopt import Keep, adopt

routes = router("rollouts")

_Target = Annotated[
    str | None,
    Query(
        max_length=32,
        pattern=r"^([1-9][0-9]{0,8}|[a-z][a-z0-9]*(-[a-z0-9]+)*)$",
        description="The version that is to serve: its number or its deployment's name; else the "
        "one before. `v` means the same, and takes numbers alone.",
    ),
]


class Rollouts(Shape):
    """A page of rollouts, the newest first; `next` is null on the last."""

    items: Sequence[schemas.RolloutEntry]
    next: str | None


class Approval(Message):
    """Which gate is meant: so a word said twice does not open the next one."""

    stage: Annotated[
        int,
        Field(ge=0, le=100, description="The stage behind the gate, from 0; their number: 100 %."),
    ]


@routes.get("/endpoints/{endpoint}/rollouts", responses=shown(Rollouts))
async def list_rollouts(
    endpoint: EndpointName,
    call: Annotated[RequestContext, reads()],
    cursor: Cursor = None,
    limit: Limit = 20,
) -> Response:
    """List an endpoint's rollouts, the newest first."""
    last = after(cursor)
    entries = [(one.id, schemas.shown_entry(one)) for one in service.rollouts(call.ports, endpoint)]
    ids = [key for key, _ in entries]
    if last and last not in ids:
        raise InvalidInput("cursor", cursor, "`next` of the page before")
    begin = ids.index(last) + 1 if last else 0
    items, following = page(entries[begin:], limit)
    return answer(Rollouts(items=items, next=following))


@routes.get("/endpoints/{endpoint}/rollouts/{rollout}", responses=shown(schemas.Rollout))
async def show_rollout(
    endpoint: EndpointName, rollout: RolloutId, call: Annotated[RequestContext, reads()]
) -> Response:
    """Show a rollout, with what the evidence says in words and numbers."""
    return _shown(call, call.ports, endpoint, rollout)


@routes.get(
    "/endpoints/{endpoint}/rollouts/{rollout}/evidence",
    responses=shown(evidence_schemas.EvidenceSeries),
)
async def show_evidence(
    endpoint: EndpointName,
    rollout: RolloutId,
    call: Annotated[RequestContext, reads()],
    since: Annotated[
        datetime | None, Query(description="Only looks later than this `until`, in ISO 8601.")
    ] = None,
    points: Annotated[
        int, Query(ge=2, le=500, description="How many looks at most: they are thinned evenly.")
    ] = 200,
) -> Response:
    """Show what each look at a rollout's evidence saw, also of rollouts that are over."""
    if since is not None and since.tzinfo is None:
        raise InvalidInput("since", since.isoformat(), "a time with its zone, such as ...Z")
    seen, total = service.looks(call.ports, endpoint, rollout, since=since, points=points)
    looks = [each for each in map(evidence_schemas.look, seen) if each is not None]
    until = seen[-1].until if seen else since
    body = evidence_schemas.EvidenceSeries(
        rollout=rollout, until=until, total=total, looks=fitting(looks)
    )
    return answer(body)


@routes.post("/endpoints/{endpoint}/rollouts/{rollout}/pause", responses=shown(schemas.Rollout))
async def pause_rollout(
    endpoint: EndpointName,
    rollout: RolloutId,
    body: Message,
    call: Annotated[RequestContext, posts(Action.OPERATE)],
) -> Response:
    """Stop a rollout's clock: its share stays as it is until it is resumed."""
    return _say(call, operate.pause, endpoint, rollout, reason=body.message or "paused")


@routes.post("/endpoints/{endpoint}/rollouts/{rollout}/resume", responses=shown(schemas.Rollout))
async def resume_rollout(
    endpoint: EndpointName,
    rollout: RolloutId,
    body: Message,
    call: Annotated[RequestContext, posts(Action.OPERATE)],
) -> Response:
    """Let a rollout's clock run again."""
    return _say(call, operate.resume, endpoint, rollout, reason=body.message or "resumed")


@routes.post(
    "/endpoints/{endpoint}/rollouts/{rollout}/approve",
    status_code=202,
    responses=shown(schemas.Rollout, 202),
)
async def approve_rollout(
    endpoint: EndpointName,
    rollout: RolloutId,
    body: Approval,
    call: Annotated[RequestContext, posts(Action.APPROVE)],
) -> Response:
    """Open the gate before a stage. The next tick gives the share."""
    _two_pairs_of_eyes(call, endpoint, rollout)
    approve = partial(operate.approve, stage=body.stage)
    return _say(call, approve, endpoint, rollout, reason=body.message or "approved", status=202)


@routes.post("/endpoints/{endpoint}/rollouts/{rollout}/reject", responses=shown(schemas.Rollout))
async def reject_rollout(
    endpoint: EndpointName,
    rollout: RolloutId,
    body: Message,
    call: Annotated[RequestContext, posts(Action.OPERATE)],
) -> Response:
    """Turn down what waits for approval: the champion alone answers again."""
    return _say(call, operate.reject, endpoint, rollout, reason=body.message or "rejected")


@routes.post(
    "/endpoints/{endpoint}/rollouts/{rollout}/promote",
    status_code=202,
    responses=shown(schemas.Rollout, 202),
)
async def promote_rollout(
    endpoint: EndpointName,
    rollout: RolloutId,
    body: Message,
    call: Annotated[RequestContext, posts(Action.APPROVE)],
) -> Response:
    """Give the challenger all traffic, on a person's word in place of the evidence."""
    _two_pairs_of_eyes(call, endpoint, rollout)
    reason = body.message or "promoted by hand"
    return _say(call, operate.promote, endpoint, rollout, reason=reason, status=202)


@routes.post("/endpoints/{endpoint}/rollouts/{rollout}/abort", responses=shown(schemas.Rollout))
async def abort_rollout(
    endpoint: EndpointName,
    rollout: RolloutId,
    body: Message,
    call: Annotated[RequestContext, posts(Action.OPERATE)],
) -> Response:
    """End a rollout in whatever phase it is: the champion alone answers again."""
    return _say(call, operate.abort, endpoint, rollout, reason=body.message or "by hand")


@routes.post(
    "/endpoints/{endpoint}/rollback",
    responses=shown(schemas.Endpoint)
    | {428: {"description": "Nothing is under way: say what was seen, or name the version."}},
)
async def roll_back(
    *,
    endpoint: EndpointName,
    call: Annotated[RequestContext, posts(Action.OPERATE)],
    body: Message | None = None,
    v: Annotated[
        str | None,
        Query(pattern=r"^[1-9][0-9]{0,8}$", description="The version; else the one before."),
    ] = None,
    version: _Target = None,
    halftone_seen: Annotated[
        str | None,
        Header(
            pattern=r"^(-|[1-9][0-9]{0,8})( [a-z0-9-]{1,80})?$",
            description="What was seen: the champion's version (`-`: none), and the id of the "
            "rollout under way, if there was one.",
            examples=["12"],
        ),
    ] = None,
) -> Response:
    """Go back in one call: to the champion, or to an earlier version.

    A rollout under way ends, and its champion alone answers; `version` (or `v`) may name an earlier
    one still. If nothing is under way, the version that served before becomes champion again, or
    `v`. Several who send the same `Halftone-Seen` go back once. Where nothing is under way and
    there is no `v`, it is required: 428 without it.
    """
    if v is not None and version is not None:
        raise InvalidInput("version", version, "one of `version` and `v`, which mean the same")
    target = version or v
    if target is not None and not target.isdigit():
        target = resolve_version(call.ports, endpoint, target)
    reason = (body.message if body else "") or "rolled back by hand"
    now = Seen.of(found(call.ports, endpoint))
    seen = Seen.read(call.ports.claims.first_seen(call.request, halftone_seen or str(now)))
    if halftone_seen is None and target is None and seen.rollout is None:
        raise PreconditionRequired(
            f"say what you saw in Halftone-Seen ({str(now)!r} by now), or name the version that is "
            "to serve in v: without it, two that say the same would go back twice"
        )

    def do(ports: Ports) -> Response:
        state = revert(ports, endpoint, version=target, author=call.author(reason), seen=seen)
        return answer(schemas.endpoint(by_record(state)), etag=state.revision)

    def lost(ports: Ports) -> Response:
        state = found(ports, endpoint)
        if seen.rollout and state.rollout and state.rollout.id == seen.rollout:
            return do(ports)  # the try came as far as ending that, and perhaps not to ``v``
        return answer(schemas.endpoint(by_record(state)), etag=state.revision)

    return call.once(do, lost=lost)


class Adoption(Message):
    """What holds where the record is older than the aliases."""

    keep: Annotated[
        Literal["aliases", "record"],
        Field(description="`aliases`: what they say serves; `record`: its champion serves."),
    ]


@routes.post("/endpoints/{endpoint}/adopt", responses=shown(schemas.Endpoint))
async def adopt_endpoint(
    endpoint: EndpointName, body: Adoption, call: Annotated[RequestContext, posts(Action.RELEASE)]
) -> Response:
    """Say what holds after the table was restored to an earlier day.

    The record is older than what the aliases say then, and the engine writes nothing: 409 where
    that is not so. Afterwards one version answers alone, and nothing rolls out.
    """
    reason = body.reason(f"kept the {body.keep} after the table was restored")

    def lost(ports: Ports) -> Response:
        state = found(ports, endpoint)
        return answer(schemas.endpoint(by_record(state)), etag=state.revision)

    def do(ports: Ports) -> Response:
        adopt(ports, endpoint, Keep(body.keep), author=call.author(reason))
        return lost(ports)

    return call.once(do, lost=lost)


def _two_pairs_of_eyes(call: RequestContext, endpoint: str, rollout: str) -> None:
    must_not_have_started(
        call.ports, call.principal, endpoint, rollout, allowed=call.control.self_approval
    )


def _say(
    call: RequestContext,
    operation: Callable[..., Any],
    endpoint: str,
    rollout: str,
    *,
    reason: str,
    status: int = 200,
) -> Response:
    """What is said once to a rollout, and how it stands after that."""

    def lost(ports: Ports) -> Response:
        return _shown(call, ports, endpoint, rollout, status)

    def do(ports: Ports) -> Response:
        operation(ports, endpoint, author=call.author(reason), rollout=rollout)
        return lost(ports)

    return call.once(do, lost=lost)


def _shown(
    call: RequestContext, ports: Ports, endpoint: str, rollout: str, status: int = 200
) -> Response:
    view = service.view(ports, endpoint, rollout)
    location = f"/v1/endpoints/{endpoint}/rollouts/{rollout}" if status == 202 else ""
    may: Mapping[str, Permission] = {}
    if view.newest and view.rollout is not None:
        may = call.rights([view.state.about.owner]).on_rollout(view.state, view.rollout)
    body = schemas.shown_rollout(view, may)
    revision = view.state.revision if view.newest else None
    return answer(body, status, etag=revision, moves_with=_moves_with(body), location=location)


def _moves_with(body: schemas.Rollout) -> Sequence[object]:
    """What is worth reading a rollout again for: all of it but the time that has passed."""
    clock, eta = body.clock, body.eta
    step = eta and (eta.units, eta.least.units, eta.harmless.units, eta.worse.units)
    waits = clock and (clock.waits_for, clock.then, clock.at_latest)
    return (body.phase, body.share, body.reason, body.verdict, body.may, step, waits, body.plan)
