"""Back to the champion: from every phase, by everyone who may ask, with or without the table."""

from dataclasses import replace

import pytest

from halftone.domain.audit import Author
from halftone.domain.errors import ConcurrentWrite, Conflict, NotFound, Unavailable
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import Routing
from halftone.service.releases.revert import revert
from halftone.service.rollouts import operate
from halftone.service.rollouts.rollback import fence, finish, roll_back
from halftone.testing import MemoryStore
from tests.support.engine import ALL_AT_ONCE, NAME, Endpoint
from tests.support.operations import say
from tests.support.rollouts import MINUTE


@pytest.fixture
def endpoint():
    """m1 serves as version 1."""
    endpoint = Endpoint()
    endpoint.serve("m1")
    return endpoint


@pytest.fixture
def watched(endpoint):
    """m2 is watched at 5 % as version 2."""
    endpoint.release("m2")
    endpoint.tick_until(Phase.OBSERVING)
    return endpoint


@pytest.fixture
def grown():
    """m1, m2 and m3 served in turn; m3 serves as version 3."""
    endpoint = Endpoint()
    for model in ("m1", "m2", "m3"):
        endpoint.serve(model)
    return endpoint


def back(endpoint, **changes):
    body = {"author": Author("ann", "clients complain"), **changes}
    return roll_back(endpoint.ports, NAME, **body)


def test_the_record_says_who_and_why(watched):
    back(watched)
    assert watched.alias == Routing("1")
    fence, confirmed = watched.history[-2:]
    assert (fence.action, fence.actor, fence.reason) == ("fence", "ann", "clients complain")
    assert (confirmed.action, confirmed.numbers) == ("rolled-back", {"alias": "1"})
    assert watched.rollout.reason == "clients complain"


@pytest.mark.parametrize("phase", [Phase.AWAITING_APPROVAL, Phase.PAUSED])
def test_a_rollout_that_nobody_moves_can_still_be_taken_back(watched, phase):
    state = watched.state
    stopped = replace(state, rollout=state.rollout.to(phase))
    watched.world.store.states[NAME] = stopped
    back(watched)
    assert watched.phase is Phase.ROLLED_BACK
    assert watched.alias == Routing("1")


def test_a_state_that_was_read_too_long_ago_is_read_again(watched):
    old = watched.state
    say(operate.pause, watched)
    back(watched, seen=old)
    assert watched.phase is Phase.ROLLED_BACK
    assert watched.actions[-3:] == ["paused", "fence", "rolled-back"]
    assert watched.rollout.reason == "clients complain"


def test_asking_again_changes_nothing(watched):
    back(watched)
    before = watched.state
    assert back(watched) is None
    assert watched.state == before


def test_there_is_nothing_to_roll_back_where_nothing_rolls_out(endpoint):
    assert back(endpoint) is None
    assert back(Endpoint()) is None


def test_only_the_rollout_that_was_meant_is_taken_back(watched):
    assert back(watched, rollout="fraud-another") is None
    assert watched.phase is Phase.OBSERVING


class TestAlarms:
    """CloudWatch says when a guardrail went into alarm, and may say so late, or twice."""

    def alarm(self, endpoint, at):
        return back(endpoint, author=Author("alarm/g", "7 % over 5 %"), fired_at=at)

    def test_an_alarm_ends_the_rollout(self, watched):
        watched.world.clock.pass_by(MINUTE)
        self.alarm(watched, watched.world.clock.now())
        assert watched.phase is Phase.ROLLED_BACK
        assert watched.history[-2].actor == "alarm/g"
        assert watched.rollout.reason == "7 % over 5 %"

    @pytest.mark.parametrize("phase", [p for p in Phase if not p.final])
    def test_an_alarm_ends_it_in_every_phase_that_is_not_final(self, watched, phase):
        state = watched.state
        stands = replace(state, rollout=replace(state.rollout, phase=phase))
        watched.world.store.states[NAME] = stands
        self.alarm(watched, watched.world.clock.now())
        assert (watched.phase, watched.alias) == (Phase.ROLLED_BACK, Routing("1"))
        assert watched.actions[-1] == "rolled-back"

    def test_the_same_alarm_again_does_not_end_the_next_rollout(self, watched):
        fired = watched.world.clock.now()
        self.alarm(watched, fired)
        watched.world.clock.pass_by(MINUTE)
        watched.release("m3")
        watched.tick_until(Phase.OBSERVING)
        assert self.alarm(watched, fired) is None
        assert watched.alias == Routing("1", "3", 5.0)

    def test_an_alarm_about_the_challenger_before_ends_no_rollout(self, watched):
        watched.release("m3")
        watched.world.clock.pass_by(MINUTE)
        assert self.alarm(watched, watched.world.clock.now()) is None
        assert watched.phase is Phase.PREPARING

    def test_nor_one_delivered_after_the_alarms_were_armed_anew(self, watched):
        watched.release("m3")
        watched.world.clock.pass_by(MINUTE)
        fired = watched.world.clock.now()
        watched.world.clock.pass_by(MINUTE)
        watched.tick_until(Phase.OBSERVING)
        assert self.alarm(watched, fired) is None
        assert watched.alias == Routing("1", "3", 5.0)


class Outage(MemoryStore):
    """A table that does not answer, until it does."""

    def __init__(self, world_store: MemoryStore, *, times: int) -> None:
        vars(self).update(vars(world_store))
        self.times = times

    def load(self, endpoint):
        """See the port."""
        if self.times:
            self.times -= 1
            raise Unavailable("the table does not answer")
        return super().load(endpoint)


def test_while_the_table_is_out_the_alias_goes_first(watched):
    ports = replace(watched.ports, store=Outage(watched.world.store, times=99))
    with pytest.raises(Unavailable):
        roll_back(ports, NAME, author=Author("ann", "clients complain"))
    assert watched.alias == Routing("1")
    assert watched.phase is Phase.OBSERVING
    # The table is back: the next tick sees that somebody took the traffic, and records it.
    watched.tick()
    assert watched.phase is Phase.ROLLED_BACK
    assert "taken back outside the engine" in watched.rollout.reason


def test_the_record_follows_and_tells_of_the_gap(watched):
    ports = replace(watched.ports, store=Outage(watched.world.store, times=1))
    roll_back(ports, NAME, author=Author("ann", "clients complain"))
    assert watched.phase is Phase.ROLLED_BACK
    assert watched.rollout.reason == (
        "clients complain (the alias went first, the record followed: the table does not answer)"
    )


def test_without_a_split_there_is_nothing_that_could_go_first(endpoint):
    ports = replace(endpoint.ports, store=Outage(endpoint.world.store, times=99))
    with pytest.raises(Unavailable):
        roll_back(ports, NAME, author=Author("ann", "clients complain"))
    assert endpoint.alias == Routing("1")


class TestChangedByHand:
    """Somebody wrote the alias past the engine."""

    def write(self, endpoint, routing):
        endpoint.world.functions.write(NAME, routing, revision=None)

    @pytest.mark.parametrize("routing", [Routing("1"), Routing("1", "2", 1.0), Routing("7")])
    def test_traffic_taken_from_the_challenger_ends_the_rollout(self, watched, routing):
        self.write(watched, routing)
        watched.tick()
        assert watched.phase is Phase.ROLLED_BACK
        assert watched.alias == Routing("1")

    def test_so_does_another_version_while_one_is_prepared(self, endpoint):
        endpoint.release("m2")
        endpoint.tick()
        self.write(endpoint, Routing("7"))
        endpoint.tick()
        assert endpoint.phase is Phase.ROLLED_BACK
        assert endpoint.alias == Routing("1")

    @pytest.mark.parametrize("routing", [Routing("2"), Routing("1", "2", 50.0)])
    def test_traffic_given_to_the_challenger_is_taken_back(self, watched, routing):
        self.write(watched, routing)
        watched.tick()
        assert watched.phase is Phase.OBSERVING
        assert watched.alias == Routing("1", "2", 5.0)
        assert watched.actions[-1] == "repaired"

    def test_after_a_rollout_a_champion_put_back_is_recorded(self, grown):
        self.write(grown, Routing("2"))
        grown.tick()
        assert grown.alias == Routing("2")
        assert grown.champion == "2"
        assert grown.actions[-2:] == ["adopted", "repaired"], "the challenger's alias follows"
        assert grown.challenger_alias == Routing("2")

    @pytest.mark.parametrize("routing", [Routing("9"), Routing("3", "2", 10.0), Routing("$LATEST")])
    def test_after_a_rollout_anything_else_is_set_right(self, grown, routing):
        self.write(grown, routing)
        grown.tick()
        assert grown.alias == Routing("3")
        assert grown.champion == "3"
        assert grown.actions[-1] == "repaired"

    def test_where_record_and_alias_agree_nothing_changes(self, grown):
        before = grown.state
        assert grown.tick().done
        assert grown.state == before


class TestReturning:
    """Making an earlier version the champion again."""

    def to(self, endpoint, version=None):
        return revert(endpoint.ports, NAME, version=version, author=Author("ann", "m3 drifts"))

    @pytest.mark.parametrize(("version", "expected"), [(None, "2"), ("2", "2"), ("1", "1")])
    def test_an_earlier_version_takes_all_traffic_at_once(self, grown, version, expected):
        state = self.to(grown, version)
        assert grown.alias == Routing(expected)
        assert state.champion.version == expected
        assert grown.armed_for == expected
        assert grown.actions[-2:] == ["return", "rolled-back"]

    def test_what_was_taken_back_does_not_return(self, grown):
        self.to(grown, "1")
        with pytest.raises(
            Conflict, match=r"version 3 .* was taken back \(m3 drifts\): release its"
        ):
            self.to(grown, "3")
        assert grown.alias == Routing("1")

    def test_without_a_version_it_goes_back_in_time_not_numbers(self, watched):
        """1, 2, back to 1, then 3: before 3 served 1, and 2 was taken back."""
        say(operate.promote, watched)
        watched.tick_until(Phase.PROMOTED)
        self.to(watched)
        watched.serve("m4")
        assert self.to(watched).champion.version == "1"

    def test_it_skips_what_was_taken_back(self, grown):
        self.to(grown)
        grown.serve("m4")
        assert self.to(grown).champion.version == "2"
        assert self.to(grown).champion.version == "1"
        with pytest.raises(Conflict, match="all others were taken back"):
            self.to(grown)

    def test_a_rollout_under_way_is_all_there_is_to_take_back(self, watched):
        self.to(watched)
        assert watched.alias == Routing("1")
        assert watched.actions[-2:] == ["fence", "rolled-back"]

    def test_so_it_is_when_its_champion_is_named(self, watched):
        assert self.to(watched, "1").champion.version == "1"
        assert watched.alias == Routing("1")

    def test_with_a_rollout_an_earlier_version_can_be_named(self, grown):
        grown.release("m4")
        grown.tick_until(Phase.OBSERVING)
        self.to(grown, "1")
        assert grown.alias == Routing("1")
        assert grown.champion == "1"

    def test_what_can_not_be_returned_to_is_refused_with_what_can(self, grown):
        with pytest.raises(NotFound, match="no version '9'; 'fraud' was served by 1, 2, 3"):
            self.to(grown, "9")
        with pytest.raises(Conflict, match="version 3 serves 'fraud' already"):
            self.to(grown, "3")
        with pytest.raises(NotFound, match="no endpoint 'fraud'"):
            self.to(Endpoint())
        self.to(grown)
        self.to(grown)
        with pytest.raises(Conflict, match="version 1 is the first"):
            self.to(grown)

    @pytest.mark.parametrize("version", ["4", "9"])
    def test_a_version_that_is_none_does_not_end_the_rollout(self, grown, version):
        """A slip of the pen is refused, and changes nothing."""
        grown.release("m4")
        grown.tick_until(Phase.OBSERVING)
        before = grown.state
        with pytest.raises(NotFound, match=f"no version '{version}'; 'fraud' was served by 1, 2"):
            self.to(grown, version)
        assert grown.state == before

    def test_nor_does_one_during_the_first_release(self):
        endpoint = Endpoint()
        endpoint.release("m1")
        with pytest.raises(Conflict, match="serves no version"):
            self.to(endpoint, "1")
        assert endpoint.phase is Phase.PREPARING

    def test_where_that_can_not_be_read_the_rollout_ends_first(self, grown):
        grown.release("m4")
        grown.tick_until(Phase.OBSERVING)
        grown.world.functions.status = _out
        with pytest.raises(Unavailable):
            self.to(grown, "1")
        assert (grown.phase, grown.alias) == (Phase.ROLLED_BACK, Routing("3"))

    def test_a_version_that_never_served_is_no_place_to_return_to(self, watched):
        back(watched)
        watched.release("m3", plan=ALL_AT_ONCE)
        watched.tick_until(Phase.PROMOTED)
        with pytest.raises(Conflict, match="version 2 of 'fraud' was taken back"):
            self.to(watched, "2")
        self.to(watched)
        assert watched.alias == Routing("1")

    def test_what_was_returned_from_can_be_released_again(self, grown):
        self.to(grown)
        rollout = grown.release("m3", "once more")
        assert rollout.champion == "2"

    def test_an_endpoint_without_a_champion_has_nothing_to_return(self):
        endpoint = Endpoint()
        endpoint.offer("broken", {"statusCode": 500})
        endpoint.release("broken")
        endpoint.tick_until(Phase.FAILED)
        with pytest.raises(Conflict, match="serves no version: there is nothing to return from"):
            self.to(endpoint)


class Overtaken(MemoryStore):
    """A store on which something happens right before a rollback is confirmed."""

    def __init__(self, world_store: MemoryStore, meanwhile) -> None:
        vars(self).update(vars(world_store))
        self.meanwhile = meanwhile

    def commit(self, change):
        """See the port."""
        if change.record.action == "rolled-back" and self.meanwhile:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        super().commit(change)


def test_a_rollback_keeps_to_the_rollout_that_it_fenced(watched):
    def meanwhile():
        watched.tick()
        watched.release("m3")

    ports = replace(watched.ports, store=Overtaken(watched.world.store, meanwhile))
    state = roll_back(ports, NAME, author=Author("ann", "clients complain"))
    assert state.rollout.package.name == "m3"
    assert watched.phase is Phase.PREPARING


class TestHeldUp:
    """A rollback that stood still between its fence and its alias write."""

    def fenced(self, watched):
        state = watched.state
        return fence(watched.ports, state, state.rollout, author=Author("ann", "clients complain"))

    def test_an_advance_that_landed_meanwhile_is_undone(self, watched):
        fenced = self.fenced(watched)
        revision = watched.world.functions.read(NAME).revision
        watched.world.functions.write(NAME, Routing("1", "2", 50.0), revision=revision)
        finish(watched.ports, fenced)
        assert watched.alias == Routing("1")
        assert watched.phase is Phase.ROLLED_BACK

    def test_what_was_released_after_it_is_left_alone(self, watched):
        fenced = self.fenced(watched)
        watched.tick()
        assert watched.phase is Phase.ROLLED_BACK
        watched.serve("m3")
        with pytest.raises(ConcurrentWrite, match="was rolled back by somebody else"):
            finish(watched.ports, fenced)
        assert watched.alias == Routing("3")

    def test_with_a_known_revision_the_share_is_0_after_three_calls(self, watched):
        calls = []
        roll_back(counting(watched.ports, calls), NAME, author=Author("ann", "clients complain"))
        assert calls[:3] == ["store.load", "store.commit", "aliases.write"]


def counting(ports, calls):
    """The parts, with each call of the store and of the aliases noted."""

    class Counted:
        def __init__(self, name, part):
            self.name, self.part = name, part

        def __getattr__(self, method):
            def call(*args, **kwargs):
                calls.append(f"{self.name}.{method}")
                return getattr(self.part, method)(*args, **kwargs)

            return call

    return replace(
        ports, store=Counted("store", ports.store), aliases=Counted("aliases", ports.aliases)
    )


def _out(*_):
    raise Unavailable("the table is out")
