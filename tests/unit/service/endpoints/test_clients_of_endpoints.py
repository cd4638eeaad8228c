"""Clients: a token is shown once, nothing of it is kept but a digest, and revoking holds."""

from datetime import timedelta

import msgspec
import pytest

from halftone.domain.endpoint.route_table import route_config_of
from halftone.domain.errors import Conflict, InvalidInput, NotFound, PreconditionFailed
from halftone.domain.traffic.clients import Unauthorized, check
from halftone.service.endpoints.clients import MOST_CLIENTS, add_client, list_clients, revoke_client
from tests.support.engine import NAME, Endpoint
from tests.support.serving import BEN


def serving() -> Endpoint:
    endpoint = Endpoint()
    endpoint.serve("first")
    return endpoint


def test_the_token_opens_the_door_and_is_nowhere_on_record():
    endpoint = serving()
    added = add_client(endpoint.ports, NAME, "ann", **BEN)
    now = endpoint.world.clock.now()
    clients = route_config_of(endpoint.state).serving.clients
    assert check(f"Bearer {added.token}", clients, now) == added.client
    secret = added.token.split("_", 2)[2]
    assert secret not in msgspec.json.encode(endpoint.state).decode()
    record = endpoint.history[-1]
    assert secret not in str(record)
    assert added.client.digest not in str(record)
    assert (record.action, record.numbers["client"]) == ("client-added", "ann")
    assert added.client.created_by == "ben"


def test_a_token_can_expire():
    endpoint = serving()
    added = add_client(endpoint.ports, NAME, "ann", expires="90d", **BEN)
    expires = endpoint.world.clock.now() + timedelta(days=90)
    assert added.client.expires_at == expires
    check(f"Bearer {added.token}", endpoint.state.serving.clients, expires - timedelta(seconds=1))
    with pytest.raises(Unauthorized, match="expired"):
        check(f"Bearer {added.token}", endpoint.state.serving.clients, expires)


def test_a_name_has_a_second_token_and_no_third():
    endpoint = serving()
    first = add_client(endpoint.ports, NAME, "ann", **BEN)
    second = add_client(endpoint.ports, NAME, "ann", **BEN)
    with pytest.raises(Conflict, match=f"revoke {first.client.token_id} or"):
        add_client(endpoint.ports, NAME, "ann", **BEN)
    revoke_client(endpoint.ports, NAME, first.client.token_id, **BEN)
    assert list_clients(endpoint.ports, NAME) == (second.client,)


def test_revoking_a_name_revokes_all_its_tokens_and_says_which():
    endpoint = serving()
    added = [add_client(endpoint.ports, NAME, name, **BEN) for name in ("ann", "ann", "bob")]
    revoke_client(endpoint.ports, NAME, "ann", **BEN)
    assert [c.name for c in list_clients(endpoint.ports, NAME)] == ["bob"]
    token_ids = [c["token_id"] for c in endpoint.history[-1].numbers["clients"]]
    assert token_ids == [a.client.token_id for a in added[:2]]
    with pytest.raises(NotFound, match="no client 'ann'; clients of 'fraud': bob"):
        revoke_client(endpoint.ports, NAME, "ann", **BEN)


@pytest.mark.parametrize("name", ["", "a:b", "Ann", "x" * 65, "ann\n"])
def test_a_name_that_basic_could_not_carry_is_refused(name):
    with pytest.raises(InvalidInput, match="name"):
        add_client(serving().ports, NAME, name, **BEN)


@pytest.mark.parametrize("expires", ["0", "soon", "400d"])
def test_a_duration_that_makes_no_sense_is_refused(expires):
    with pytest.raises(InvalidInput, match="expires"):
        add_client(serving().ports, NAME, "ann", expires=expires, **BEN)


def test_there_are_bounds_and_revisions():
    endpoint = serving()
    with pytest.raises(PreconditionFailed):
        add_client(endpoint.ports, NAME, "ann", author=BEN["author"].at(1))
    with pytest.raises(NotFound, match="no endpoint"):
        list_clients(endpoint.ports, "nobody")
    for number in range(MOST_CLIENTS):
        add_client(endpoint.ports, NAME, f"c{number}", **BEN)
    with pytest.raises(Conflict, match="has 200 tokens"):
        add_client(endpoint.ports, NAME, "one-more", **BEN)


def test_an_id_that_is_drawn_twice_is_not_given_twice():
    endpoint = serving()
    same = lambda size: b"\0" * size  # noqa: E731
    add_client(endpoint.ports, NAME, "ann", random=same, **BEN)
    with pytest.raises(Conflict, match="drawn twice"):
        add_client(endpoint.ports, NAME, "bob", random=same, **BEN)
