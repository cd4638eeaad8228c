"""Where requests go: the order of the rules, pins, splits, the trial and the mirror."""

import pytest

from halftone.domain.endpoint.route_table import Experiment, RouteConfig
from halftone.domain.endpoint.state import Placed
from halftone.domain.traffic.assignment import position, salted
from halftone.domain.traffic.policy import (
    KeySource,
    Match,
    Mirror,
    Mode,
    Portion,
    Rule,
    StickyKey,
    TrafficPolicy,
)
from halftone.serving.routing.matching import RequestAttributes
from halftone.serving.routing.router import Assignment, Refusal, Router, Shadow

PLACED = (
    Placed("1", "1"),
    Placed("2", "green"),
    Placed("3", "blue", stopped="too expensive"),
    Placed("4", "4"),
)
TRIAL = Experiment("double-r1", "4", 1, Mode.GUARDED, share=20.0, since=5.0)


def dispatch(trial=None, **serving):
    return RouteConfig("double", 7, "1", PLACED, TrafficPolicy(**serving), trial)


def assign(given, own="1", **facts):
    return Router(given, own).assign(RequestAttributes(**{"request_id": "r-1", **facts}))


def keyed(low, high, salt="double"):
    """A key whose position is in [low, high)."""
    keys = (f"user-{i}" for i in range(10_000))
    return next(key for key in keys if low <= position(salted(salt), key) < high)


def test_without_anything_to_decide_the_front_answers_itself():
    assert assign(dispatch()) == Assignment("1")


@pytest.mark.parametrize(
    "facts", [{}, {"pin": "1"}, {"pin": "green"}, {"headers": {"x-team": "green"}}]
)
def test_a_stopped_endpoint_serves_nobody_and_says_why(facts):
    rule = Rule(Match(headers={"x-team": ("green",)}), "2")
    with pytest.raises(Refusal, match="holidays") as caught:
        assign(dispatch(stopped="holidays", rules=(rule,)), **facts)
    assert caught.value.status == 503


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("pin", ["2", "green"])
def test_a_pin_by_version_or_name_reaches_exactly_that_version(mode, pin):
    rule = Rule(Match(), "4")
    config = dispatch(TRIAL, mode=mode, rules=(rule,), mirror=Mirror("4", 100.0))
    assert assign(config, pin=pin) == Assignment("2", "2", "direct", "pinned")


def test_a_pin_to_the_version_that_was_reached_needs_no_hop():
    assert assign(dispatch(), own="2", pin="green") == Assignment("2", cohort="pinned")


@pytest.mark.parametrize("pin", ["5", "red", "", "$LATEST", "x" * 9000])
def test_a_pin_that_names_nothing_is_told_what_there_is(pin):
    with pytest.raises(Refusal) as caught:
        assign(dispatch(), pin=pin)
    assert caught.value.status == 404
    assert "there are: 1, green (2), 4" in caught.value.detail
    assert len(caught.value.detail) < 200


@pytest.mark.parametrize("pin", ["3", "blue"])
def test_a_pin_to_what_is_stopped_is_told_why(pin):
    with pytest.raises(Refusal, match="too expensive") as caught:
        assign(dispatch(), pin=pin)
    assert caught.value.status == 409


RULES = (
    Rule(Match(headers={"x-team": ("green", "olive")}, query={"beta": ("1",)}), "2"),
    Rule(Match(clients=("shop",)), "4"),
    Rule(Match(addresses=("10.0.0.0/8", "fd00::/8")), "2"),
    Rule(Match(headers={"x-old": ("yes",)}), "3"),
    Rule(Match(headers={"x-old": ("yes",)}), "4"),
)


@pytest.mark.parametrize(
    ("facts", "version"),
    [
        ({}, "1"),
        ({"headers": {"x-team": "green"}}, "1"),
        ({"query": {"beta": "1"}}, "1"),
        ({"headers": {"x-team": "olive"}, "query": {"beta": "1"}}, "2"),
        ({"headers": {"x-team": "olive"}, "query": {"beta": "1"}, "client": "shop"}, "2"),
        ({"client": "shop"}, "4"),
        ({"client": "shop", "address": "10.1.2.3"}, "4"),
        ({"address": "10.1.2.3"}, "2"),
        ({"address": "fd00::1"}, "2"),
        ({"address": "11.1.2.3"}, "1"),
        ({"address": "no address"}, "1"),
        ({"headers": {"x-old": "yes"}}, "4"),
        ({"headers": {"x-team": ["green"]}, "query": {"beta": 1}}, "1"),
    ],
)
def test_the_first_rule_that_matches_decides_unless_stopped(facts, version):
    assert assign(dispatch(rules=RULES), **facts).version == version


def test_a_network_that_is_none_matches_nobody():
    config = dispatch(rules=(Rule(Match(addresses=("ten",)), "2"),))
    assert assign(config, address="10.0.0.1").version == "1"


def test_a_split_sends_each_part_to_its_deployment():
    config = dispatch(split=(Portion("2", 30.0), Portion("3", 20.0), Portion("4", 10.0)))
    router = Router(config, "1")
    fields = {}
    for i in range(4000):
        arm = router.assign(RequestAttributes(f"r-{i}"))
        fields[arm.version] = fields.get(arm.version, 0) + 1
        assert arm.hop == ("" if arm.version == "1" else "direct")
    assert set(fields) == {"1", "2", "4"}, "what is stopped has its part answered by the champion"
    assert 0.27 < fields["2"] / 4000 < 0.33
    assert 0.08 < fields["4"] / 4000 < 0.12


def test_the_trial_takes_the_positions_below_its_share():
    sticky = StickyKey(KeySource.HEADER, "X-User")
    config = dispatch(TRIAL, key=sticky)
    within = assign(config, headers={"x-user": keyed(0, 20)})
    assert (within.version, within.qualifier, within.hop) == ("4", "challenger", "trial")
    assert within.cohort == "trial"
    outside = assign(config, headers={"x-user": keyed(20, 100)})
    assert (outside.version, outside.qualifier, outside.cohort) == ("1", "", "trial")


def test_only_keys_that_the_stage_drew_anew_are_evidence():
    config = dispatch(TRIAL, key=StickyKey(KeySource.QUERY, "user"))
    assert assign(config, query={"user": keyed(0, 5)}).key == ""
    fresh = assign(config, query={"user": keyed(5, 20)}).key
    control = assign(config, query={"user": keyed(20, 100)}).key
    assert len(fresh) == len(control) == 16
    assert fresh != control
    assert assign(config).key == "", "without a key the request is drawn by itself"


def test_who_does_not_match_takes_no_part():
    trial = Experiment("r", "4", 0, Mode.GUARDED, share=100.0, match=Match(clients=("shop",)))
    assert assign(dispatch(trial)) == Assignment("1")
    assert assign(dispatch(trial), client="shop").version == "4"


def test_in_a_weighted_rollout_the_alias_has_drawn():
    trial = Experiment("r", "4", 0, Mode.WEIGHTED, share=100.0)
    assert assign(dispatch(trial), own="1") == Assignment("1")
    assert assign(dispatch(trial), own="4") == Assignment("4")


def test_a_front_that_is_the_challenger_is_no_control():
    """The last step points the alias at the challenger before the record says so."""
    config = dispatch(TRIAL, key=StickyKey(KeySource.CLIENT))
    assert assign(config, own="4", client=keyed(20, 100)) == Assignment("4")
    within = assign(config, own="4", client=keyed(5, 20))
    assert (within.version, within.qualifier, within.cohort) == ("4", "", "trial")


@pytest.mark.parametrize(
    ("source", "name", "facts"),
    [
        (KeySource.HEADER, "x-user", {"headers": {"x-user": "7"}}),
        (KeySource.QUERY, "user", {"query": {"user": "7"}}),
        (KeySource.CLIENT, "", {"client": "7"}),
        (KeySource.ADDRESS, "", {"address": "7"}),
        (KeySource.BODY, "user.id", {"body": lambda: {"user": {"id": 7}}}),
        (KeySource.BODY, "instances.0.id", {"body": lambda: {"instances": [{"id": "7"}]}}),
    ],
)
def test_a_key_lies_in_header_query_client_address_or_body(source, name, facts):
    config = dispatch(
        Experiment("r", "4", 0, Mode.GUARDED, share=50.0), key=StickyKey(source, name)
    )
    first, *others = [assign(config, **facts, request_id=f"r-{i}") for i in range(50)]
    assert all(arm == first for arm in others)
    assert first.key


@pytest.mark.parametrize(
    "body", [None, [], {}, {"user": 7}, {"user": {"id": None}}, {"user": {"id": True}}, "text"]
)
def test_a_body_without_the_key_is_drawn_by_itself(body):
    sticky = StickyKey(KeySource.BODY, "user.id")
    config = dispatch(Experiment("r", "4", 0, Mode.GUARDED, share=50.0), key=sticky)
    arms = {assign(config, body=lambda: body, request_id=f"r-{i}").version for i in range(50)}
    assert arms == {"1", "4"}


def test_a_mirror_takes_its_share_of_unpinned_requests():
    router = Router(dispatch(mirror=Mirror("2", 25.0)), "1")
    shadows = [router.assign(RequestAttributes(f"r-{i}")).shadow for i in range(2000)]
    assert set(shadows) == {None, Shadow("2", "2")}
    assert 0.22 < sum(shadow is not None for shadow in shadows) / 2000 < 0.28
    assert router.assign(RequestAttributes("r-1", pin="1")).shadow is None


def test_a_trial_that_mirrors_asks_the_alias_and_has_a_control():
    trial = Experiment("r", "4", 0, Mode.WEIGHTED, mirror=100.0, match=Match(clients=("shop",)))
    arm = assign(dispatch(trial), client="shop")
    shadow = Shadow("4", "challenger")
    assert arm == Assignment("1", cohort="trial", shadow=shadow, trial=trial)
    assert assign(dispatch(trial)) == Assignment("1")


def test_what_answers_or_is_stopped_is_not_mirrored_to():
    assert assign(dispatch(mirror=Mirror("1", 100.0))).shadow is None
    assert assign(dispatch(mirror=Mirror("3", 100.0))).shadow is None
