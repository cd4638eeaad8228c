"""What a rollback leaves on record, field by field, also where its champion is gone from Lambda."""

from dataclasses import replace
from datetime import timedelta

import pytest

from halftone.domain.audit import Author
from halftone.domain.endpoint import status
from halftone.domain.errors import ConcurrentWrite, Conflict, NotFound, Unavailable
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import UNRELEASED, Routing
from halftone.domain.traffic.policy import Mode
from halftone.service.rollouts.rollback import fence, finish, roll_back
from halftone.service.unit_of_work import ENGINE
from tests.support.engine import NAME, Endpoint

WORSE = {"author": Author("ann", "worse")}


@pytest.fixture
def grown():
    """m1, m2 and m3 served in turn, m4 is watched at 5 % as version 4."""
    endpoint = Endpoint()
    for model in ("m1", "m2", "m3"):
        endpoint.serve(model)
    endpoint.release("m4")
    endpoint.tick_until(Phase.OBSERVING)
    return endpoint


def lose(endpoint: Endpoint, *versions: str) -> None:
    endpoint.world.functions.deleted |= {(NAME, version) for version in versions}


def fenced(endpoint: Endpoint, **changes: object):
    state = endpoint.state
    return fence(endpoint.ports, state, state.rollout, **{**WORSE, **changes})


def test_the_fence_says_who_why_and_what_the_alarm_was(grown):
    state = fenced(grown, numbers={"alarm": "7 % over 5 %"})
    assert (state.rollout.phase, state.rollout.target) == (Phase.ROLLING_BACK, 0.0)
    assert (state.rollout.reason, state.rollout.promoting) == ("worse", False)
    assert [bar.version for bar in state.barred] == ["4"]
    record = grown.history[-1]
    assert (record.action, record.actor, record.reason) == ("fence", "ann", "worse")
    assert record.numbers == {"alarm": "7 % over 5 %"}


def test_a_superseded_challenger_is_not_barred(grown):
    assert fenced(grown, bars=False).barred == ()


@pytest.mark.parametrize(("target", "promoting"), [(100.0, True), (99.0, False), (5.0, False)])
def test_the_fence_remembers_the_way_to_all_traffic(grown, target, promoting):
    state = grown.state
    going = replace(state, rollout=replace(state.rollout, target=target))
    grown.world.store.states[NAME] = going
    assert fence(grown.ports, going, going.rollout, **WORSE).rollout.promoting is promoting


def test_what_is_confirmed_has_no_share_and_the_aliases_anchor(grown):
    state = grown.state
    mirrored = replace(state, rollout=replace(state.rollout, mirror=10.0))
    grown.world.store.states[NAME] = mirrored
    after = roll_back(grown.ports, NAME, **WORSE)
    assert (after.rollout.share, after.rollout.mirror) == (0.0, 0.0)
    assert after.rollout.phase is Phase.ROLLED_BACK
    assert after.anchor == grown.world.functions.both(NAME).anchor
    assert after.anchor != state.anchor
    record = grown.history[-1]
    assert (record.action, record.actor, record.numbers) == ("rolled-back", ENGINE, {"alias": "3"})


def test_without_a_fence_there_is_nothing_to_finish(grown):
    match = "the rollout of 'fraud' is not fenced"
    with pytest.raises(Conflict, match=match):
        finish(grown.ports, grown.state)
    with pytest.raises(Conflict, match=match):
        finish(grown.ports, replace(grown.state, rollout=None))


@pytest.mark.parametrize(("lost", "serves"), [(["3"], "2"), (["3", "2"], "1")])
def test_the_newest_champion_that_is_left_takes_the_place(grown, lost, serves):
    lose(grown, *lost)
    after = roll_back(grown.ports, NAME, **WORSE)
    gone = f"version 3 is gone from Lambda: version {serves} answers in its place"
    (record,) = [record for record in grown.history if record.action == "repaired"]
    assert (record.actor, record.reason) == (ENGINE, gone)
    assert record.numbers == {"gone": "3", "champion": serves}
    assert (after.rollout.champion, after.champion.version) == (serves, serves)
    assert after.rollout.reason == f"worse; {gone}"
    assert "3" not in [deployment.version for deployment in after.past or ()]
    assert [bar.version for bar in after.barred] == ["4"]
    assert serves in [place.version for place in after.placed]
    assert grown.alias == Routing(serves)


def test_without_any_champion_the_challenger_stays_unbarred(grown):
    barred = grown.state
    lose(grown, "1", "2", "3")
    after = roll_back(grown.ports, NAME, **WORSE)
    assert (after.champion.version, grown.alias) == ("4", Routing("4"))
    assert after.barred == barred.barred == ()
    assert "4" in [place.version for place in after.placed]
    (record,) = [record for record in grown.history if record.action == "repaired"]
    assert record.numbers == {"gone": "3", "champion": "4"}


def test_where_nothing_is_left_a_release_is_asked_for(grown):
    lose(grown, "1", "2", "3", "4")
    after = roll_back(grown.ports, NAME, **WORSE)
    assert (after.champion, after.past, grown.phase) == (None, (), Phase.ROLLED_BACK)
    assert (grown.alias, grown.challenger_alias) == (UNRELEASED, UNRELEASED)
    told = status.told(after)
    assert told.status is status.Status.FAILED
    assert told.message.startswith("nobody answers: version 3, the champion of 'fraud', is gone ")
    assert "release one" in told.message
    (record,) = [record for record in grown.history if record.action == "repaired"]
    assert record.numbers == {"gone": "3", "champion": None}


def test_a_missing_alias_is_no_missing_version(grown):
    """Lambda has the same error for both."""
    grown.world.functions.both = missing
    grown.world.functions.write = missing
    with pytest.raises(NotFound, match="the alias"):
        roll_back(grown.ports, NAME, **WORSE)
    assert "repaired" not in grown.actions


def missing(*_: object, **__: object) -> None:
    raise NotFound("the alias", NAME, "deploy it")


def test_a_write_that_misses_an_existing_version_is_told(grown):
    def write(*_: object, **__: object) -> None:
        raise NotFound("the version", "3", "release it")

    grown.world.functions.write = write
    with pytest.raises(NotFound, match="the version"):
        roll_back(grown.ports, NAME, **WORSE)
    assert "repaired" not in grown.actions


def test_the_state_that_the_caller_has_read_is_not_read_again(grown):
    state, loads = grown.state, []
    load = grown.world.store.load

    def counted(endpoint: str):
        loads.append(endpoint)
        return load(endpoint)

    grown.world.store.load = counted
    roll_back(grown.ports, NAME, seen=state, **WORSE)
    with_seen = len(loads)
    grown.release("m5", supersede=True)
    grown.tick_until(Phase.OBSERVING)
    loads.clear()
    roll_back(grown.ports, NAME, **WORSE)
    assert len(loads) == with_seen + 1


def test_an_endpoint_without_a_rollout_has_nothing_to_roll_back(grown):
    grown.world.store.states[NAME] = replace(grown.state, rollout=None)
    assert roll_back(grown.ports, NAME, **WORSE) is None


def test_a_record_that_others_keep_changing_is_told(grown):
    def race(change: object) -> None:
        raise ConcurrentWrite("the record of 'fraud' changed")

    grown.world.store.commit = race
    with pytest.raises(Unavailable, match="the record of 'fraud' changed: 10 times in a row"):
        roll_back(grown.ports, NAME, **WORSE)


@pytest.mark.parametrize("mode", Mode)
def test_without_the_table_only_what_was_meant_is_taken_back(mode):
    endpoint = Endpoint()
    endpoint.serve("m1")
    endpoint.serving(mode=mode)
    endpoint.release("m2")
    endpoint.tick_until(Phase.OBSERVING)
    state, fired = endpoint.state, endpoint.world.clock.now()

    def away(*_: object) -> None:
        raise Unavailable("the table is away")

    endpoint.world.store.commit = endpoint.world.store.load = away
    before = endpoint.alias, endpoint.challenger_alias
    for expected in ({"rollout": "fraud-another"}, {"fired_at": fired - timedelta(days=1)}):
        with pytest.raises(Unavailable):
            roll_back(endpoint.ports, NAME, **expected, **WORSE)
        assert (endpoint.alias, endpoint.challenger_alias) == before
    with pytest.raises(Unavailable):
        roll_back(endpoint.ports, NAME, rollout=state.rollout.id, fired_at=fired, **WORSE)
    assert endpoint.alias == Routing("1")
    assert endpoint.challenger_alias == Routing("1")
