"""From a person's word to a client's answer: settings are data, and no deploy is in between.

Each setting goes through its use case into the state, from there into the dispatch, and from there
to the real model servers of three deployments.
"""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from halftone.domain.endpoint.route_table import route_config_of
from halftone.domain.errors import InvalidInput
from halftone.service.endpoints.clients import add_client, revoke_client
from halftone.service.endpoints.policy import (
    set_key,
    set_mirror,
    set_rules,
    set_serving,
    set_traffic,
)
from tests.support.deployments import ANN, served_by
from tests.support.engine import NAME
from tests.support.fleet import Fleet

FRONT = "3"


class Stage:
    """An endpoint of three deployments, the last one its champion, and clients of it."""

    def __init__(self):
        self.endpoint = served_by("m1", "m2", "m3")
        self.fleet = Fleet(route_config_of(self.endpoint.state))
        self.say(set_serving, {"mode": "guarded"})

    def say(self, use_case, *what, **more):
        """Say it, and let the servers read what it came to."""
        answer = use_case(self.endpoint.ports, NAME, *what, **{**ANN, **more})
        self.fleet.change(route_config_of(self.endpoint.state))
        return answer

    def ask(self, **given):
        return self.fleet.ask_x(to=FRONT, **given)

    def who(self, **given):
        answer = self.ask(**given)
        assert answer.status == 200, answer.body
        return answer.version


@pytest.fixture
def stage():
    return Stage()


def test_shares_of_three_deployments_are_followed(stage):
    stage.say(set_traffic, {"1": 20, "2": 30, "3": 50})
    met = Counter(stage.who() for _ in range(1000))
    for version, share in (("1", 200), ("2", 300), ("3", 500)):
        assert abs(met[version] - share) < 70, met


def test_the_same_user_meets_the_same_and_few_move_with_shares(stage):
    stage.say(set_key, {"query": "user"})
    users = [f"user-{i}" for i in range(300)]

    def met():
        return {user: stage.who(query={"user": user}) for user in users}

    stage.say(set_traffic, {"1": 10, "2": 30, "3": 60})
    before = met()
    assert before == met()
    stage.say(set_traffic, {"1": 10, "2": 50, "3": 40})
    after = met()
    moved = {user for user in users if before[user] != after[user]}
    assert {(before[user], after[user]) for user in moved} == {("3", "2")}, (
        "2 grew at the cost of 3"
    )
    assert 30 < len(moved) < 90


def test_shares_that_sum_to_nothing_stop_the_endpoint(stage):
    stage.say(set_traffic, {"1": 0, "2": 0, "3": 0})
    answer = stage.ask()
    assert answer.status == 503
    assert answer.body["detail"] == "the endpoint is stopped: its traffic is set to 0"
    stage.say(set_traffic, {"3": 100})
    assert stage.who() == "3"


@pytest.mark.parametrize("traffic", [{"1": 50, "3": 49}, {"1": 101}, {"1": -1, "3": 101}, {}])
def test_shares_that_sum_to_something_else_change_nothing(stage, traffic):
    with pytest.raises(InvalidInput) as refusal:
        stage.say(set_traffic, traffic)
    assert refusal.value.field.startswith("traffic")
    assert stage.who() == "3"


def test_rules_go_by_header_query_client_and_source_address(stage):
    rules = [
        {"match": {"headers": {"x-tier": ["internal"]}}, "to": "1"},
        {"match": {"query": {"region": ["north"]}}, "to": "2"},
        {"match": {"addresses": "10.0.0.0/8"}, "to": "1"},
        {"match": {"addresses": ["2001:db8::/32"]}, "to": "2"},
    ]
    stage.say(set_rules, rules)
    assert stage.who(x_tier="internal") == "1"
    assert stage.who(query={"region": "north"}) == "2"
    assert stage.who(address="10.1.2.3") == "1"
    assert stage.who(address="2001:db8::7") == "2"
    assert stage.who(address="11.1.2.3") == "3"
    assert stage.who(address="11.1.2.3", x_forwarded_for="10.1.2.3") == "3", "API Gateway's word"


def test_pins_go_past_shares_and_rules(stage):
    stage.say(set_traffic, {"1": 100})
    assert stage.who() == "1"
    assert stage.who(x_halftone_deployment="2") == "2"
    assert stage.who(path=f"/endpoints/{NAME}/versions/3/invocations") == "3"


def test_a_mirror_begins_and_ends(stage):
    stage.say(set_mirror, {"to": "1", "share": 100})
    assert stage.who() == "3"
    assert [qualifier for qualifier, _ in stage.fleet.sent] == ["1"]
    assert stage.who(x_halftone_deployment="2") == "2"
    assert len(stage.fleet.sent) == 1, "pinned requests are not mirrored"
    stage.say(set_mirror, None)
    assert stage.who() == "3"
    assert len(stage.fleet.sent) == 1


def test_a_private_endpoint_lets_in_tokens_that_hold(stage):
    added = stage.say(add_client, "shop")
    stage.say(set_serving, {"access": "private"})
    bearer = {"authorization": f"Bearer {added.token}"}
    assert stage.ask().status == 401
    assert stage.who(**bearer) == "3"
    rules = [{"match": {"clients": ["shop"]}, "to": "1"}]
    stage.say(set_rules, rules)
    assert stage.who(**bearer, x_forwarded_user="mallory") == "1"
    assert [version for version, _ in stage.fleet.seen] == ["3", "1"]
    for _, context in stage.fleet.seen:  # also by a hop: the name, and never the token
        assert context.client == "shop"
        assert context.headers == {"x-forwarded-user": "shop"}
    stage.say(revoke_client, "shop")
    assert stage.ask(**bearer).status == 401
    stored = json.dumps(stage.fleet.log) + repr(stage.endpoint.state) + repr(stage.endpoint.history)
    assert added.token.split("_", 2)[2] not in stored  # what is secret may have a "_" itself


def test_a_token_expires_by_itself(stage):
    stage.say(set_serving, {"access": "private"})
    ago = datetime.now(UTC) - stage.endpoint.world.clock.now()
    days = ago // timedelta(days=1)
    over = stage.say(add_client, "shop", expires=f"{days}d").token
    holds = stage.say(add_client, "shop", expires=f"{days + 2}d").token
    for _ in range(2):  # the second time it is known again by a hash, and still has its date
        assert stage.who(authorization=f"Bearer {holds}") == "3"
        assert stage.ask(authorization=f"Bearer {over}").status == 401
