"""What the record says of the world is what was read there: of an alarm, and of all traffic."""

from dataclasses import replace

import pytest

from halftone.domain.names import ALIAS
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import Routing
from halftone.service.rollouts import operate
from halftone.service.rollouts.advance import advance
from halftone.testing import MemoryLambda
from tests.support.engine import EVERY, FAILING, NAME
from tests.support.operations import grow, say
from tests.support.rollouts import MINUTE


class TestAChampionInAlarm:
    """Its red alarm does not block the release that mends it: it is told, and on record."""

    @pytest.fixture
    def mended(self, endpoint):
        """Version 1 is in alarm, and m2 is admitted as version 2."""
        endpoint.trip("errors-rate: 40 % over 5 %")
        endpoint.release("m2")
        endpoint.tick_until(Phase.OBSERVING)
        return endpoint

    def test_the_record_tells_whose_it_was_and_why(self, mended):
        admitted = next(r for r in reversed(mended.history) if r.action == "admitted")
        assert admitted.reason.endswith(
            "; the guardrail was in alarm for the champion, version 1: errors-rate: 40 % over 5 %"
        )
        assert admitted.numbers["guardrail"] == {"was": "ALARM", "armed_for": "1"}

    def test_the_release_goes_out_beside_a_champion_that_fails(self, mended):
        assert (mended.armed_for, mended.alarmed) == ("2", False)
        mended.traffic(2 * MINUTE, champion=FAILING)
        mended.tick()
        assert mended.alias == Routing("1", "2", 50.0)

    def test_the_alarm_of_a_challenger_before_is_told_as_its_own(self, watched):
        watched.trip("late")
        watched.tick()
        watched.trip("late")
        watched.release("m3")
        watched.tick_until(Phase.OBSERVING)
        admitted = next(r for r in reversed(watched.history) if r.action == "admitted")
        assert admitted.reason.endswith("; the guardrail was in alarm for version 2: late")

    def test_where_nothing_was_red_nothing_is_told(self, watched):
        admitted = next(r for r in reversed(watched.history) if r.action == "admitted")
        assert admitted.reason == "version 2 answered its samples (1), alarms armed for it"
        assert admitted.numbers["guardrail"] == {"was": "OK", "armed_for": "1"}


class Deaf(MemoryLambda):
    """An alias that takes writes, and stays as it is."""

    def __init__(self, real: MemoryLambda) -> None:
        vars(self).update(vars(real))

    def write(self, endpoint, routing, *, revision, alias=ALIAS, anchor=None):
        """See the port."""
        return self.read(endpoint, alias).revision


class TestPromoted:
    """A success is only what the alias itself reads."""

    def test_it_is_not_while_the_alias_does_not_read_so(self, watched):
        say(operate.promote, watched)
        deaf = replace(watched.ports, aliases=Deaf(watched.world.functions))
        tick = advance(deaf, NAME, None, every=EVERY)
        assert (tick.done, watched.phase) == (False, Phase.SHIFTING)
        assert watched.champion == "1"

    def test_it_is_once_it_does(self, watched):
        say(operate.promote, watched)
        watched.tick()
        assert (watched.phase, watched.alias, watched.champion) == (
            Phase.PROMOTED, Routing("2"), "2",
        )  # fmt: skip
        assert watched.history[-1].reason == "the alias reads 100 %"

    def test_it_is_not_over_an_alarm_that_came_after_a_tick_died(self, watched):
        """The tick died between the alias and the record, and the alarm's event was lost."""
        say(operate.promote, watched)
        watched.world.functions.write(NAME, Routing("2"), revision=None)
        watched.trip("errors above 5 %")
        watched.tick()
        assert (watched.phase, watched.alias, watched.champion) == (
            Phase.ROLLED_BACK, Routing("1"), "1",
        )  # fmt: skip

    @pytest.mark.parametrize("deaf_from", [Phase.OBSERVING, Phase.BAKING])
    def test_no_stage_is_taken_for_reached_either(self, endpoint, deaf_from):
        endpoint.release("m2")
        grow(endpoint, deaf_from)
        share = endpoint.alias.share_of("2")
        endpoint.traffic(3 * MINUTE)
        deaf = replace(endpoint.ports, aliases=Deaf(endpoint.world.functions))
        advance(deaf, NAME, None, every=EVERY)
        assert (endpoint.phase, endpoint.rollout.share) == (Phase.SHIFTING, share)
