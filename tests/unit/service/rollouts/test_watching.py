"""The alarms: armed by the reconciler alone, after the record says so and before a share comes."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

import halftone.service
from halftone.domain.audit import Author
from halftone.domain.errors import ConcurrentWrite, Conflict, PreconditionFailed, Unavailable
from halftone.domain.names import CHALLENGER
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import Routing
from halftone.ports.guardrails import AlarmState, Guard
from halftone.service.endpoints import policy
from halftone.service.rollouts.alarm import on_alarm
from halftone.service.rollouts.rollback import roll_back
from halftone.testing import MemoryStore
from tests.support.engine import NAME
from tests.support.serving import BEN, guarded

GREEN = {"champion": 90, "green": 10}
SERVICE = Path(halftone.service.__file__).parent


@pytest.mark.parametrize("call", [r"aliases\.write", r"guardrails\.arm", r"\.overwrite\("])
def test_nobody_but_the_reconciler_writes_aliases_or_arms(call):
    callers = [p.name for p in SERVICE.rglob("*.py") if re.search(call, p.read_text())]
    assert set(callers) <= {"reconcile.py"}


def refused(endpoint):
    with pytest.raises(Conflict):
        policy.set_traffic(endpoint.ports, NAME, GREEN, **BEN)


def outdated(endpoint):
    with pytest.raises(PreconditionFailed):
        policy.set_traffic(endpoint.ports, NAME, GREEN, author=BEN["author"].at(1))


def overtaken(endpoint):
    class Overtaken(MemoryStore):
        def commit(self, change):
            raise ConcurrentWrite("somebody else wrote first")

    store = Overtaken()
    vars(store).update(vars(endpoint.world.store))
    ports = replace(endpoint.ports, store=store)
    with pytest.raises(Unavailable):
        policy.set_traffic(ports, NAME, {"champion": 90, "blue": 10}, **BEN)


@pytest.mark.parametrize("change", [refused, outdated, overtaken])
@pytest.mark.parametrize("red", [True, False])
def test_a_change_that_is_not_written_touches_no_alarm(change, red):
    endpoint = guarded()
    endpoint.release("third")
    endpoint.tick_until(Phase.OBSERVING)
    if red:
        endpoint.trip("errors above 5 %")
    before = endpoint.world.guardrails.read(NAME)
    change(endpoint)
    assert endpoint.world.guardrails.read(NAME) == before
    endpoint.tick()
    assert endpoint.phase is (Phase.ROLLED_BACK if red else Phase.OBSERVING)


class Unarmed:
    """Alarms that can't be armed, and an engine that dies there."""

    def __init__(self, real) -> None:
        self.real = real

    def read(self, endpoint):
        return self.real.read(endpoint)

    def arm(self, *_, **__):
        raise Unavailable("CloudWatch is out")


def test_what_is_intended_is_not_routed_before_it_is_watched():
    endpoint = guarded()
    ports = replace(endpoint.ports, guardrails=Unarmed(endpoint.world.guardrails))
    with pytest.raises(Unavailable):
        policy.set_traffic(ports, NAME, GREEN, **BEN)
    assert [portion.version for portion in endpoint.state.serving.split] == ["3"]
    assert endpoint.dispatch.serving.split == ()
    assert endpoint.challenger_alias == Routing("2")
    endpoint.tick()
    assert [portion.version for portion in endpoint.dispatch.serving.split] == ["3"]
    guard = endpoint.world.guardrails.read(NAME)
    assert (guard.armed_for, guard.alias) == ("3", CHALLENGER)
    assert (endpoint.challenger_alias, endpoint.actions[-1]) == (Routing("3"), "armed")


def test_a_share_taken_away_by_a_person_leaves_the_alias_too():
    endpoint = guarded()
    policy.set_traffic(endpoint.ports, NAME, GREEN, **BEN)
    policy.set_traffic(endpoint.ports, NAME, {"champion": 100}, **BEN)
    assert endpoint.challenger_alias == Routing("2")
    assert endpoint.state.barred == ()
    policy.set_traffic(endpoint.ports, NAME, GREEN, **BEN)
    assert endpoint.challenger_alias == Routing("3")


@pytest.mark.parametrize("watching", ["none", None, "2"])
def test_a_red_state_over_which_somebody_wrote_counts(watching):
    endpoint = guarded()
    endpoint.release("third")
    endpoint.tick_until(Phase.OBSERVING)
    red = Guard(AlarmState.ALARM, "errors above 5 %", watching)
    endpoint.world.guardrails.guards[NAME] = red
    endpoint.tick()
    assert endpoint.phase is Phase.ROLLED_BACK
    assert "errors above 5 % (red as it was found" in endpoint.rollout.reason


@pytest.mark.parametrize("watching", ["none", None])
def test_so_it_does_for_a_deployment_on_probation(watching):
    endpoint = guarded()
    policy.set_traffic(endpoint.ports, NAME, GREEN, **BEN)
    red = Guard(AlarmState.ALARM, "errors above 5 %", watching)
    endpoint.world.guardrails.guards[NAME] = red
    endpoint.tick()
    assert endpoint.state.serving.split == ()
    assert endpoint.state.bar_of("3").reason == "guardrail in alarm: errors above 5 %"


WORDS = "errors-rate: Threshold Crossed: 2 out of the last 2 datapoints were greater than 0.05"


@pytest.mark.parametrize("way", ["tick of a rollout", "tick on probation", "event", "event, late"])
def test_what_cloudwatch_says_of_an_alarm_is_on_record(way):
    endpoint = guarded()
    if way in ("tick on probation", "event, late"):
        policy.set_traffic(endpoint.ports, NAME, GREEN, **BEN)
    else:
        endpoint.release("third")
        endpoint.tick_until(Phase.OBSERVING)
    if way.startswith("tick"):
        red = endpoint.world.guardrails.read(NAME)
        red = replace(
            red, state=AlarmState.ALARM, reason="errors-rate: 0.4 over 0.05", detail=WORDS
        )
        endpoint.world.guardrails.guards[NAME] = red
        endpoint.tick()
    else:
        now = endpoint.world.clock.now()
        reason = "guardrail in alarm: errors-rate: 0.4 over 0.05"
        alarm = {"author": Author("alarm/guardrail", reason), "detail": WORDS}
        on_alarm(endpoint.ports, NAME, fired_at=now, **alarm)
    [record] = [each for each in endpoint.history if "alarm" in each.numbers]
    assert record.action in ("fence", "withdrawn")
    assert record.reason == "guardrail in alarm: errors-rate: 0.4 over 0.05"
    assert record.numbers["alarm"] == WORDS


class Silent(MemoryStore):
    """A table that can't be read."""

    def load(self, endpoint):
        raise Unavailable("the table is throttled")


def without_table(endpoint):
    return replace(endpoint.ports, store=Silent())


def test_a_late_event_takes_nothing_without_the_table():
    endpoint = guarded()
    endpoint.serving(mode=type(endpoint.state.serving.mode)("weighted"))
    endpoint.world.clock.pass_by(timedelta(minutes=1))
    endpoint.release("third")
    endpoint.tick_until(Phase.OBSERVING)
    before, now = endpoint.alias, endpoint.world.clock.now()
    named = {"author": Author("alarm/x", "errors")}
    for late in (timedelta(seconds=1), timedelta(hours=1)):
        with pytest.raises(Unavailable):
            on_alarm(without_table(endpoint), NAME, fired_at=now - late, **named)
    with pytest.raises(Unavailable):
        roll_back(without_table(endpoint), NAME, rollout="fraud-another", **named)
    assert endpoint.alias == before
    with pytest.raises(Unavailable):
        on_alarm(without_table(endpoint), NAME, fired_at=now, **named)
    assert endpoint.alias == Routing("2")
    endpoint.tick()
    assert endpoint.phase is Phase.ROLLED_BACK
