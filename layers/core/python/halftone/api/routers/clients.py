"""Clients of a private endpoint. A token is in the answer that made it, and in no other."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import Field

from halftone.api.authorizer import RequestContext, deletes, posts, reads
from halftone.api.requests import Body, EndpointName, Why
from halftone.api.responses import Shape, answer, router, shown
from halftone.domain.access import Action
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import Conflict
from halftone.domain.traffic.policy import Client
from halftone.ports import Ports
from halftone.service.endpoints import clients as service
from halftone.service.endpoints.endpoints import endpoint as found

routes = router("clients")

_NAME = r"^[a-z0-9][a-z0-9._@-]{0,63}$"
ClientName = Annotated[
    str, Path(pattern=_NAME, description="A client's name, or the id of one of its tokens.")
]


class ClientShown(Shape):
    """Somebody who may call the endpoint, by the token of that id."""

    name: str
    token_id: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None


class Clients(Shape):
    """Everybody with a token, as they were added."""

    items: Sequence[ClientShown]


class ClientAdded(Shape):
    """A new client. `token` is shown here and never again: a replay of the request has null."""

    client: ClientShown
    token: str | None


class ClientWanted(Body):
    """Who is to be let in, and for how long."""

    name: Annotated[str, Field(pattern=_NAME)]
    expires: Annotated[str | None, Field(description="Such as 90d; null: until it is revoked.")] = (
        None
    )
    message: Why = ""


@routes.get("/endpoints/{endpoint}/clients", responses=shown(Clients))
async def list_clients(
    endpoint: EndpointName, call: Annotated[RequestContext, reads()]
) -> Response:
    """List an endpoint's clients."""
    return _all(found(call.ports, endpoint))


@routes.post("/endpoints/{endpoint}/clients", status_code=201, responses=shown(ClientAdded, 201))
async def add_client(
    endpoint: EndpointName,
    wanted: ClientWanted,
    call: Annotated[RequestContext, posts(Action.RELEASE)],
) -> Response:
    """Give a client a token, which this answer shows once."""

    def do(ports: Ports) -> Response:
        added = service.add_client(
            ports,
            endpoint,
            wanted.name,
            expires=wanted.expires,
            author=call.author(wanted.message or f"client {wanted.name} added"),
        )
        return answer(
            ClientAdded(client=_shown(added.client), token=added.token),
            201,
            etag=added.state.revision,
            location=f"/v1/endpoints/{endpoint}/clients",
        )

    def lost(_: Ports) -> Response:
        raise Conflict(
            f"client {wanted.name!r} was added, but its token is lost: revoke it and add it again"
        )

    return call.once(do, lost=lost, forget=("token",))


@routes.delete("/endpoints/{endpoint}/clients/{client}", responses=shown(Clients))
async def revoke_client(
    endpoint: EndpointName,
    client: ClientName,
    call: Annotated[RequestContext, deletes(Action.RELEASE)],
    message: Annotated[str, Query(max_length=1000, description="Why.")] = "",
) -> Response:
    """Refuse a client's tokens, or one of them by its id, from now on."""
    state = service.revoke_client(
        call.ports, endpoint, client, author=call.author(message or f"{client} revoked")
    )
    return _all(state)


def _all(state: EndpointState) -> Response:
    return answer(Clients(items=clients(state)), etag=state.revision)


def clients(state: EndpointState) -> Sequence[ClientShown]:
    """Everybody who may call the endpoint, as they are shown."""
    return [_shown(client) for client in state.serving.clients]


def _shown(client: Client) -> ClientShown:
    return ClientShown(
        name=client.name,
        token_id=client.token_id,
        created_at=client.created_at,
        created_by=client.created_by,
        expires_at=client.expires_at,
    )
