"""Subscriptions over the API: made once, shown without secrets, tried, ended, and by whom."""

import pytest

from halftone.domain import audit
from halftone.domain.access import EVERYWHERE, principal_of
from halftone.domain.audit import Author
from halftone.domain.notices.subscription import MOST
from halftone.service.endpoints.endpoints import set_owner
from halftone.service.groups import make_group
from tests.support.control import ANN, BEN, on
from tests.support.engine import NAME, Endpoint

PATH = "/v1/subscriptions"
HOOK = {"kinds": ["alert"], "channel": "webhook", "address": "https://ops.example.com/hook?a=b"}


@pytest.fixture
def endpoint():
    made = Endpoint()
    made.serve("m1")
    return made


@pytest.fixture
def api(endpoint):
    return on(endpoint.world)


def test_a_subscription_is_made_shown_and_ended(api, endpoint):
    made = api.post(PATH, {**HOOK, "message": "we are on call"})
    assert made.status == 201
    key = made.json["subscription"]["id"]
    assert made.headers["location"] == f"{PATH}/{key}"
    assert len(bytes.fromhex(made.json["secret"])) == 32
    shown = api.get(f"{PATH}/{key}")
    assert shown.json == made.json["subscription"]
    assert shown.json["address"] == "https://ops.example.com/hook"
    assert (shown.json["endpoint"], shown.json["created_by"]) == ("*", ANN)
    assert api.get(PATH).json["items"] == [shown.json]
    assert api.ask("DELETE", f"{PATH}/{key}").status == 200
    assert api.ask("DELETE", f"{PATH}/{key}").status == 200
    assert api.get(PATH).json["items"] == []
    records = list(endpoint.world.subscriptions.subscription_audit(key))
    assert [record.action for record in records] == ["subscribed", "unsubscribed"]
    assert records[0].reason == "we are on call"
    kept = endpoint.world.subscriptions.kept[key]
    assert audit.verify(f"subscription:{key}", records, kept.audit) == 2
    assert kept.secret not in str(records)


def test_a_repeated_request_makes_one_and_shows_its_secret_once(api):
    first = api.post(PATH, HOOK, key="again-and-again")
    second = api.post(PATH, HOOK, key="again-and-again")
    assert second.json == {**first.json, "secret": None}
    assert len(api.get(PATH).json["items"]) == 1


def test_the_same_subscription_is_not_made_twice(api):
    key = api.post(PATH, HOOK).json["subscription"]["id"]
    assert key in api.post(PATH, HOOK).problem["detail"]


def test_a_stage_has_room_for_so_many(api):
    for number in range(MOST):
        address = f"https://ops.example.com/{number}"
        assert api.post(PATH, {**HOOK, "address": address}).status == 201
    assert api.post(PATH, HOOK).status == 409


@pytest.mark.parametrize(
    ("field", "value", "status", "said"),
    [
        ("endpoint", "nowhere", 404, "nowhere"),
        ("endpoint", "No Name", 400, "endpoint"),
        ("kinds", ["rollouts"], 400, "kinds[0]"),
        ("kinds", [], 422, "kinds"),
        ("channel", "pigeon", 422, "channel"),
        ("address", "https://10.1.2.3/x", 400, "a public host on port 443"),
        ("address", "http://ops.example.com", 400, "https://"),
    ],
)
def test_what_can_not_be_taken_is_named(api, field, value, status, said):
    refused = api.post(PATH, {**HOOK, field: value})
    assert refused.status in (status, 400)
    assert said in refused.text
    assert api.get(PATH).json["items"] == []


def test_a_test_notice_is_a_record_of_the_subscription_s_own(api, endpoint):
    key = api.post(PATH, HOOK).json["subscription"]["id"]
    assert api.post(f"{PATH}/{key}/test", {"message": "does it ring?"}).status == 200
    *_, record = endpoint.world.subscriptions.subscription_audit(key)
    assert (record.action, record.reason) == ("tested", "does it ring?")
    api.ask("DELETE", f"{PATH}/{key}")
    assert api.post(f"{PATH}/{key}/test").status == 409


def test_another_id_is_not_found(api):
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/test"), ("GET", "/undelivered")):
        assert api.ask(method, f"{PATH}/0123456789ab{path}").status == 404


def test_what_was_given_up_is_listed(api):
    key = api.post(PATH, HOOK).json["subscription"]["id"]
    assert api.get(f"{PATH}/{key}/undelivered").json == {"items": []}


def test_who_may_subscribe(api, endpoint):
    """To an endpoint whoever may operate it, to the stage its admins."""
    ann, ben = principal_of(ANN), principal_of(BEN)
    ports = endpoint.ports
    for name, members in (("clinic", {ben: ["releaser"]}), (EVERYWHERE, {ann: ["admin"]})):
        make_group(ports, name, description="", members=members, author=Author(ANN))
    set_owner(ports, NAME, owner="clinic", self_approval=None, author=Author(ANN))
    assert api.post(PATH, HOOK, by=BEN).status == 403
    own = api.post(PATH, {**HOOK, "endpoint": NAME}, by=BEN)
    assert own.status == 201
    other = api.post(PATH, HOOK, by=ANN).json["subscription"]["id"]
    assert api.ask("DELETE", f"{PATH}/{other}", by=BEN).status == 403
    assert api.post(f"{PATH}/{other}/test", by=BEN).status == 403
    assert api.ask("DELETE", f"{PATH}/{own.json['subscription']['id']}", by=BEN).status == 200
