"""Clients of a private endpoint: added, listed, revoked. A token is shown once and never kept."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from halftone.domain.audit import Author
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import Conflict, InvalidInput, NotFound
from halftone.domain.quantities import duration
from halftone.domain.traffic.clients import RANDOM_BYTES, new_token
from halftone.domain.traffic.policy import Client, TrafficPolicy
from halftone.ports import RolloutPorts
from halftone.service.endpoints.policy import apply

MOST_CLIENTS = 200
"""Tokens of an endpoint: they travel with the dispatch to every model server."""

MOST_TOKENS = 2
"""Tokens of a name: the old and the new one, while whoever holds them changes over."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


@dataclass(frozen=True)
class Added:
    """A new client with its token, which nobody can be shown again, and the state as written."""

    client: Client
    token: str
    state: EndpointState


def add_client(
    ports: RolloutPorts,
    endpoint: str,
    name: str,
    *,
    author: Author,
    expires: str | None = None,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> Added:
    """Let ``name`` call the endpoint with a token, for as long as ``expires`` (``90d``; None: until
    it is revoked). The same name may have a second token, so that the first can be replaced.

    Raises:
        InvalidInput: for a name or a duration that can't be taken.
        NotFound: if the endpoint does not exist.
        Conflict: if the name has two tokens, or the endpoint has all that it can have.
        PreconditionFailed: if the state is not at ``revision`` any more.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInput("name", name, "1 to 64 of a-z, 0-9, '.', '_', '@' and '-'")
    span = None if expires is None else duration("expires", expires)
    if span is not None and not span:
        raise InvalidInput("expires", expires, "a duration such as 90d")
    token, token_id, digest = new_token(random(RANDOM_BYTES))
    now = ports.clock.now()
    client = Client(name, token_id, digest, now, author.actor, None if span is None else now + span)

    def next_one(state: EndpointState) -> TrafficPolicy:
        clients = state.serving.clients
        if len(clients) >= MOST_CLIENTS:
            raise Conflict(f"{endpoint!r} has {MOST_CLIENTS} tokens: revoke some")
        same = [c.token_id for c in clients if c.name == name]
        if len(same) >= MOST_TOKENS:
            raise Conflict(f"client {name!r} has {MOST_TOKENS} tokens: revoke {' or '.join(same)}")
        if token_id in {c.token_id for c in clients}:
            raise Conflict(f"the id {token_id} was drawn twice: add the client again")
        return replace(state.serving, clients=(*clients, client))

    state = apply(
        ports,
        endpoint,
        next_one,
        action="client-added",
        author=author,
        told=lambda _, __: _dump_client(client),
    )
    return Added(client, token, state)


def revoke_client(
    ports: RolloutPorts,
    endpoint: str,
    client: str,
    *,
    author: Author,
) -> EndpointState:
    """Refuse the token of that id, or all tokens of the client of that name, within seconds.

    Raises:
        NotFound: if the endpoint or such a client does not exist.
        PreconditionFailed: if the state is not at ``revision`` any more.
    """

    def next_one(state: EndpointState) -> TrafficPolicy:
        clients = state.serving.clients
        left = tuple(c for c in clients if client not in (c.name, c.token_id))
        if len(left) == len(clients):
            names = ", ".join(sorted({c.name for c in clients})) or "none"
            raise NotFound("client", client, f"clients of {endpoint!r}: {names}")
        return replace(state.serving, clients=left)

    def told(before: EndpointState, after: EndpointState) -> dict[str, object]:
        left = {c.token_id for c in after.serving.clients}
        revoked = [c for c in before.serving.clients if c.token_id not in left]
        return {"clients": [_dump_client(c) for c in revoked]}

    return apply(
        ports,
        endpoint,
        next_one,
        action="client-revoked",
        author=author,
        told=told,
    )


def list_clients(ports: RolloutPorts, endpoint: str) -> tuple[Client, ...]:
    """Everybody with a token, as they were added.

    Raises:
        NotFound: if the endpoint does not exist.
    """
    state = ports.store.load(endpoint)
    if state is None:
        raise NotFound("endpoint", endpoint, "see `halftone status`")
    return state.serving.clients


def _dump_client(client: Client) -> dict[str, object]:
    expires = client.expires_at.isoformat() if client.expires_at else None
    return {"client": client.name, "token_id": client.token_id, "expires_at": expires}
