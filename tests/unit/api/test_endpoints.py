"""Endpoints over the API: listed, found, shown, and given to a group."""

from tests.support.control import BEN, on
from tests.support.engine import NAME, Endpoint


def test_an_endpoint_is_shown_with_its_status() -> None:
    endpoint = Endpoint()
    endpoint.serve("first")
    api = on(endpoint.world)
    shown = api.get(f"/v1/endpoints/{NAME}")
    assert shown.status == 200
    assert shown.json["status"] == "Deployed"
    assert shown.json["champion"]["version"] == "1"
    assert shown.etag == f'"{endpoint.state.revision}"'


def test_an_unknown_endpoint_is_a_problem() -> None:
    told = on(Endpoint().world).get("/v1/endpoints/nobody", by=BEN)
    assert (told.status, told.problem["field"], told.problem["value"]) == (
        404,
        "endpoint",
        "nobody",
    )
