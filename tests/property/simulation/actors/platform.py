"""Time, hands at consoles, backups: what happens to an endpoint from outside of Halftone."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

from halftone.domain.errors import Conflict
from halftone.domain.names import ALIAS, CHALLENGER, guardrail_name
from halftone.domain.rollout.evidence import BUCKET, Arm, Bucket, bucket_start
from halftone.domain.rollout.routing import Routing
from halftone.entrypoints.eventbridge import guardrail_alarm
from halftone.ports.guardrails import AlarmState, Guard
from tests.property.simulation.actors.actor import NOBODY, Actor, event, happens
from tests.property.simulation.reach import most
from tests.property.simulation.world import World
from tests.support.engine import NAME

QUARTER = 15 * 60.0 + 1.0


@event
def pass_by(world: World, seconds: float) -> None:
    """Time passes."""
    world.real.clock.pass_by(timedelta(seconds=seconds))
    world.ledger = world.ledger.later(world.real.clock.moment)


@event
def running_rollout(world: World) -> str | None:
    """The id of the rollout that a workflow runs for."""
    state = world.real.store.states.get(NAME)
    return state.active.id if state and state.active else None


@event
def token(world: World, secret: str) -> None:
    """A token was handed out."""
    world.note(tokens=world.ledger.tokens | {secret})


# Alarms -------------------------------------------------------------------------------------


@event
def alarm(world: World) -> datetime | None:
    """CloudWatch sees the version that it watches fail, if that one gets requests."""
    watched = world.real.guardrails.read(NAME)
    version = watched.armed_for or ""
    now = world.save()
    state = now.state
    scores = state and state.active and state.active.mirror and state.active.challenger == version
    if not most(now, version) and not scores:
        return None
    if watched.state is not AlarmState.ALARM:
        world.real.guardrails.trip(NAME, "errors above 5 %")
        world.note(fired_at=world.real.clock.now(), failed=world.ledger.failed | {version})
    return world.ledger.fired_at


@event
def alarm_ends(world: World) -> None:
    """The alarm is over by itself."""
    guard = world.real.guardrails.read(NAME)
    world.real.guardrails.guards[NAME] = replace(guard, state=AlarmState.OK, reason="below 5 %")


@event
def champion_alarm(world: World) -> datetime | None:
    """The champion fails, on a guardrail that still watches it."""
    state = world.real.store.states.get(NAME)
    guard = world.real.guardrails.read(NAME)
    if state is None or state.champion is None or guard.armed_for != state.champion.version:
        return None
    world.real.guardrails.trip(NAME, "errors above 5 %")
    failed = world.ledger.failed | {state.champion.version}
    world.note(fired_at=world.real.clock.now(), failed=failed)
    return world.ledger.fired_at


@event
def older_alarm(world: World) -> datetime:
    """An alarm from before the alarms watched what they watch now, delivered late."""
    return world.real.clock.now() - timedelta(hours=1)


@event
def composite_lags(world: World) -> datetime | None:
    """The composite alarm goes red for what its children said before they were armed anew.

    Answers what the event's reader takes for the moment.
    """
    guard = world.real.guardrails.read(NAME)
    if guard.state is AlarmState.ALARM:
        return None
    now = world.real.clock.now()
    child = {"value": "ALARM", "timestamp": (now - timedelta(hours=1)).isoformat()}
    data = {"triggeringAlarms": [{"arn": "arn:aws:alarm--errors-count", "state": child}]}
    state = {"value": "ALARM", "reasonData": json.dumps(data), "timestamp": now.isoformat()}
    event = {"detail": {"alarmName": guardrail_name("dev", NAME), "state": state}}
    return guardrail_alarm(event, "dev").fired_at


@event
def fired_at(world: World) -> datetime | None:
    """When an alarm last went off: for an event that is delivered once more."""
    return world.ledger.fired_at


@event
def alarms_rewritten(world: World) -> None:
    """A deploy puts the template's value back into all alarms."""
    world.real.guardrails.guards[NAME] = Guard(AlarmState.OK, "deployed", "none")


@event
def one_alarm_rewritten(world: World) -> None:
    """A deploy puts the template's value back into one alarm; the others stay as they are."""
    guard = world.real.guardrails.read(NAME)
    world.real.guardrails.guards[NAME] = replace(guard, armed_for=None)


# Hands ---------------------------------------------------------------------------------------


@event
def alias_written(world: World, version: str, alias: str) -> None:
    """Somebody points an alias at a version, past the engine."""
    functions = world.real.functions
    if functions.has(NAME, version):  # type: ignore[attr-defined]
        functions.write(NAME, Routing(version), revision=None, alias=alias)
        world.note(by_hand=True)


@event
def deleted_in_lambda(world: World, version: str) -> None:
    """Somebody deletes a version at the console; Lambda refuses where an alias points at it."""
    try:
        world.real.functions.delete(NAME, version)
    except Conflict:
        return


@event
def table_restored(world: World) -> None:
    """The table is what it was yesterday."""
    if world.yesterday is not None:
        world.put_table_back(world.yesterday)
        world.note(restored=True)
        dispatch = world.real.store.dispatches.get(NAME)
        world.ledger = world.ledger.written(dispatch, world.real.clock.moment)


# Metrics -------------------------------------------------------------------------------------


def _from_now(world: World, challenger: Arm | None, champion: Arm | None) -> None:
    counted = world.real.metrics.counted
    since = bucket_start(world.real.clock.moment)
    counted[NAME] = [
        Bucket(b.start, challenger or b.challenger, champion or b.champion)
        if b.start >= since
        else b
        for b in counted[NAME]
    ]


@event
def turns_bad(world: World) -> None:
    """From now on half of the challenger's answers are errors."""
    _from_now(world, Arm(requests=2000, errors=1000, timed=2000), None)


@event
def gets_nothing(world: World) -> None:
    """From now on nine of ten requests that the challenger was due are lost."""
    _from_now(world, Arm(requests=100, timed=100), Arm(requests=3900, timed=3900))


@event
def falls_silent(world: World) -> None:
    """From now on nobody asks."""
    _from_now(world, Arm(), Arm())


def _last(world: World, challenger: Arm) -> None:
    counted = world.real.metrics.counted
    since = bucket_start(world.real.clock.moment)
    counted[NAME] = [
        Bucket(b.start, challenger, b.champion) if b.start == since else b for b in counted[NAME]
    ]


@event
def half_counted(world: World) -> None:
    """CloudWatch has counted half of this bucket so far."""
    _last(world, Arm(requests=1000, timed=1000))
    world.note(revised=True)


@event
def recounted(world: World) -> None:
    """CloudWatch has counted all of the bucket before this one."""
    counted = world.real.metrics.counted
    before = bucket_start(world.real.clock.moment) - BUCKET
    counted[NAME] = [
        Bucket(b.start, Arm(requests=2000, timed=2000), b.champion) if b.start == before else b
        for b in counted[NAME]
    ]


@event
def impossible(world: World) -> None:
    """More errors than requests, and more late than timed, as revised counts can say."""
    _last(world, Arm(requests=10, errors=12, timed=10, late=11))


ROLLING = frozenset({"watched", "passing on", "at the gate", "scored"})
ACTORS = (
    Actor("ten seconds", "time", NOBODY, (happens("pass_by", 10.0),)),
    Actor("a quarter of an hour", "time", NOBODY, (happens("pass_by", QUARTER),)),
    Actor("hand points live at 1", "hand", NOBODY, (happens("alias_written", "1", ALIAS),)),
    Actor("hand points live at 2", "hand", NOBODY, (happens("alias_written", "2", ALIAS),)),
    Actor("hand points challenger at 1", "hand", NOBODY,
          (happens("alias_written", "1", CHALLENGER),), ROLLING | {"beside", "returned"}),
    Actor("table restored", "backup", NOBODY, (happens("table_restored"),)),
)  # fmt: skip
