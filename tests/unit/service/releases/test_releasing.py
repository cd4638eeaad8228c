"""What a release starts, joins, supersedes, refuses, or finds done already."""

from dataclasses import replace
from datetime import timedelta

import pytest

from halftone.domain.audit import Author
from halftone.domain.endpoint.spec import DeployWaits
from halftone.domain.errors import Conflict, NotFound, UnderWay
from halftone.domain.model.schema import Field, FieldType
from halftone.domain.names import ALIAS
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import UNRELEASED, Routing
from halftone.service.endpoints.retire import retire
from halftone.service.releases.await_release import is_settled
from halftone.service.releases.revert import revert
from halftone.service.rollouts.rollback import fence, roll_back
from halftone.testing import MemoryLambda
from tests.support.engine import ALL_AT_ONCE, NAME, Endpoint, digest_of, manifest_of


@pytest.fixture
def endpoint():
    """m1 serves as version 1, with settings s1."""
    endpoint = Endpoint()
    endpoint.serve("m1")
    return endpoint


@pytest.fixture
def watched(endpoint):
    """m2 is watched at 5 % as version 2."""
    endpoint.release("m2", "k2")
    endpoint.tick_until(Phase.OBSERVING)
    return endpoint


def unchanged_by(endpoint, act):
    """What ``act`` answers; it must change neither record nor alias."""
    before = endpoint.state, endpoint.alias, dict(endpoint.world.workflow.started)
    answer = act()
    assert (endpoint.state, endpoint.alias, dict(endpoint.world.workflow.started)) == before
    return answer


def offer_other_interface(endpoint, model="m2"):
    """A package that takes another field than every other, and answers it."""
    endpoint.offer(model)
    text = (Field("word", FieldType.STRING),)
    manifest = replace(manifest_of(model), inputs=text)
    endpoint.world.packages.offered["assets", f"{model}.zip"] = (digest_of(model), manifest)


def test_a_package_that_cannot_answer_the_clients_is_refused(endpoint):
    """They would get a 422, which counts against nobody, and be promoted to it."""
    offer_other_interface(endpoint)
    message = f"clients of '{NAME}' .*m2.*: input 'word' is new.*; input 'x' is gone. Make it a new"
    with pytest.raises(Conflict, match=message):
        unchanged_by(endpoint, lambda: endpoint.release("m2"))
    assert endpoint.phase is Phase.PROMOTED


def test_it_does_not_end_the_rollout_that_it_would_supersede(watched):
    offer_other_interface(watched, "m3")
    with pytest.raises(Conflict):
        unchanged_by(watched, lambda: watched.release("m3"))
    assert watched.phase is Phase.OBSERVING


def test_a_disabled_endpoint_may_change_its_interface(endpoint):
    offer_other_interface(endpoint)
    endpoint.serving(stopped="new fields from June on")
    assert endpoint.release("m2", plan=ALL_AT_ONCE).package.name == "m2"
    endpoint.tick_until(Phase.PROMOTED)


def test_a_champion_whose_package_is_gone_cannot_be_compared(endpoint):
    offer_other_interface(endpoint)
    del endpoint.world.packages.kept[digest_of("m1")]
    assert endpoint.release("m2").package.name == "m2"


def test_what_serves_already_needs_no_rollout(endpoint):
    assert endpoint.release("m1", "again") is None
    assert endpoint.phase is Phase.PROMOTED


def test_changed_settings_send_the_champions_package_out_again(endpoint):
    rollout = endpoint.release("m1", "k2", settings="s2", previous=(digest_of("m1"), "s1"))
    assert rollout.package.digest == digest_of("m1")
    endpoint.tick_until(Phase.OBSERVING)
    assert endpoint.alias == Routing("1", "2", 5.0)


def test_changed_settings_do_not_release_what_was_rolled_back(watched):
    roll_back(watched.ports, NAME, author=Author("ann", "worse"))
    rollout = watched.release("m2", "k3", settings="s2", previous=(digest_of("m2"), "s1"))
    assert rollout.package.digest == digest_of("m1")


def test_going_back_to_what_serves_finds_nothing_to_do(watched):
    """CloudFormation returns to the old properties after a deploy that failed."""
    roll_back(watched.ports, NAME, author=Author("ann", "worse"))
    assert watched.release("m1", "k3", previous=(digest_of("m2"), "s1")) is None
    assert watched.alias == Routing("1")


def test_the_same_package_under_way_is_joined(watched):
    joined = watched.release("m2", "k3")
    assert joined == watched.rollout
    assert watched.alias == Routing("1", "2", 5.0)


def test_a_release_while_another_rolls_out_is_refused(watched):
    with pytest.raises(Conflict, match=r"is rolling out m2@.* observing at 5 %\): wait"):
        unchanged_by(watched, lambda: watched.release("m3", supersede=False))


def test_superseding_takes_the_running_challenger_back_first(watched):
    rollout = watched.release("m3", "k3")
    assert watched.alias == Routing("1")
    assert (rollout.champion, rollout.phase) == ("1", Phase.PREPARING)
    assert watched.actions[-3:] == ["fence", "rolled-back", "release"]
    watched.tick_until(Phase.OBSERVING)
    assert watched.alias == Routing("1", "3", 5.0)


@pytest.mark.parametrize("stage", ["preparing", "observing", "rolled back", "promoted"])
def test_a_request_that_is_repeated_answers_the_same_rollout(endpoint, stage):
    plan = ALL_AT_ONCE if stage == "promoted" else None
    changes = {"plan": plan} if plan else {}
    first = endpoint.release("m2", "k2", **changes)
    if stage == "observing":
        endpoint.tick_until(Phase.OBSERVING)
    if stage == "promoted":
        endpoint.tick_until(Phase.PROMOTED)
    if stage == "rolled back":
        roll_back(endpoint.ports, NAME, author=Author("ann", "worse"))
    again = unchanged_by(endpoint, lambda: endpoint.release("m2", "k2", **changes))
    assert again.id == first.id


def test_a_crash_before_the_workflow_is_mended_by_repetition(endpoint):
    rollout = endpoint.release("m2", "k2")
    endpoint.world.workflow.started.clear()
    endpoint.release("m2", "k2")
    assert endpoint.world.workflow.started == {rollout.id: NAME}


def test_an_old_request_that_comes_again_changes_nothing(endpoint):
    endpoint.release("m2", "k2", plan=ALL_AT_ONCE)
    endpoint.tick_until(Phase.PROMOTED)
    endpoint.release("m3", "k3", plan=ALL_AT_ONCE)
    endpoint.tick_until(Phase.PROMOTED)
    assert unchanged_by(endpoint, lambda: endpoint.release("m2", "k2")) is None


def test_an_old_request_that_found_nothing_is_remembered(endpoint):
    assert endpoint.release("m1", "k-nothing") is None
    endpoint.release("m2", "k2", plan=ALL_AT_ONCE)
    endpoint.tick_until(Phase.PROMOTED)
    assert unchanged_by(endpoint, lambda: endpoint.release("m1", "k-nothing")) is None


def test_an_old_request_that_joined_a_rollout_is_remembered_too(watched):
    watched.release("m2", "k-joined")
    roll_back(watched.ports, NAME, author=Author("ann", "worse"))
    unchanged_by(watched, lambda: watched.release("m2", "k-joined"))


def test_a_request_after_a_rollback_is_a_new_attempt(watched):
    roll_back(watched.ports, NAME, author=Author("ann", "worse"))
    assert watched.release("m2", "k3").phase is Phase.PREPARING


class TestWaiting:
    """How long a deploy waits."""

    def settled(self, endpoint, rollout, waits):
        return is_settled(endpoint.ports, NAME, rollout, DeployWaits(waits))

    def test_until_prepared(self, endpoint):
        rollout = endpoint.release("m2").id
        assert not self.settled(endpoint, rollout, "prepared")
        endpoint.tick_until(Phase.OBSERVING)
        assert self.settled(endpoint, rollout, "prepared")
        assert not self.settled(endpoint, rollout, "promoted")

    def test_until_promoted(self, endpoint):
        rollout = endpoint.release("m2", plan=ALL_AT_ONCE).id
        endpoint.tick_until(Phase.PROMOTED)
        assert self.settled(endpoint, rollout, "promoted")

    def test_a_first_release_is_waited_for_until_it_serves(self):
        endpoint = Endpoint()
        rollout = endpoint.release("m1").id
        endpoint.tick()
        assert not self.settled(endpoint, rollout, "prepared")
        endpoint.tick()
        assert self.settled(endpoint, rollout, "prepared")

    def test_nothing_to_do_is_settled(self, endpoint):
        assert self.settled(endpoint, "", "promoted")

    @pytest.mark.parametrize("waits", ["prepared", "promoted"])
    def test_a_release_that_failed_fails_the_deploy_with_its_reason(self, endpoint, waits):
        endpoint.offer("broken", {"statusCode": 500})
        rollout = endpoint.release("broken").id
        endpoint.tick_until(Phase.FAILED)
        with pytest.raises(Conflict, match="was not released: sample 1 of 1: status is 500"):
            self.settled(endpoint, rollout, waits)

    @pytest.mark.parametrize("waits", ["prepared", "promoted"])
    def test_a_rollback_fails_the_deploy_that_waits(self, watched, waits):
        rollout = watched.rollout.id
        roll_back(watched.ports, NAME, author=Author("ann", "worse"))
        with pytest.raises(Conflict, match="was rolled back: worse"):
            self.settled(watched, rollout, waits)

    @pytest.mark.parametrize("waits", ["prepared", "promoted"])
    def test_what_is_being_taken_back_is_waited_for(self, watched, waits):
        running = watched.rollout
        fence(watched.ports, watched.state, running, author=Author("ann", "worse"))
        assert not self.settled(watched, running.id, waits)

    def test_a_first_release_that_was_rolled_back_fails_the_deploy(self):
        endpoint = Endpoint()
        rollout = endpoint.release("m1").id
        roll_back(endpoint.ports, NAME, author=Author("ann", "not yet"))
        with pytest.raises(Conflict, match="was rolled back: not yet"):
            self.settled(endpoint, rollout, "prepared")

    def test_a_superseded_rollout_fails_the_deploy_too(self, watched):
        rollout = watched.rollout.id
        watched.release("m3", "k3")
        with pytest.raises(Conflict, match="was rolled back: superseded by m3"):
            self.settled(watched, rollout, "promoted")

    def test_a_promotion_is_remembered_after_the_next_release(self, endpoint):
        rollout = endpoint.release("m2", plan=ALL_AT_ONCE).id
        endpoint.tick_until(Phase.PROMOTED)
        endpoint.release("m3")
        assert self.settled(endpoint, rollout, "promoted")


class TestRetiring:
    """The endpoint's stack goes away, and may come again."""

    def retire(self, endpoint, key="gone"):
        return retire(endpoint.ports, NAME, author=Author("ann", "its stack was deleted"), key=key)

    def recreate(self, endpoint):
        """What CloudFormation does after the deletion: a new function, with a new alias."""
        endpoint.world.functions.versions[NAME].clear()
        endpoint.world.functions.pointers.clear()
        endpoint.world.functions.routings[NAME] = UNRELEASED

    def test_nothing_serves_any_more_and_the_record_stays(self, watched):
        records = len(watched.history)
        self.retire(watched)
        assert (watched.champion, watched.rollout) == (None, None)
        assert watched.actions[records:] == ["fence", "rolled-back", "retired"]
        assert watched.tick().done

    def test_retiring_again_or_what_never_was_does_nothing(self, endpoint):
        self.retire(endpoint)
        assert unchanged_by(endpoint, lambda: self.retire(endpoint)) is None
        assert self.retire(Endpoint()) is None

    def test_a_new_endpoint_of_that_name_begins_with_a_first(self, endpoint):
        self.retire(endpoint)
        self.recreate(endpoint)
        endpoint.release("m5", "k5")
        endpoint.tick_until(Phase.PROMOTED)
        assert endpoint.alias == Routing("1")
        assert endpoint.state.champion.package.name == "m5"

    def test_one_whose_alias_is_gone_is_retired_all_the_same(self, watched):
        class Gone(MemoryLambda):
            def write(self, endpoint, routing, *, revision, alias=ALIAS, anchor=None):
                raise NotFound("endpoint", endpoint)

        watched.ports = replace(watched.ports, aliases=Gone())
        assert self.retire(watched).champion is None
        assert watched.actions[-2:] == ["fence", "retired"]

    def test_a_late_second_delete_does_not_retire_the_new_endpoint(self, endpoint):
        self.retire(endpoint, "delete-1")
        self.recreate(endpoint)
        endpoint.serve("m5")
        assert unchanged_by(endpoint, lambda: self.retire(endpoint, "delete-1")) is None

    def test_a_version_of_the_former_life_is_no_place_to_return_to(self, endpoint):
        endpoint.release("m2", "k2", plan=ALL_AT_ONCE)
        endpoint.tick_until(Phase.PROMOTED)
        self.retire(endpoint)
        self.recreate(endpoint)
        endpoint.serve("m5")
        endpoint.offer("broken", {"statusCode": 500})
        endpoint.release("broken")
        endpoint.tick_until(Phase.FAILED)
        endpoint.release("m6", "k6", plan=ALL_AT_ONCE)
        endpoint.tick_until(Phase.PROMOTED)
        # Version 2 served in the former life; in this one it is the package that failed.
        revert(endpoint.ports, NAME, version=None, author=Author("ann", "m6 is worse"))
        assert endpoint.alias == Routing("1")


@pytest.mark.parametrize("seen", ["fenced", "halfway"])
def test_a_package_that_is_being_taken_back_is_released_anew(watched, seen):
    """It can't be joined: a deploy would succeed and nothing would be released."""
    first = watched.rollout
    fence(watched.ports, watched.state, first, author=Author("ann", "worse"))
    if seen == "halfway":
        watched.world.functions.write(NAME, Routing("1"), revision=None)
    second = watched.release("m2", "k3")
    assert second.id != first.id
    assert (watched.rollout, watched.phase) == (second, Phase.PREPARING)
    assert watched.actions[-3:] == ["fence", "rolled-back", "release"]


def test_without_leave_to_supersede_it_waits_for_the_rollback(watched):
    first = watched.rollout
    fence(watched.ports, watched.state, first, author=Author("ann", "worse"))
    with pytest.raises(UnderWay, match="rolling_back"):
        watched.release("m2", "k3", supersede=False)
    assert watched.actions[-1] == "fence"


def test_time_does_not_matter_to_a_repeated_request(watched):
    watched.world.clock.pass_by(timedelta(days=3))
    assert unchanged_by(watched, lambda: watched.release("m2", "k2")).id == watched.rollout.id
