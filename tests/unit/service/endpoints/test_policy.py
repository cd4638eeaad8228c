"""What people change while an endpoint serves: on record, once, and only where it makes sense."""

from dataclasses import replace

import pytest

from halftone.domain.audit import Author
from halftone.domain.endpoint.policy_rules import dump_state_policy
from halftone.domain.endpoint.route_table import route_config_of
from halftone.domain.endpoint.state import Placed
from halftone.domain.errors import Conflict, InvalidInput, NotFound, PreconditionFailed
from halftone.domain.rollout.phase import Phase
from halftone.domain.traffic.policy import Access, Capture, Mirror, Mode, Portion
from halftone.ports.guardrails import AlarmState
from halftone.service.endpoints import availability, policy
from halftone.service.endpoints.retire import retire
from halftone.service.unit_of_work import commit
from tests.support.engine import NAME, Endpoint
from tests.support.serving import BEN, guarded, place

RULE = {"match": {"headers": {"x-tier": "gold"}}}


def test_a_change_is_one_record_with_who_why_and_what_it_was():
    endpoint = guarded()
    before = endpoint.state.revision
    state = policy.set_traffic(endpoint.ports, NAME, {"champion": 90, "blue": 10}, **BEN)
    assert state == endpoint.state
    assert state.revision == before + 1
    assert state.serving.split == (Portion("1", 10.0),)
    record = endpoint.history[-1]
    assert (record.action, record.actor, record.reason) == (
        "set-traffic",
        "ben",
        BEN["author"].reason,
    )
    assert record.numbers == {"traffic": {"was": {"2": 100}, "is": {"2": 90, "blue": 10}}}
    assert route_config_of(state).serving.split == state.serving.split


def test_said_again_it_changes_nothing():
    endpoint = guarded()
    for _ in range(2):
        policy.set_capture(endpoint.ports, NAME, {"share": 10}, **BEN)
        policy.set_access(endpoint.ports, NAME, "private", **BEN)
    assert endpoint.actions[-2:] == ["set-capture", "set-access"]
    assert endpoint.state.serving.capture == Capture(10.0)
    assert endpoint.state.serving.access is Access.PRIVATE


def test_an_edit_of_an_older_revision_changes_nothing():
    endpoint = guarded()
    revision = endpoint.state.revision
    policy.set_mode(endpoint.ports, NAME, "guarded", author=BEN["author"].at(revision))
    policy.set_capture(endpoint.ports, NAME, 5, author=BEN["author"].at(revision))
    before = endpoint.state
    with pytest.raises(PreconditionFailed, match=f"is at revision {revision + 1}, not {revision}"):
        policy.set_capture(endpoint.ports, NAME, 10, author=BEN["author"].at(revision))
    assert endpoint.state == before


def test_several_fields_change_together_or_not_at_all():
    endpoint = guarded()
    before = endpoint.state
    with pytest.raises(NotFound, match="no deployment 'pink'; 'fraud' has 2, blue, champion"):
        policy.set_serving(endpoint.ports, NAME, {"capture": 5, "mirror": {"pink": 5}}, **BEN)
    assert endpoint.state == before
    policy.set_serving(endpoint.ports, NAME, {"capture": 5, "mirror": {"green": 5}}, **BEN)
    assert endpoint.state.serving.mirror == Mirror("3", 5.0)
    assert len(endpoint.history) == before.audit.seq + 1


def test_traffic_at_0_stops_the_endpoint_and_shares_start_it():
    endpoint = guarded()
    policy.set_traffic(endpoint.ports, NAME, {"champion": 0, "blue": 0}, **BEN)
    assert endpoint.state.serving.stopped == "its traffic is set to 0"
    assert dump_state_policy(endpoint.state)["traffic"] == {"2": 0}
    with pytest.raises(Conflict, match="set its traffic"):
        availability.enable(endpoint.ports, NAME, **BEN)
    policy.set_traffic(endpoint.ports, NAME, {"champion": 100}, **BEN)
    assert endpoint.state.serving.stopped == ""


def test_the_champion_may_get_nothing():
    endpoint = guarded()
    policy.set_traffic(endpoint.ports, NAME, {"blue": 100}, **BEN)
    assert endpoint.state.serving.split == (Portion("1", 100.0),)
    assert dump_state_policy(endpoint.state)["traffic"] == {"2": 0, "blue": 100}


def test_disabling_and_publishing_each_undo_their_own():
    endpoint = guarded()
    availability.disable(endpoint.ports, NAME, author=Author("ben", "maintenance"))
    assert endpoint.state.serving.stopped == "maintenance"
    for other in (availability.publish, availability.unpublish):
        with pytest.raises(Conflict, match="maintenance"):
            other(endpoint.ports, NAME, **BEN)
    with pytest.raises(Conflict, match="stopped already: maintenance"):
        policy.set_traffic(endpoint.ports, NAME, {"champion": 0}, **BEN)
    availability.enable(endpoint.ports, NAME, **BEN)
    availability.unpublish(endpoint.ports, NAME, **BEN)
    availability.unpublish(endpoint.ports, NAME, **BEN)
    with pytest.raises(Conflict, match="publish it"):
        availability.enable(endpoint.ports, NAME, **BEN)
    availability.publish(endpoint.ports, NAME, **BEN)
    assert endpoint.state.serving.stopped == ""
    assert endpoint.actions[-4:] == [
        "endpoint-disabled",
        "endpoint-enabled",
        "endpoint-unpublished",
        "endpoint-published",
    ]
    for reason in ("", "x" * 201, availability.UNPUBLISHED):
        with pytest.raises(InvalidInput, match="reason"):
            availability.disable(endpoint.ports, NAME, author=Author("ben", reason))


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"traffic": {"champion": 90, "blue": 10}}, "traffic to several deployments needs mode"),
        ({"rules": [{**RULE, "to": "blue"}]}, "rules needs mode guarded"),
        ({"key": {"query": "user"}}, "key needs mode guarded"),
    ],
)
def test_what_an_alias_can_not_do_needs_mode_guarded(fields, why):
    endpoint = guarded()
    policy.set_mode(endpoint.ports, NAME, "weighted", **BEN)
    before = endpoint.state
    with pytest.raises(Conflict, match=why):
        policy.set_serving(endpoint.ports, NAME, fields, **BEN)
    assert endpoint.state == before
    policy.set_serving(endpoint.ports, NAME, {**fields, "mode": "guarded"}, **BEN)
    with pytest.raises(Conflict, match="needs mode guarded"):
        policy.set_mode(endpoint.ports, NAME, "weighted", **BEN)


def test_the_mode_stays_while_a_rollout_is_under_way():
    endpoint = guarded()
    endpoint.release("third")
    with pytest.raises(Conflict, match="keeps the mode that it began with"):
        policy.set_mode(endpoint.ports, NAME, "weighted", **BEN)
    policy.set_capture(endpoint.ports, NAME, 5, **BEN)
    assert endpoint.state.serving.mode is Mode.GUARDED


def test_who_meets_a_challenger_is_drawn_once():
    endpoint = guarded()
    endpoint.release("third")
    for fields in ({"key": {"query": "user"}}, {"salt": "other"}):
        with pytest.raises(Conflict, match="would draw anew who meets its challenger"):
            policy.set_serving(endpoint.ports, NAME, fields, **BEN)


def test_a_public_endpoint_knows_no_clients():
    endpoint = guarded()
    with pytest.raises(InvalidInput, match="key is 'client', expected access private"):
        policy.set_key(endpoint.ports, NAME, "client", **BEN)
    rules = [{"match": {"clients": "ann"}, "to": "blue"}]
    with pytest.raises(InvalidInput, match=r"rules\[0\].match.clients"):
        policy.set_rules(endpoint.ports, NAME, rules, **BEN)
    policy.set_serving(endpoint.ports, NAME, {"access": "private", "key": "client"}, **BEN)
    with pytest.raises(InvalidInput, match="key is 'client'"):
        policy.set_access(endpoint.ports, NAME, "public", **BEN)


def test_a_stopped_deployment_gets_nothing():
    endpoint = guarded()
    place(endpoint, Placed("1", "blue", stopped="too old"))
    for fields in (
        {"traffic": {"champion": 90, "blue": 10}},
        {"mirror": {"blue": 10}},
        {"rules": [{**RULE, "to": "1"}]},
    ):
        with pytest.raises(Conflict, match="is stopped: too old"):
            policy.set_serving(endpoint.ports, NAME, fields, **BEN)
    policy.set_traffic(endpoint.ports, NAME, {"champion": 100, "blue": 0}, **BEN)
    assert endpoint.state.serving.split == ()


def test_a_deployment_is_live_or_mirrored_and_not_both():
    endpoint = guarded()
    with pytest.raises(Conflict, match="version 2 is live"):
        policy.set_mirror(endpoint.ports, NAME, {"champion": 10}, **BEN)
    policy.set_mirror(endpoint.ports, NAME, {"blue": 10}, **BEN)
    with pytest.raises(Conflict, match="version 1 is live"):
        policy.set_traffic(endpoint.ports, NAME, {"champion": 90, "blue": 10}, **BEN)
    with pytest.raises(Conflict, match="version 1 is live"):
        policy.set_rules(endpoint.ports, NAME, [{**RULE, "to": "blue"}], **BEN)
    policy.set_mirror(endpoint.ports, NAME, None, **BEN)
    policy.set_rules(endpoint.ports, NAME, [{**RULE, "to": "blue"}], **BEN)
    with pytest.raises(Conflict, match="version 1 is live"):
        policy.set_mirror(endpoint.ports, NAME, {"blue": 10}, **BEN)


def test_a_setting_that_no_longer_fits_is_in_nobodys_way():
    endpoint = guarded()
    policy.set_mirror(endpoint.ports, NAME, {"blue": 10}, **BEN)
    state = endpoint.state
    by_name = {d.version: d for d in endpoint.ports.store.deployments(NAME)}
    now = replace(state, champion=by_name["1"])
    commit(endpoint.ports, state, now, action="t", author=Author("t", "t"))
    policy.set_capture(endpoint.ports, NAME, 5, **BEN)
    assert endpoint.state.serving.capture == Capture(5.0)


def test_a_challengers_share_is_for_its_plan_to_say():
    endpoint = guarded()
    endpoint.release("third")
    endpoint.tick_until(Phase.OBSERVING)
    challenger = endpoint.rollout.challenger
    place(endpoint, Placed(challenger, "third"), Placed("1", "blue"))
    for fields in (
        {"traffic": {"champion": 90, "third": 10}},
        {"rules": [{**RULE, "to": "third"}]},
    ):
        with pytest.raises(Conflict, match=f"version {challenger} is the challenger"):
            policy.set_serving(endpoint.ports, NAME, fields, **BEN)
    with pytest.raises(Conflict, match="live or mirrored"):
        policy.set_mirror(endpoint.ports, NAME, {"third": 10}, **BEN)
    policy.set_traffic(endpoint.ports, NAME, {"champion": 90, "blue": 10}, **BEN)


def test_what_is_shown_can_be_sent_back():
    endpoint = guarded()
    fields = {
        "access": "private",
        "key": {"header": "x-user"},
        "rules": [{"match": {"clients": ["ann"]}, "to": "blue"}],
        "traffic": {"champion": 80, "blue": 20},
        "mirror": {"green": 5},
        "latency_budget": "200ms",
    }
    state = policy.set_serving(endpoint.ports, NAME, fields, **BEN)
    again = policy.set_serving(endpoint.ports, NAME, dump_state_policy(state), **BEN)
    assert again == state


def test_an_endpoint_that_does_not_exist_is_not_found():
    with pytest.raises(NotFound, match="no endpoint 'nobody'"):
        policy.set_capture(Endpoint().ports, "nobody", 5, **BEN)


def test_nothing_of_it_outlives_the_endpoint():
    endpoint = guarded()
    policy.set_mirror(endpoint.ports, NAME, {"green": 10}, **BEN)
    retire(endpoint.ports, NAME, author=Author("ann", "its stack was deleted"))
    assert endpoint.state.serving == type(endpoint.state.serving)()
    assert endpoint.state.placed == ()
    assert endpoint.world.guardrails.read(NAME).state is AlarmState.OK
