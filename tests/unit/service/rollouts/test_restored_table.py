"""A table that was restored to an earlier day: noticed, nothing written, and a person asked."""

import copy
from dataclasses import replace

import pytest

from halftone.domain.audit import Author
from halftone.domain.errors import Conflict, RecordRestored, Unavailable
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import Routing
from halftone.domain.traffic.policy import Mode
from halftone.service.endpoints import policy
from halftone.service.releases.revert import revert
from halftone.service.rollouts.adopt import Keep, adopt
from halftone.service.rollouts.alarm import on_alarm
from tests.support.engine import NAME, Endpoint

BEN = {"author": Author("ben", "the table was restored")}


class Backup:
    """What the table held at one moment."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.kept = copy.deepcopy(vars(endpoint.world.store))

    def restore(self) -> None:
        vars(self.endpoint.world.store).update(copy.deepcopy(self.kept))


@pytest.fixture
def restored() -> Endpoint:
    """Version 3 serves; the table is that of when 2 did."""
    endpoint = Endpoint()
    endpoint.serve("m1")
    endpoint.serve("m2")
    endpoint.serving(mode=Mode.GUARDED)
    backup = Backup(endpoint)
    endpoint.serve("m3")
    backup.restore()
    return endpoint


def test_no_tick_moves_anything_and_each_says_why(restored):
    for _ in range(3):
        tick = restored.tick()
        assert tick.reason.startswith("the record of 'fraud' is at revision")
        assert (restored.alias, restored.champion) == (Routing("3"), "2")
    assert restored.actions.count("record-restored") == 1
    assert restored.state.restored == tick.reason


def test_that_it_was_noticed_is_not_forgotten(restored):
    restored.tick()
    for share in (10, 20, 30, 40):
        policy.set_capture(restored.ports, NAME, share, **BEN)
    restored.tick()
    assert restored.alias == Routing("3")


def test_nor_is_it_overlooked_when_the_record_has_grown(restored):
    """The number alone tells nothing: what was written then is not in this record's audit."""
    for share in range(10, 100, 5):
        policy.set_capture(restored.ports, NAME, share, **BEN)
    restored.tick()
    assert (restored.alias, bool(restored.state.restored)) == (Routing("3"), True)


def test_no_person_goes_back_and_no_release_is_given_traffic(restored):
    with pytest.raises(RecordRestored):
        revert(restored.ports, NAME, version=None, **BEN)
    restored.release("m4", "m4 by ann")
    for _ in range(5):
        restored.tick()
    assert (restored.alias, restored.phase) == (Routing("3"), Phase.PREPARING)


def test_no_route_leads_to_anybody_but_the_front(restored):
    policy.set_traffic(restored.ports, NAME, {"1": 30, "champion": 70}, **BEN)
    restored.tick()
    assert restored.dispatch.serving.split == ()


def test_an_alarm_of_that_days_rollout_takes_nothing():
    endpoint = Endpoint()
    endpoint.serve("m1")
    endpoint.release("m2")
    endpoint.tick_until(Phase.OBSERVING)
    backup = Backup(endpoint)
    endpoint.serve("m3")
    backup.restore()
    now = endpoint.world.clock.now()
    with pytest.raises(RecordRestored):
        on_alarm(endpoint.ports, NAME, author=Author("alarm/x", "errors"), fired_at=now)
    assert endpoint.alias == Routing("3")


@pytest.mark.parametrize(("keep", "serves"), [(Keep.ALIASES, "3"), (Keep.RECORD, "2")])
@pytest.mark.parametrize("noticed", [True, False])
def test_a_person_says_which_holds(restored, keep, serves, noticed):
    if noticed:
        restored.tick()
    state = adopt(restored.ports, NAME, keep, **BEN)
    assert (state.champion.version, restored.alias) == (serves, Routing(serves))
    assert restored.challenger_alias == Routing(serves)
    assert restored.actions[-1] == "adopted"
    before = restored.state
    restored.tick()
    assert (restored.state, restored.alias) == (before, Routing(serves))
    restored.serve("m5")
    assert restored.champion == "4"


def test_what_was_published_since_is_known_by_what_it_loads(restored):
    state = adopt(restored.ports, NAME, Keep.ALIASES, **BEN)
    assert state.champion.package.name == "m3"
    assert state.champion in restored.world.store.deployments(NAME)


def test_a_rollout_of_that_day_ends(restored):
    restored.release("m4", "m4 by ann")
    restored.tick()
    state = adopt(restored.ports, NAME, Keep.ALIASES, **BEN)
    assert state.rollout.phase is Phase.ROLLED_BACK
    assert state.champion.version == "3"


@pytest.mark.parametrize("keep", Keep)
def test_a_try_that_dies_on_its_way_is_done_again(restored, keep):
    functions = restored.world.functions
    write = functions.write

    def dies(*given, alias="live", **named):
        if alias != "live":
            raise Unavailable("Lambda is out")
        return write(*given, alias=alias, **named)

    functions.write = dies
    with pytest.raises(Unavailable):
        adopt(restored.ports, NAME, keep, **BEN)
    functions.write = write
    restored.tick()
    assert restored.state.restored
    adopt(restored.ports, NAME, keep, **BEN)
    assert restored.state.restored == ""
    assert restored.alias == restored.challenger_alias == Routing(restored.champion)


def test_where_nothing_was_restored_there_is_nothing_to_say():
    endpoint = Endpoint()
    endpoint.serve("m1")
    with pytest.raises(Conflict, match="is not older than its aliases"):
        adopt(endpoint.ports, NAME, Keep.RECORD, **BEN)


def test_aliases_of_an_earlier_release_say_nothing():
    endpoint = Endpoint()
    endpoint.serve("m1")
    functions = endpoint.world.functions
    functions.anchors.clear()
    challenger = functions.challengers[NAME]
    functions.challengers[NAME] = replace(challenger, anchor=None)
    endpoint.tick()
    assert (endpoint.state.restored, endpoint.alias) == ("", Routing("1"))
