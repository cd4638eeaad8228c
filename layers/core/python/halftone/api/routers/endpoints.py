"""Endpoints: list, show, and whose they are."""

from collections.abc import Iterator, Sequence
from itertools import count, islice
from typing import Annotated

from fastapi import Query, Response
from pydantic import Field

from halftone.api import overviews, schemas
from halftone.api.authorizer import RequestContext, edits, reads
from halftone.api.requests import Body, EndpointName, Why
from halftone.api.responses import Cursor, Limit, Shape, after, answer, page, router, shown
from halftone.domain.access import Action
from halftone.domain.names import checked_name
from halftone.service.endpoints import endpoints as service
from halftone.service.insight import overview

routes = router("endpoints")

MOST_COMPARED = 10
"""How many endpoints of a page are compared with their aliases: Lambda takes 15 such calls a second
of an account, and the engine needs them, too.
"""


class Endpoints(Shape):
    """A page of endpoints; `next` is null on the last.

    The first ten are compared with their aliases as read; of the others `difference` is null.
    """

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
    summary: Annotated[
        bool,
        Query(
            description="With each one's newest rollout, rates and rights, and compared with no "
            "aliases: what a first page shows, by a few calls whatever the limit."
        ),
    ] = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """List endpoints, in the order of their names."""
    first = after(cursor)
    wanted = service.Wanted(name, group, service.mine(call.ports, call.principal) if mine else None)

    if summary:
        return _summaries(call, wanted, first, limit)
    numbers = count()

    def matching() -> Iterator[tuple[str, schemas.Endpoint]]:
        for state in service.matching(call.ports, wanted, after=first, at_once=limit + 1):
            name = state.endpoint
            compared = next(numbers) < MOST_COMPARED
            read = service.as_read(call.ports, name) if compared else service.by_record(state)
            yield name, schemas.endpoint(read)

    items, following = page(matching(), limit)
    return answer(Endpoints(items=items, next=following))


def _summaries(call: RequestContext, wanted: service.Wanted, first: str, limit: int) -> Response:
    matching = service.matching(call.ports, wanted, after=first, at_once=limit + 1)
    states = [*islice(matching, limit + 1)]
    rights = call.rights([state.about.owner for state in states])
    rates = overview.rates(call.ports, states)
    shown = [
        (
            one.state.endpoint,
            schemas.endpoint(
                service.by_record(one.state),
                overviews.summary(one, rates.get(one.state.endpoint), rights),
            ),
        )
        for one in overview.overviews(call.ports, states)
    ]
    items, following = page(shown, limit)
    return answer(Endpoints(items=items, next=following))


@routes.get("/endpoints/{endpoint}", responses=shown(schemas.Endpoint))
async def show_endpoint(
    endpoint: EndpointName, call: Annotated[RequestContext, reads()]
) -> Response:
    """Show an endpoint with its status."""
    read = service.as_read(call.ports, endpoint)
    return answer(schemas.endpoint(read), etag=read.state.revision)


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
        author=call.author(wanted.message),
    )
    return answer(schemas.endpoint(service.by_record(state)), etag=state.revision)
