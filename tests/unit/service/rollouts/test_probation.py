"""A deployment that takes requests without a rollout: watched by the alarms, and taken back."""

from datetime import timedelta

import pytest

from halftone.domain.audit import Author
from halftone.domain.errors import Conflict
from halftone.domain.rollout.phase import Phase
from halftone.domain.traffic.policy import Portion
from halftone.ports.guardrails import AlarmState, Guard
from halftone.service.endpoints import policy
from halftone.service.releases.release import release
from halftone.service.releases.revert import revert
from halftone.service.rollouts.alarm import on_alarm
from tests.support.engine import NAME, Endpoint
from tests.support.serving import BEN, guarded

RULE = {"match": {"headers": {"x-tier": "gold"}}, "to": "green"}
GREEN = {"champion": 90, "green": 10}


def on_probation() -> Endpoint:
    endpoint = guarded()
    policy.set_traffic(endpoint.ports, NAME, GREEN, **BEN)
    endpoint.world.clock.pass_by(timedelta(minutes=1))
    return endpoint


def fired(endpoint: Endpoint, *, ago: timedelta = timedelta(0)) -> object:
    now = endpoint.world.clock.now()
    return on_alarm(endpoint.ports, NAME, author=Author("alarm/x", "errors"), fired_at=now - ago)


def test_alarms_are_armed_for_a_new_champion_before_its_share():
    endpoint = guarded()
    policy.set_traffic(endpoint.ports, NAME, {"champion": 90, "blue": 10}, **BEN)
    assert endpoint.armed_for == "3"  # of the rollout before: blue has served and needs no watch
    assert endpoint.state.serving.probation is None
    endpoint.ports.guardrails.arm(NAME, "2", "somebody else")
    policy.set_traffic(endpoint.ports, NAME, GREEN, **BEN)
    assert endpoint.armed_for == "3"
    assert endpoint.state.serving.probation is not None
    assert endpoint.state.serving.probation.version == "3"


def test_a_rule_gives_requests_too():
    endpoint = guarded()
    endpoint.ports.guardrails.arm(NAME, "2", "somebody else")
    policy.set_rules(endpoint.ports, NAME, [RULE], **BEN)
    assert endpoint.armed_for == "3"
    fired(endpoint)
    assert endpoint.state.serving.rules == ()


def test_two_at_a_time_are_refused():
    endpoint = guarded(unproven=2)
    before = endpoint.state
    with pytest.raises(Conflict, match="versions 3 and 4 never were champion"):
        policy.set_traffic(endpoint.ports, NAME, {"champion": 80, "green": 10, "teal": 10}, **BEN)
    assert endpoint.state == before
    policy.set_traffic(endpoint.ports, NAME, GREEN, **BEN)
    with pytest.raises(Conflict, match="versions 3 and 4 never were champion"):
        policy.set_rules(endpoint.ports, NAME, [{**RULE, "to": "teal"}], **BEN)


def test_an_alarm_takes_its_share_to_0_on_record_and_once():
    endpoint = on_probation()
    fired(endpoint)
    serving = endpoint.state.serving
    assert (serving.split, serving.probation) == ((), None)
    record = endpoint.history[-1]
    assert (record.action, record.actor) == ("withdrawn", "alarm/x")
    assert record.numbers == {"version": "3", "share": 10.0, "rules": 0}
    assert fired(endpoint) is None
    assert endpoint.history[-1] == record


def test_an_alarm_from_before_it_was_armed_means_somebody_else():
    endpoint = on_probation()
    assert fired(endpoint, ago=timedelta(minutes=2)) is None
    assert endpoint.state.serving.split == (Portion("3", 10.0),)


def test_its_shares_may_change_without_the_alarms_being_reset():
    endpoint = on_probation()
    endpoint.trip()
    policy.set_traffic(endpoint.ports, NAME, {"champion": 80, "green": 20}, **BEN)
    assert endpoint.alarmed
    policy.set_traffic(endpoint.ports, NAME, {"champion": 100}, **BEN)
    assert endpoint.state.serving.probation is None


def test_a_lost_alarm_is_found_by_the_next_tick():
    endpoint = on_probation()
    endpoint.tick()
    assert endpoint.state.serving.split == (Portion("3", 10.0),)
    endpoint.trip("errors above 5 %")
    endpoint.tick()
    assert endpoint.state.serving.split == ()
    assert endpoint.history[-1].reason == "guardrail in alarm: errors above 5 %"


def test_alarms_that_a_deploy_rewrote_are_armed_again():
    endpoint = on_probation()
    endpoint.world.guardrails.guards[NAME] = Guard(AlarmState.OK, "rewritten", None)
    endpoint.tick()
    assert endpoint.armed_for == "3"
    assert endpoint.state.serving.split == (Portion("3", 10.0),)


def test_beside_a_rollout_there_is_none():
    endpoint = guarded()
    endpoint.release("third")
    endpoint.tick_until(Phase.OBSERVING)
    watching = endpoint.armed_for
    with pytest.raises(Conflict, match="the alarms watch the challenger of rollout"):
        policy.set_traffic(endpoint.ports, NAME, GREEN, **BEN)
    assert endpoint.armed_for == watching


def test_a_release_is_refused_or_takes_its_place():
    endpoint = on_probation()
    with pytest.raises(Conflict, match="version 3 of 'fraud' is on probation"):
        release(endpoint.ports, endpoint.request("third", supersede=False))
    assert endpoint.state.serving.probation is not None
    endpoint.release("third")
    assert endpoint.state.serving.split == ()
    assert endpoint.history[-1].numbers["withdrawn"] == "3"
    endpoint.tick_until(Phase.OBSERVING)
    fired(endpoint)
    assert endpoint.phase is Phase.ROLLED_BACK


def test_a_return_takes_its_place_too():
    endpoint = on_probation()
    revert(endpoint.ports, NAME, version="1", **BEN)
    assert endpoint.state.serving.split == ()
    assert endpoint.armed_for == "1"
