"""``POST /v1/endpoints/{endpoint}/adopt``, and ``halftone adopt``, after a table was restored."""

import copy

import pytest

from halftone.domain.rollout.routing import Routing
from tests.support.control import on
from tests.support.engine import NAME, Endpoint

PATH = f"/v1/endpoints/{NAME}"


@pytest.fixture
def restored() -> Endpoint:
    """Version 2 serves; the table is that of when 1 did."""
    endpoint = Endpoint()
    endpoint.serve("m1")
    original = copy.deepcopy(vars(endpoint.world.store))
    endpoint.serve("m2")
    vars(endpoint.world.store).update(original)
    endpoint.tick()
    return endpoint


def test_the_endpoint_says_why_nothing_goes_on(restored):
    document = on(restored.world).get(PATH).json
    assert document["restored"] == document["message"] == restored.state.restored
    refused = on(restored.world).post(f"{PATH}/rollback?v=1")
    assert refused.status == 409


@pytest.mark.parametrize(("keep", "serves"), [("aliases", "2"), ("record", "1")])
def test_somebody_says_what_holds(restored, keep, serves):
    api = on(restored.world)
    reply = api.post(f"{PATH}/adopt", {"keep": keep, "message": "from the backup"}, key="k-adopt-1")
    assert (reply.status, reply.json["champion"]["version"], reply.json["restored"]) == (
        200,
        serves,
        "",
    )
    assert restored.alias == Routing(serves)
    assert restored.history[-1].reason == "from the backup"
    again = api.post(f"{PATH}/adopt", {"keep": keep, "message": "from the backup"}, key="k-adopt-1")
    assert (again.text, again.headers["idempotent-replayed"]) == (reply.text, "true")
    assert api.post(f"{PATH}/adopt", {"keep": keep}).status == 409


def test_what_it_can_not_take_names_the_field(restored):
    reply = on(restored.world).post(f"{PATH}/adopt", {"keep": "both"})
    assert (reply.status, reply.problem["field"], reply.problem["value"]) == (400, "keep", "both")
