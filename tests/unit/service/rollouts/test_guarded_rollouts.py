"""Guarded rollouts and mirror steps: the champion stands in front and passes a share on.

What a front may still hold of an older dispatch, and every order of calls, is in
``tests/property/engine``; here is the order of writes, as a story.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from halftone.domain.audit import Author
from halftone.domain.errors import InvalidInput, Unavailable
from halftone.domain.names import CHALLENGER
from halftone.domain.rollout.evidence import BUCKET, Bucket, bucket_start
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import Plan, Stage
from halftone.domain.rollout.routing import UNRELEASED, Routing
from halftone.domain.traffic.policy import KeySource, Match, Mode, StickyKey
from halftone.service.releases.revert import revert
from halftone.service.rollouts.advance import advance
from halftone.service.rollouts.operate import promote
from halftone.service.rollouts.rollback import roll_back
from tests.support.engine import EVERY, FAILING, HEALTHY, NAME, Endpoint

MINUTE = timedelta(minutes=1)
TIMES = {"min_time": MINUTE, "max_time": 10 * MINUTE, "min_requests": 100}
GUARDED = Plan((Stage(5.0, **TIMES), Stage(50.0, **TIMES)), bakes=False)
SCORES = Stage(0.0, mirror=10.0, match=Match(addresses=("10.0.0.0/8",)), **TIMES)
MIRRORED = Plan((SCORES, Stage(20.0, **TIMES)), bakes=False)
ONE, TWO = Routing("1"), Routing("2")


@pytest.fixture
def guarded():
    """An endpoint in guarded mode on which m1 serves."""
    endpoint = Endpoint()
    endpoint.serve("m1")
    endpoint.serving(mode=Mode.GUARDED)
    return endpoint


@pytest.fixture
def watched(guarded):
    """m2 has 5 %, passed on by m1."""
    guarded.release("m2", plan=GUARDED)
    guarded.tick_until(Phase.OBSERVING)
    return guarded


def calls_of(endpoint, action):
    """What ``action`` asks of the ports, in order, without the clock."""
    calls = []

    class Told:
        def __init__(self, name, real):
            self._name, self._real = name, real

        def __getattr__(self, method):
            def call(*args, **kwargs):
                alias = kwargs.get("alias", "live") if method == "write" else ""
                calls.append(f"{self._name}.{method}" + (f" {alias}" if alias else ""))
                return getattr(self._real, method)(*args, **kwargs)

            return call

    observed = ("store", "aliases", "guardrails")
    ports = {name: Told(name, getattr(endpoint.ports, name)) for name in observed}
    action(replace(endpoint.ports, **ports))
    return calls


class TestTheFirstShare:
    def test_the_champion_stays_in_front_and_passes_the_share_on(self, watched):
        assert watched.alias == ONE
        assert watched.challenger_alias == TWO
        trial = watched.dispatch.trial
        assert (trial.version, trial.mode, trial.share) == ("2", Mode.GUARDED, 5.0)
        assert watched.history[-1].reason == "the champion passes 5 % on"

    def test_nobody_is_told_before_the_alias_stands(self, guarded):
        guarded.release("m2", plan=GUARDED)
        guarded.tick_until(Phase.PREPARING)
        message = []

        class Watched:
            def __getattr__(self, name):
                return getattr(guarded.world.functions, name)

            def write(self, endpoint, routing, **more):
                message.append((more.get("alias"), routing, guarded.dispatch.trial))
                return guarded.world.functions.write(endpoint, routing, **more)

        advance(replace(guarded.ports, aliases=Watched()), NAME, None, every=EVERY)
        while guarded.phase is not Phase.OBSERVING:
            advance(replace(guarded.ports, aliases=Watched()), NAME, None, every=EVERY)
        assert message == [(CHALLENGER, TWO, None)]

    def test_crashes_are_watched_where_fronts_call(self, watched):
        reading = watched.world.guardrails.read(NAME)
        assert (reading.armed_for, reading.alias) == ("2", CHALLENGER)

    def test_the_mode_is_that_of_its_start(self, watched):
        watched.serving(mode=Mode.WEIGHTED)
        watched.traffic(2 * MINUTE)
        watched.tick_until(Phase.SHIFTING, Phase.OBSERVING)
        watched.tick()
        assert watched.rollout.mode is Mode.GUARDED
        assert (watched.alias, watched.dispatch.trial.share) == (ONE, 50.0)

    def test_a_version_that_answered_its_samples_is_placed(self, watched):
        assert [placed.version for placed in watched.state.placed] == ["1", "2"]
        watched.offer("broken", {"statusCode": 500})
        watched.release("broken")
        watched.tick_until(Phase.FAILED)
        assert [placed.version for placed in watched.state.placed] == ["1", "2"]

    def test_a_first_release_takes_all_traffic_in_any_mode(self):
        endpoint = Endpoint()
        endpoint.release("m1", plan=GUARDED)
        endpoint.serving(mode=Mode.GUARDED)
        endpoint.tick_until(Phase.PROMOTED)
        assert (endpoint.alias, endpoint.challenger_alias) == (ONE, ONE)


class TestTheNextShares:
    def test_a_next_share_is_a_record_and_no_alias_is_written(self, watched):
        watched.traffic(2 * MINUTE)
        calls = calls_of(watched, lambda ports: advance(ports, NAME, None, every=EVERY))
        assert watched.dispatch.trial.share == 50.0
        assert watched.dispatch.trial.since == 5.0
        assert not [call for call in calls if call.startswith("aliases.write")]

    def test_all_traffic_is_the_live_alias_first_then_the_record(self, watched):
        promote(watched.ports, NAME, author=Author("ann", "go"))
        calls = calls_of(watched, lambda ports: advance(ports, NAME, None, every=EVERY))
        begin = calls.index("aliases.write live")
        assert calls[begin : begin + 2] == ["aliases.write live", "aliases.both"]
        assert calls[begin + 3] == "store.commit"
        assert (watched.alias, watched.challenger_alias, watched.champion) == (TWO, TWO, "2")
        assert watched.dispatch.trial is None


class TestGoingBack:
    def test_the_challengers_alias_goes_home_right_after_the_fence(self, watched):
        def action(ports):
            roll_back(ports, NAME, author=Author("ann", "worse"))

        assert calls_of(watched, action) == [
            "store.load",
            "store.commit",
            "aliases.write challenger",
            "aliases.write live",
            "aliases.both",
            "store.commit",
        ]
        assert (watched.alias, watched.challenger_alias, watched.phase) == (
            ONE, ONE, Phase.ROLLED_BACK,
        )  # fmt: skip
        assert watched.dispatch.trial is None

    def test_in_weighted_mode_the_live_alias_goes_first(self):
        endpoint = Endpoint()
        endpoint.serve("m1")
        endpoint.release("m2")
        endpoint.tick_until(Phase.OBSERVING)
        calls = calls_of(endpoint, lambda ports: roll_back(ports, NAME, author=Author("a", "b")))
        assert calls[2:4] == ["aliases.write live", "aliases.write challenger"]

    def test_on_its_way_to_all_traffic_both_aliases_go_home(self, watched):
        promote(watched.ports, NAME, author=Author("ann", "go"))
        watched.world.functions.write(NAME, TWO, revision=None)  # and the process died
        calls = calls_of(watched, lambda ports: roll_back(ports, NAME, author=Author("a", "worse")))
        assert calls[2] == "aliases.write live", "it may have all traffic already"
        assert (watched.alias, watched.challenger_alias) == (ONE, ONE)

    def test_the_challengers_alias_goes_first_without_the_table(self, watched):
        class Out:
            def __getattr__(self, name):
                raise Unavailable("the table does not answer")

        with pytest.raises(Unavailable):
            roll_back(replace(watched.ports, store=Out()), NAME, author=Author("alarm", "errors"))
        assert (watched.alias, watched.challenger_alias) == (ONE, ONE)
        assert watched.phase is Phase.OBSERVING, "nothing could be recorded"
        watched.tick()
        assert watched.phase is Phase.ROLLED_BACK

    def test_an_alias_that_was_taken_back_by_hand_ends_the_rollout(self, watched):
        watched.world.functions.write(NAME, ONE, revision=None, alias=CHALLENGER)
        watched.tick()
        assert watched.phase is Phase.ROLLED_BACK
        assert "outside the engine" in watched.rollout.reason

    def test_a_live_share_written_by_hand_is_taken_back(self, watched):
        watched.world.functions.write(NAME, Routing("1", "2", 30.0), revision=None)
        watched.tick()
        assert watched.alias == ONE
        assert "repaired" in watched.actions

    def test_a_proof_ends_it(self, watched):
        watched.traffic(2 * MINUTE, challenger=FAILING)
        watched.tick()
        assert watched.phase is Phase.ROLLED_BACK
        assert watched.challenger_alias == ONE

    def test_returning_moves_both_aliases(self, watched):
        promote(watched.ports, NAME, author=Author("ann", "go"))
        watched.tick_until(Phase.PROMOTED)
        revert(watched.ports, NAME, version=None, author=Author("ann", "it drifts"))
        assert (watched.alias, watched.challenger_alias, watched.champion) == (ONE, ONE, "1")

    def test_superseding_ends_it_before_the_next_one_begins(self, watched):
        watched.release("m3", plan=GUARDED)
        assert (watched.challenger_alias, watched.dispatch.trial) == (ONE, None)
        watched.tick_until(Phase.OBSERVING)
        assert (watched.alias, watched.challenger_alias) == (ONE, Routing("3"))


class TestMirrorSteps:
    @pytest.fixture(params=Mode)
    def scored(self, request):
        """m2 scores 10 % of internal requests unseen, on an endpoint of either mode."""
        endpoint = Endpoint()
        endpoint.serve("m1")
        endpoint.serving(mode=request.param)
        endpoint.release("m2", plan=MIRRORED)
        endpoint.tick_until(Phase.OBSERVING)
        return endpoint

    def test_the_challenger_scores_and_answers_nobody(self, scored):
        trial = scored.dispatch.trial
        assert (scored.alias, scored.challenger_alias) == (ONE, TWO)
        assert (trial.share, trial.mirror, trial.match) == (0.0, 10.0, SCORES.match)
        assert scored.history[-1].reason == "the challenger scores 10 % unseen"

    def test_the_alarms_watch_where_it_is_called(self, scored):
        assert scored.world.guardrails.read(NAME).alias == CHALLENGER
        scored.traffic(2 * MINUTE)
        scored.tick()
        while scored.rollout.stage < 1:
            scored.tick()
        answers = scored.dispatch.trial
        assert (answers.share, answers.mirror, answers.match) == (20.0, 0.0, None)
        guarded = scored.rollout.mode is Mode.GUARDED
        assert scored.alias == (ONE if guarded else Routing("1", "2", 20.0))
        assert scored.world.guardrails.read(NAME).alias == (CHALLENGER if guarded else "live")

    def test_it_goes_back_like_any_other(self, scored):
        scored.trip()
        scored.tick()
        assert scored.phase is Phase.ROLLED_BACK
        assert (scored.alias, scored.challenger_alias) == (ONE, ONE)

    def test_the_alarms_of_a_stage_are_armed_again_after_a_deploy(self, scored):
        scored.world.guardrails.arm(NAME, "2", "by hand", alias="live")
        scored.tick()
        assert scored.world.guardrails.read(NAME).alias == CHALLENGER


class TestAReleaseIsRefused:
    def test_a_match_that_the_mode_can_not_tell_apart(self):
        endpoint = Endpoint()
        endpoint.serve("m1")
        narrow = replace(GUARDED.stages[0], match=Match(clients=("ann",)))
        with pytest.raises(InvalidInput, match=r"plan.steps\[0\].match .* mode weighted"):
            endpoint.release("m2", plan=replace(GUARDED, stages=(narrow,)))
        assert endpoint.champion == "1"
        assert endpoint.phase is Phase.PROMOTED

    def test_a_key_is_drawn_by_in_guarded_mode_alone(self, guarded):
        key = StickyKey(KeySource.HEADER, "x-user")
        guarded.serving(key=key)
        assert guarded.release("m2", plan=GUARDED).sticky
        guarded.serving(mode=Mode.WEIGHTED)
        assert not guarded.release("m3").sticky


def test_an_endpoint_whose_challengers_alias_is_new_is_set(guarded):
    guarded.world.functions.write(NAME, UNRELEASED, revision=None, alias=CHALLENGER)
    guarded.tick()
    assert guarded.challenger_alias == ONE
    assert guarded.history[-1].action == "repaired"
    before = guarded.state
    guarded.tick()
    assert guarded.state == before


def test_what_is_placed_is_pruned_but_for_what_is_named(guarded):
    for number in range(2, 40):
        guarded.serve(f"m{number}")
    placed = [result.version for result in guarded.state.placed]
    assert len(placed) == 20
    assert placed[-1] == guarded.champion == "39"


class TestEvidence:
    def test_whoever_takes_part_is_counted(self, watched):
        watched.traffic(MINUTE)
        watched.tick()
        assert watched.world.metrics.cohorts == ("trial", "trial")

    def test_where_a_key_draws_keys_are_counted_and_a_minute_later(self, guarded):
        guarded.world.metrics.latencies[NAME] = (20.0, 40.0, 80.0)
        guarded.serving(key=StickyKey(KeySource.HEADER, "x-user"))
        guarded.release("m2", plan=GUARDED)
        guarded.tick_until(Phase.OBSERVING)
        guarded.traffic(MINUTE)
        guarded.tick()
        assert guarded.world.metrics.cohorts == ("", ""), "no bucket of keys is complete yet"
        guarded.traffic(MINUTE)
        guarded.tick()
        assert guarded.world.metrics.cohorts == ("keys", "keys")

    def test_what_is_scored_stands_against_what_could_have_been(self, guarded):
        guarded.release("m2", plan=MIRRORED)
        guarded.tick_until(Phase.OBSERVING)
        guarded.traffic(MINUTE)
        guarded.tick()
        assert guarded.world.metrics.cohorts == ("mirror", "trial")

    def test_what_was_scored_for_some_is_never_set_against_all(self):
        """A look after the step asks for its last minute as the step did: those of another network
        fail more often, with either version.
        """
        endpoint = Endpoint()
        endpoint.serve("m1")
        endpoint.release("m2", plan=MIRRORED)
        endpoint.tick_until(Phase.OBSERVING)
        metrics, lag = endpoint.world.metrics, timedelta(minutes=1)
        request, buckets = [], metrics.buckets

        def counted(name, *, since, until, cohorts, **more):
            request.append((since, until, cohorts))
            return buckets(name, since=since, until=until, cohorts=cohorts, **more)

        metrics.buckets = counted
        endpoint.ports = endpoint.world.ports(metric_lag=lag)
        while endpoint.rollout.stage == 0:
            endpoint.traffic(BUCKET)
            endpoint.tick()
        border = bucket_start(endpoint.rollout.stage_since)
        endpoint.world.clock.pass_by(3 * lag)
        endpoint.tick()
        assert {c for _, until, c in request if until <= border} == {("mirror", "trial")}
        # What was still being scored stands under the challenger's version, too: it runs out first.
        left = border + timedelta(seconds=70)
        assert [(since, c) for since, until, c in request if until > border] == [(left, ("", ""))]
        assert max(until for _, until, _ in request if until <= border) == border

    def scored(self, endpoint, changed):
        """A minute of 300 scored requests, of which so many a bucket changed their label."""
        plan = replace(MIRRORED, changed=5.0)
        endpoint.release("m2", plan=plan)
        endpoint.tick_until(Phase.OBSERVING)
        arm = replace(HEALTHY, paired=50, changed=changed)
        clock, counted = endpoint.world.clock, endpoint.world.metrics.counted[NAME]
        for _ in range(12):
            counted.append(Bucket(bucket_start(clock.now()), arm, replace(HEALTHY, requests=500)))
            clock.pass_by(BUCKET)
        endpoint.tick()

    def test_labels_that_change_too_often_end_it(self, guarded):
        self.scored(guarded, 10)
        assert guarded.phase is Phase.ROLLED_BACK
        assert "most of it by changed: 120 of 600" in guarded.rollout.reason

    def test_labels_that_hardly_change_let_it_go_on(self, guarded):
        self.scored(guarded, 0)
        assert guarded.rollout.stage == 1
        assert "changed 0 of 600" in " ".join(record.reason for record in guarded.history)

    def test_without_a_tolerance_nothing_is_asked_of_labels(self, guarded):
        guarded.release("m2", plan=MIRRORED)
        guarded.tick_until(Phase.OBSERVING)
        guarded.traffic(2 * MINUTE, challenger=replace(HEALTHY, paired=50, changed=50))
        guarded.tick()
        assert guarded.rollout.stage == 1
