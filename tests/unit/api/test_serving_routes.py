"""Serving and clients over the API: what is shown can be sent back, and a token is shown once."""

import pytest

from halftone.domain.traffic.clients import check
from halftone.domain.traffic.policy import Portion
from tests.support.control import BEN, Api, on
from tests.support.engine import NAME, Endpoint
from tests.support.serving import guarded

SERVING = f"/v1/endpoints/{NAME}/serving"
CLIENTS = f"/v1/endpoints/{NAME}/clients"


@pytest.fixture
def endpoint() -> Endpoint:
    return guarded()


@pytest.fixture
def api(endpoint: Endpoint) -> Api:
    return on(endpoint.world)


def test_what_is_shown_can_be_sent_back(api, endpoint):
    body = {
        "access": "private",
        "key": {"header": "x-user"},
        "rules": [{"match": {"clients": ["ann"]}, "to": "blue"}],
        "traffic": {"champion": 80, "blue": 20},
        "mirror": {"to": "green", "share": 5},
        "capture": {"share": 10, "redact": ["ssn"]},
        "latency_budget": "200ms",
        "message": "for the clinic",
    }
    changed = api.ask("PATCH", SERVING, body)
    assert changed.status == 200
    assert changed.json["traffic"] == {"2": 80, "blue": 20}
    assert endpoint.history[-1].reason == "for the clinic"
    reply = api.get(SERVING)
    assert (reply.json, reply.etag) == (changed.json, changed.etag)
    message = ("endpoint", "revision", "probation", "probation_since", "probation_armed")
    message = (*message, "answering", "difference")
    back = {name: value for name, value in reply.json.items() if name not in message}
    again = api.ask("PATCH", SERVING, back, match=reply.etag)
    assert (again.status, again.etag) == (200, reply.etag)


def test_only_what_is_given_changes_and_null_is_a_value(api, endpoint):
    api.ask("PATCH", SERVING, {"mirror": {"green": 5}, "latency_budget": "1s"})
    api.ask("PATCH", SERVING, {"mirror": None})
    assert endpoint.state.serving.mirror is None
    assert endpoint.state.serving.latency_budget is not None


def test_traffic_mirror_and_rules_have_routes_of_their_own(api, endpoint):
    assert api.put(f"/v1/endpoints/{NAME}/traffic", {"traffic": {"champion": 90, "blue": 10}})
    assert endpoint.state.serving.split == (Portion("1", 10.0),)
    assert api.put(f"/v1/endpoints/{NAME}/mirror", {"mirror": {"green": "5 %"}}).status == 200
    rules = [{"match": {"query": {"beta": "1"}}, "to": "blue"}]
    assert api.put(f"/v1/endpoints/{NAME}/rules", {"rules": rules}).status == 200
    assert endpoint.actions[-3:] == ["set-traffic", "set-mirror", "set-rules"]


def test_of_two_edits_at_once_one_wins_and_one_is_told(api, endpoint):
    etag = api.get(SERVING).etag
    first = api.ask("PATCH", SERVING, {"capture": 5}, match=etag)
    second = api.ask("PATCH", SERVING, {"capture": 9}, match=etag, by=BEN)
    assert (first.status, second.status) == (200, 412)
    assert endpoint.state.serving.capture.share == 5.0


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"traffic": {"champion": 90}}, 400, "traffic"),
        ({"traffic": {"champion": 90, "pink": 10}}, 404, "pink"),
        ({"mirror": {"champion": 10}}, 409, "live or mirrored"),
        ({"capture": {"share": 101}}, 400, "capture.share"),
        ({"colour": 1}, 400, "colour"),
        ({"mode": "canary"}, 400, "mode"),
    ],
)
def test_what_can_not_be_is_a_4xx_and_changes_nothing(api, endpoint, body, status, said):
    before = endpoint.state
    reply = api.ask("PATCH", SERVING, body)
    assert reply.status == status
    assert said in str(reply.problem)
    assert endpoint.state == before


def test_it_is_disabled_enabled_unpublished_and_published(api, endpoint):
    where = f"/v1/endpoints/{NAME}"
    disabled = api.post(f"{where}/disable", {"message": "maintenance"}, key="key-1234")
    assert disabled.json["stopped"] == "maintenance"
    assert api.post(f"{where}/publish").status == 409
    assert api.post(f"{where}/enable").json["stopped"] == ""
    assert api.post(f"{where}/unpublish").json["stopped"] == "it is not published"
    assert api.post(f"{where}/publish").json["stopped"] == ""
    # The first request comes again, late: it is answered as it was, and carried out no more.
    assert api.post(f"{where}/disable", {"message": "maintenance"}, key="key-1234").status == 200
    assert endpoint.state.serving.stopped == ""


def test_a_token_is_in_the_answer_that_made_it_and_in_no_other(api, endpoint):
    added = api.post(CLIENTS, {"name": "ann", "expires": "90d"}, key="key-1234")
    assert added.status == 201
    token = added.json["token"]
    clients = endpoint.state.serving.clients
    assert check(f"Bearer {token}", clients, endpoint.world.clock.now()).name == "ann"
    again = api.post(CLIENTS, {"name": "ann", "expires": "90d"}, key="key-1234")
    assert (again.status, again.json["token"]) == (201, None)
    assert len(endpoint.state.serving.clients) == 1
    listed = api.get(CLIENTS)
    assert [one["name"] for one in listed.json["items"]] == ["ann"]
    assert clients[0].digest not in listed.text
    assert token not in listed.text


def test_revoking_is_by_name_or_by_token(api, endpoint):
    ids = [api.post(CLIENTS, {"name": "ann"}).json["client"]["token_id"] for _ in range(2)]
    left = api.ask("DELETE", f"{CLIENTS}/{ids[0]}")
    assert [one["token_id"] for one in left.json["items"]] == ids[1:]
    assert api.ask("DELETE", f"{CLIENTS}/ann").json["items"] == []
    assert api.ask("DELETE", f"{CLIENTS}/ann").status == 404
    assert endpoint.history[-1].action == "client-revoked"
