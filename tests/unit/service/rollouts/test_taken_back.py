"""What was taken back answers no unpinned request by any way, until its package is released again.

Ways: a split, a rule, a mirror, probation, an alias moved by hand, a rollback, fronts' earlier
routes. By whom: a person, an alarm, an approver, a tag in the registry, the engine itself.
"""

from dataclasses import replace

import pytest

from halftone.domain.audit import Author
from halftone.domain.endpoint.projection import projection, shares
from halftone.domain.endpoint.status import Status
from halftone.domain.errors import Conflict
from halftone.domain.model.registry import ModelAlias, ModelReference
from halftone.domain.names import ALIAS, CHALLENGER
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import UNRELEASED, Routing
from halftone.domain.traffic.policy import Mode
from halftone.service.endpoints import policy
from halftone.service.endpoints.endpoints import as_read
from halftone.service.registry.aliases import set_alias
from halftone.service.registry.registry import describe
from halftone.service.releases.revert import revert
from halftone.service.rollouts import operate
from halftone.service.rollouts.alarm import on_alarm
from halftone.service.rollouts.rollback import roll_back
from tests.support.engine import ALL_AT_ONCE, NAME, Endpoint
from tests.support.operations import say
from tests.support.rollouts import PLAN

BEN = {"author": Author("ben", "it drifts")}
EVERYBODY = {"query": {"beta": "1"}}
GATED = replace(PLAN, stages=(replace(PLAN.stages[0], approval=True), *PLAN.stages[1:]))


def served(*models: str, mode: Mode = Mode.GUARDED) -> Endpoint:
    endpoint = Endpoint()
    for model in models:
        endpoint.serve(model)
    endpoint.serving(mode=mode)
    return endpoint


def back(endpoint: Endpoint, version: str | None = None):
    return revert(endpoint.ports, NAME, version=version, **BEN)


def answering(endpoint: Endpoint) -> dict[str, float]:
    """The shares of unpinned requests, by the alias as it reads and by what fronts act on."""
    return dict(shares(endpoint.state, endpoint.alias))


def test_a_split_does_not_outlive_the_return_of_what_it_names():
    endpoint = served("m1", "m2", "m3")
    policy.set_traffic(endpoint.ports, NAME, {"2": 60, "champion": 40}, **BEN)
    assert answering(endpoint) == {"3": 40.0, "2": 60.0}
    back(endpoint, "2")
    assert answering(endpoint) == {"2": 100.0}
    back(endpoint, "1")
    assert answering(endpoint) == {"1": 100.0}
    assert [bar.version for bar in endpoint.state.barred] == ["3", "2"]


def test_a_rule_for_the_champion_follows_it_and_others_end():
    endpoint = served("m1", "m2", "m3")
    rules = [{"match": EVERYBODY, "to": to} for to in ("champion", "3", "2")]
    policy.set_rules(endpoint.ports, NAME, rules, **BEN)
    back(endpoint)
    assert [rule.version for rule in endpoint.state.serving.rules] == ["champion", "2"]
    assert projection(endpoint.state).ways == {"2": (ALIAS, "rule")}


def test_nor_does_any_of_it_outlive_an_alias_moved_by_hand():
    endpoint = served("m1", "m2", "m3")
    rules = [{"match": EVERYBODY, "to": "3"}]
    policy.set_rules(endpoint.ports, NAME, rules, **BEN)
    policy.set_traffic(endpoint.ports, NAME, {"1": 40, "champion": 60}, **BEN)
    endpoint.world.functions.write(NAME, Routing("1"), revision=None)
    endpoint.tick()
    assert endpoint.actions[-2:] == ["adopted", "repaired"]
    assert endpoint.state.serving.rules == ()
    assert answering(endpoint) == {"1": 100.0}
    endpoint.serve("m4")
    assert answering(endpoint) == {"4": 100.0}


def test_an_alias_moved_to_what_was_taken_back_is_set_right():
    endpoint = served("m1", "m2")
    back(endpoint)
    endpoint.world.functions.write(NAME, Routing("2"), revision=None)
    endpoint.tick()
    assert (endpoint.actions[-1], endpoint.alias) == ("repaired", Routing("1"))


def rejected(endpoint: Endpoint) -> None:
    endpoint.release("bad", plan=GATED)
    endpoint.tick_until(Phase.AWAITING_APPROVAL)
    say(operate.reject, endpoint)


def aborted(endpoint: Endpoint) -> None:
    endpoint.release("bad")
    endpoint.tick_until(Phase.OBSERVING)
    say(operate.abort, endpoint)


def rolled_back(endpoint: Endpoint) -> None:
    endpoint.release("bad")
    endpoint.tick_until(Phase.OBSERVING)
    roll_back(endpoint.ports, NAME, **BEN)


def in_alarm(endpoint: Endpoint) -> None:
    endpoint.release("bad")
    endpoint.tick_until(Phase.OBSERVING)
    now = endpoint.world.clock.now()
    on_alarm(endpoint.ports, NAME, author=Author("alarm/x", "errors"), fired_at=now)


def returned_from(endpoint: Endpoint) -> None:
    endpoint.serve("bad")
    back(endpoint)


def tagged(endpoint: Endpoint) -> None:
    endpoint.release("bad")
    endpoint.tick_until(Phase.OBSERVING)
    describe(endpoint.ports, ModelReference("bad", number=1), FAILED, **BEN)
    endpoint.tick()


FAILED = {"tags": {"validation_status": "FAILED"}}
TAKING_BACK = [rejected, aborted, rolled_back, in_alarm, returned_from, tagged]


@pytest.mark.parametrize("take_back", TAKING_BACK)
@pytest.mark.parametrize(
    "setting",
    [
        {"traffic": {"champion": 90, "3": 10}},
        {"traffic": {"3": 100}},
        {"rules": [{"match": EVERYBODY, "to": "3"}]},
        {"mirror": {"3": 5}},
    ],
)
def test_no_setting_leads_to_it_again(take_back, setting):
    endpoint = served("m1", "m2")
    take_back(endpoint)
    assert answering(endpoint) == {"2": 100.0}
    before = endpoint.state, endpoint.world.guardrails.read(NAME)
    with pytest.raises(Conflict, match="version 3 was taken back"):
        policy.set_serving(endpoint.ports, NAME, setting, **BEN)
    assert (endpoint.state, endpoint.world.guardrails.read(NAME)) == before


@pytest.mark.parametrize("take_back", TAKING_BACK)
def test_no_rollback_leads_to_it_again(take_back):
    endpoint = served("m1", "m2")
    take_back(endpoint)
    with pytest.raises(Conflict, match="version 3 of 'fraud' was taken back"):
        back(endpoint, "3")
    endpoint.serve("m4")
    assert back(endpoint).champion.version == "2"
    assert back(endpoint).champion.version == "1"


def test_it_can_still_be_called_by_name():
    endpoint = served("m1", "m2")
    aborted(endpoint)
    assert "3" in [placed.version for placed in endpoint.dispatch.placed]


def test_released_again_it_serves_as_another_version():
    endpoint = served("m1", "m2")
    aborted(endpoint)
    endpoint.release("bad", "once more", plan=ALL_AT_ONCE)
    endpoint.tick_until(Phase.PROMOTED)
    assert answering(endpoint) == {"4": 100.0}


def test_what_another_release_supersedes_was_not_taken_back():
    endpoint = served("m1", "m2")
    endpoint.release("m3")
    endpoint.tick_until(Phase.OBSERVING)
    endpoint.serve("m4")
    assert endpoint.state.barred == ()


class TestTagged:
    """``validation_status: FAILED`` in the registry."""

    def tag(self, endpoint: Endpoint, model: str) -> None:
        describe(endpoint.ports, ModelReference(model, number=1), FAILED, **BEN)

    @pytest.mark.parametrize("phase", [Phase.PREPARING, Phase.OBSERVING])
    def test_a_rollout_of_it_ends(self, phase):
        endpoint = served("m1")
        endpoint.release("bad")
        if phase is not Phase.PREPARING:
            endpoint.tick_until(phase)
        self.tag(endpoint, "bad")
        endpoint.tick()
        assert endpoint.phase is Phase.ROLLED_BACK
        assert endpoint.rollout.reason == "bad:1 has validation_status FAILED"

    def test_a_share_and_a_mirror_of_it_end(self):
        endpoint = served("m1", "m2", "m3")
        policy.set_traffic(endpoint.ports, NAME, {"1": 10, "champion": 90}, **BEN)
        policy.set_mirror(endpoint.ports, NAME, {"2": 5}, **BEN)
        self.tag(endpoint, "m1")
        self.tag(endpoint, "m2")
        endpoint.tick()
        assert answering(endpoint) == {"3": 100.0}
        assert endpoint.state.serving.mirror is None
        assert endpoint.actions[-2:] == ["withdrawn", "withdrawn"]

    def test_it_gets_none_and_nothing_returns_to_it(self):
        endpoint = served("m1", "m2", "m3")
        self.tag(endpoint, "m2")
        with pytest.raises(Conflict, match="version 2 can't get requests: m2:1 has"):
            policy.set_traffic(endpoint.ports, NAME, {"2": 10, "champion": 90}, **BEN)
        with pytest.raises(Conflict, match="version 2 of 'fraud' can't serve again: m2:1 has"):
            back(endpoint, "2")
        assert back(endpoint).champion.version == "1"

    def test_a_champion_goes_on_and_is_flagged_once(self):
        endpoint = served("m1")
        self.tag(endpoint, "m1")
        for _ in range(3):
            endpoint.tick()
        assert (endpoint.alias, endpoint.actions.count("flagged")) == (Routing("1"), 1)
        assert endpoint.state.flagged == "m1:1 has validation_status FAILED"
        passed = {"tags": {"validation_status": "PASSED"}}
        describe(endpoint.ports, ModelReference("m1", number=1), passed, **BEN)
        endpoint.tick()
        assert (endpoint.state.flagged, endpoint.actions[-1]) == ("", "cleared")

    def test_no_alias_of_the_registry_stays_at_it(self):
        endpoint = served("m1")
        endpoint.release("bad")
        assert endpoint.world.registry.model("bad").aliases == {"challenger": 1}
        self.tag(endpoint, "bad")
        assert endpoint.world.registry.model("bad").aliases == {}
        with pytest.raises(Conflict, match="FAILED"):
            set_alias(endpoint.ports, "bad", ModelAlias.CHALLENGER, 1, **BEN)


class TestGoneFromLambda:
    """Somebody deleted versions in the console."""

    def gone(self, endpoint: Endpoint, *versions: str) -> None:
        endpoint.world.functions.deleted |= {(NAME, version) for version in versions}

    def test_a_return_to_it_is_refused_before_anything_is_written(self):
        endpoint = served("m1", "m2", "m3")
        self.gone(endpoint, "1")
        before = endpoint.state
        with pytest.raises(Conflict, match="'fraud' can't serve again: it is gone from Lambda; "):
            back(endpoint, "1")
        assert (endpoint.state, endpoint.alias) == (before, Routing("3"))

    def test_without_a_version_the_next_one_that_is_there_serves(self):
        endpoint = served("m1", "m2", "m3")
        self.gone(endpoint, "2")
        assert back(endpoint).champion.version == "1"

    @pytest.mark.parametrize(("gone", "serves"), [("2", "1"), ("21", "3")])
    def test_one_that_vanishes_behind_the_fence_is_replaced(self, gone, serves):
        endpoint = served("m1", "m2", "m3")
        write, deleting = endpoint.world.functions.write, list(gone)

        def vanishing(*given, **named):
            self.gone(endpoint, *deleting)
            return write(*given, **named)

        endpoint.world.functions.write = vanishing
        state = back(endpoint)
        assert (state.champion.version, endpoint.alias) == (serves, Routing(serves))
        assert endpoint.challenger_alias == Routing(serves)
        assert (endpoint.phase, "repaired" in endpoint.actions) == (Phase.ROLLED_BACK, True)

    def made_anew(self, endpoint: Endpoint, *versions: str) -> None:
        """The function is another one, of the same name, and the record is of the one before."""
        functions = endpoint.world.functions
        self.gone(endpoint, *versions)
        for kept in (functions.routings, functions.anchors, functions.challengers):
            kept.pop(NAME, None)

    def test_where_nothing_is_left_ticks_go_on_and_say_it_once(self):
        endpoint = served("m1", "m2")
        self.made_anew(endpoint, "1", "2")
        before = len(endpoint.history)
        for _ in range(3):
            assert endpoint.tick().done
        (record,) = endpoint.history[before:]
        assert (record.action, record.numbers) == ("repaired", {"gone": "2", "champion": None})
        read = as_read(endpoint.ports, NAME).status
        assert read.status is Status.FAILED
        assert "version 2, the champion of 'fraud', is gone from Lambda" in read.message
        assert read.message.endswith("release one")

    def test_where_nothing_is_left_the_next_release_serves(self):
        endpoint = served("m1", "m2")
        self.made_anew(endpoint, "1", "2")
        endpoint.tick()
        endpoint.release("m2", key="once more", plan=ALL_AT_ONCE)
        endpoint.tick_until(Phase.PROMOTED)
        assert (endpoint.champion, endpoint.alias) == ("3", Routing("3"))
        assert (endpoint.state.flagged, endpoint.challenger_alias) == ("", Routing("3"))

    def test_where_nothing_is_left_a_release_before_a_tick_serves(self):
        endpoint = served("m1", "m2")
        self.made_anew(endpoint, "1", "2")
        endpoint.serve("m3")
        assert (endpoint.champion, endpoint.alias) == ("3", Routing("3"))
        assert "fence" not in endpoint.actions

    def test_where_nothing_is_left_a_failure_leaves_the_remedy(self):
        endpoint = served("m1")
        self.made_anew(endpoint, "1")
        endpoint.tick()
        endpoint.offer("bad", {"statusCode": 500, "body": "out of order"})
        endpoint.release("bad")
        endpoint.tick_until(Phase.FAILED)
        endpoint.tick()
        read = as_read(endpoint.ports, NAME).status
        assert (read.status, endpoint.alias) == (Status.FAILED, UNRELEASED)
        assert "release one; bad@" in read.message
        assert "failed: sample 1 of " in read.message

    @pytest.mark.parametrize(("barred", "serves"), [(False, Routing("2")), (True, UNRELEASED)])
    def test_a_hand_leads_to_what_was_not_taken_back(self, barred, serves):
        endpoint = served("m1")
        endpoint.release("m2")
        endpoint.tick_until(Phase.OBSERVING)
        say(operate.abort, endpoint)
        if not barred:
            state = endpoint.state
            endpoint.world.store.states[NAME] = replace(state, barred=())
        endpoint.world.functions.write(NAME, Routing("2"), revision=None)
        self.gone(endpoint, "1")
        for _ in range(2):
            endpoint.tick()
        assert (endpoint.alias, endpoint.challenger_alias) == (serves, serves)
        assert endpoint.champion == (None if barred else "2")

    def test_a_share_of_it_goes_to_the_champion(self):
        endpoint = served("m1", "m2")
        policy.set_traffic(endpoint.ports, NAME, {"1": 40, "champion": 60}, **BEN)
        self.gone(endpoint, "1")
        endpoint.tick()
        assert answering(endpoint) == {"2": 100.0}
        assert endpoint.history[-1].reason == "version 1 is gone from Lambda"


def test_fronts_reach_probation_by_an_alias_that_goes_back():
    endpoint = served("m1", "m2")
    endpoint.release("m3")
    endpoint.tick_until(Phase.OBSERVING)
    endpoint.release("m4")
    say(operate.abort, endpoint)
    policy.set_traffic(endpoint.ports, NAME, {"3": 10, "champion": 90}, **BEN)
    guard = endpoint.world.guardrails.read(NAME)
    assert (guard.armed_for, guard.alias) == ("3", CHALLENGER)
    assert endpoint.challenger_alias == Routing("3")
    now = endpoint.world.clock.now()
    on_alarm(endpoint.ports, NAME, author=Author("alarm/x", "errors"), fired_at=now)
    assert endpoint.challenger_alias == Routing("2")
    assert answering(endpoint) == {"2": 100.0}
