"""Endpoints: list, show, and whose they are."""

from collections.abc import Iterator, Sequence
from typing import Annotated

from fastapi import Query, Response
from pydantic import Field

from halftone.api import schemas
from halftone.api.authorizer import RequestContext, edits, reads
from halftone.api.requests import Body, EndpointName, Why
from halftone.api.responses import Cursor, Limit, Shape, after, answer, page, router, shown
from halftone.domain.access import Action
from halftone.domain.names import checked_name
from halftone.service.endpoints import endpoints as service

routes = router("endpoints")


class Endpoints(Shape):
    """A page of endpoints; `next` is null on the last."""

    items: Sequence[schemas.Endpoint]
    next: str | None


class Ownership(Body):
    """Whose an endpoint is to be; `self_approval` null leaves that to the stage."""

    owner: Annotated[str, Field(max_length=32)] | None
    self_approval: bool | None = None
    message: Why = ""


@routes.get("/endpoints", responses=shown(Endpoints))
async def list_endpoints(
    *,
    call: Annotated[RequestContext, reads()],
    name: Annotated[str, Query(max_length=32, description="A part of the name.")] = "",
    group: Annotated[str, Query(max_length=32, description="The owner group.")] = "",
    mine: Annotated[
        bool,
        Query(
            description="Only those of the caller: that a group of theirs owns, or that they made "
            "or rolled out to last."
        ),
    ] = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """List endpoints, in the order of their names."""
    first = after(cursor)
    wanted = service.Wanted(name, group, service.mine(call.ports, call.principal) if mine else None)

    def matching() -> Iterator[tuple[str, schemas.Endpoint]]:
        for state in service.matching(call.ports, wanted, after=first):
            yield state.endpoint, schemas.endpoint(state)

    items, following = page(matching(), limit)
    return answer(Endpoints(items=items, next=following))


@routes.get("/endpoints/{endpoint}", responses=shown(schemas.Endpoint))
async def show_endpoint(
    endpoint: EndpointName, call: Annotated[RequestContext, reads()]
) -> Response:
    """Show an endpoint with its status."""
    state = service.endpoint(call.ports, endpoint)
    return answer(schemas.endpoint(state), etag=state.revision)


@routes.put("/endpoints/{endpoint}/owner", responses=shown(schemas.Endpoint))
async def set_owner(
    endpoint: EndpointName,
    wanted: Ownership,
    call: Annotated[RequestContext, edits(Action.ADMINISTER)],
) -> Response:
    """Give an endpoint to a group, and say whether who started a rollout may approve it."""
    if wanted.owner is not None:
        call.must(Action.ADMINISTER, checked_name("owner", wanted.owner))
    state = service.set_owner(
        call.ports,
        endpoint,
        owner=wanted.owner,
        self_approval=wanted.self_approval,
        actor=call.actor,
        reason=wanted.message,
        revision=call.revision,
    )
    return answer(schemas.endpoint(state), etag=state.revision)
