"""Deployments one by one: what is told of them, and what may be done to them and what not."""

from dataclasses import replace

import pytest

from halftone.domain.audit import Author
from halftone.domain.endpoint.deployment_status import Past, deployment_status
from halftone.domain.endpoint.state import Placed
from halftone.domain.errors import Conflict, InvalidInput, NotFound, PreconditionFailed, Unavailable
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import Routing
from halftone.domain.traffic.policy import Match, Mirror, Portion, Rule
from halftone.service.deployments import changes
from halftone.service.deployments.changes import delete, rename, start, stop
from halftone.service.deployments.deployments import listed, shown
from halftone.service.deployments.scale import scale
from halftone.service.endpoints.retire import retire
from halftone.service.releases.revert import revert
from halftone.service.rollouts.rollback import roll_back
from tests.support.deployments import ANN, say, served_by, standings, told, write
from tests.support.engine import NAME, Endpoint
from tests.support.rollouts import rollout


@pytest.fixture
def endpoint():
    """Version 3 is the champion; 1 and 2 were before it."""
    return served_by("m1", "m2", "m3")


def record(endpoint):
    return endpoint.state, endpoint.actions, set(endpoint.world.functions.deleted)


def refused(endpoint, operation, *what, match):
    before = record(endpoint)
    with pytest.raises(Conflict, match=match):
        say(operation, endpoint, *what)
    assert record(endpoint) == before


# What is told


def test_deployments_are_told_newest_first_with_their_ends(endpoint):
    assert told(endpoint) == {
        "3": ("Deployed", "the champion, with 100 % of the requests"),
        "2": ("Deployed", "answers requests that name it; it was champion"),
        "1": ("Deployed", "answers requests that name it; it was champion"),
    }
    assert list(told(endpoint)) == ["3", "2", "1"]


def test_a_challenger_is_deploying_until_it_is_admitted(endpoint):
    published = replace(endpoint.state.champion, version="4")
    under_way = rollout(Phase.PREPARING, champion="3", challenger="4", share=0.0)
    state = write(endpoint, rollout=under_way)
    result = deployment_status(state, endpoint.world.functions.both(NAME), Past(), published)
    assert (result.status, result.share) == ("Deploying", 0.0)
    assert result.message == "published for fraud-r1, not admitted yet"


def test_a_challenger_is_told_with_its_share(endpoint):
    endpoint.release("m4")
    endpoint.tick_until(Phase.OBSERVING)
    result = standings(endpoint)
    assert (result["4"].status, result["4"].share) == ("Deployed", 5.0)
    assert result["4"].message == "the challenger, observing at 5 %"
    assert result["3"].share == 95.0


def test_what_failed_and_what_was_rolled_back_say_why(endpoint):
    endpoint.offer("m4", {"statusCode": 500, "body": "no"})
    endpoint.release("m4")
    endpoint.tick_until(Phase.FAILED)
    assert told(endpoint)["4"][0] == "Failed"
    assert "sample 1 of 1" in told(endpoint)["4"][1]
    endpoint.release("m5")
    endpoint.tick_until(Phase.OBSERVING)
    roll_back(endpoint.ports, NAME, author=Author("ben", "too slow"))
    status, message = told(endpoint)["5"]
    assert status in ("Stopped", "Deployed")
    assert message.endswith("rolled back: too slow")


def test_one_deployment_is_shown_by_version_or_name(endpoint):
    say(rename, endpoint, "2", "blue")
    _, by_name = shown(endpoint.ports, NAME, "blue")
    state, by_version = shown(endpoint.ports, NAME, "2")
    assert by_name == by_version
    assert (by_name.standing.name, by_name.number) == ("blue", 1)
    assert state == endpoint.state


def test_what_is_not_there_is_named(endpoint):
    with pytest.raises(NotFound, match="no deployment '9'; 'fraud' has 1, 2, 3"):
        shown(endpoint.ports, NAME, "9")
    with pytest.raises(NotFound, match="'spam'"):
        listed(endpoint.ports, "spam")


def test_versions_of_an_endpoint_made_anew_are_not_the_old_ones(endpoint):
    retire(endpoint.ports, NAME, author=Author("cfn", "gone"))
    assert told(endpoint) == {}
    endpoint.world.functions.versions[NAME] = []
    endpoint.world.functions.pointers.clear()
    endpoint.serve("m9")
    assert list(told(endpoint)) == ["1"]
    assert standings(endpoint)["1"].deployment.package.name == "m9"


# Stop and start


def test_a_deployment_is_stopped_and_started_again(endpoint):
    say(stop, endpoint, "1")
    assert told(endpoint)["1"] == ("Stopped", "spring cleaning")
    say(start, endpoint, "1")
    assert told(endpoint)["1"][0] == "Deployed"
    assert endpoint.actions[-2:] == ["stopped", "started"]
    assert endpoint.history[-1].numbers["version"] == "1"


def test_what_is_said_again_is_no_change(endpoint):
    for operation in (stop, stop, start, start):
        say(operation, endpoint, "1")
    assert endpoint.actions[-2:] == ["stopped", "started"]


def test_stopping_gives_the_replicas_back(endpoint):
    say(scale, endpoint, "1", 3)
    say(stop, endpoint, "1")
    assert endpoint.world.scale.replicas == {}
    assert endpoint.state.upkeep.replicas == {}


def test_what_is_returned_to_is_started(endpoint):
    say(stop, endpoint, "1")
    revert(endpoint.ports, NAME, version="1", author=Author("ben", "3 drifts"))
    assert told(endpoint)["1"] == ("Deployed", "the champion, with 100 % of the requests")
    assert not any(placed.stopped for placed in endpoint.state.placed)


# Names


def test_a_name_is_another_word_for_the_version(endpoint):
    say(rename, endpoint, "1", "blue")
    assert standings(endpoint)["1"].name == "blue"
    refused(endpoint, rename, "2", "blue", match="version 1 of 'fraud' is called 'blue' already")
    say(rename, endpoint, "blue", "1")
    say(rename, endpoint, "2", "blue")
    assert standings(endpoint)["2"].name == "blue"


def test_what_is_named_for_good_does_not_grow_without_end(endpoint, monkeypatch):
    monkeypatch.setattr(changes, "MOST_NAMED", 1)
    say(rename, endpoint, "1", "blue")
    refused(endpoint, rename, "2", "green", match="that of version 1 by naming it '1'")
    say(rename, endpoint, "blue", "azure")
    say(rename, endpoint, "azure", "1")
    say(rename, endpoint, "2", "green")
    assert standings(endpoint)["2"].name == "green"


@pytest.mark.parametrize("name", ["champion", "challenger", "Blue", "", "7", "a b", "x" * 40])
def test_what_is_no_name_is_refused(endpoint, name):
    before = record(endpoint)
    with pytest.raises(InvalidInput, match="name is"):
        say(rename, endpoint, "1", name)
    assert record(endpoint) == before


# Delete


def test_a_deleted_deployment_is_gone_and_stays_on_record(endpoint):
    say(delete, endpoint, "1")
    assert (NAME, "1") in endpoint.world.functions.deleted
    assert list(told(endpoint)) == ["3", "2"]
    assert told(endpoint, deleted=True)["1"] == ("Stopped", "deleted: spring cleaning")
    assert [placed.version for placed in endpoint.state.placed] == ["2", "3"]
    assert endpoint.actions[-1] == "deleted"


def test_the_former_champion_may_go_once_another_serves(endpoint):
    say(delete, endpoint, "2")
    say(delete, endpoint, "1")
    assert list(told(endpoint)) == ["3"]


def test_nobody_returns_to_what_was_deleted(endpoint):
    say(delete, endpoint, "1")
    with pytest.raises(NotFound, match="'1'; 'fraud' was served by 2, 3"):
        revert(endpoint.ports, NAME, version="1", author=Author("ben", "no"))


@pytest.mark.parametrize("operation", [stop, delete])
class TestWhatRequestsMeetStays:
    def test_the_champion(self, endpoint, operation):
        refused(endpoint, operation, "3", match="it is the champion")

    def test_the_challenger_and_the_champion_of_a_rollout(self, endpoint, operation):
        endpoint.release("m4")
        endpoint.tick_until(Phase.OBSERVING)
        refused(endpoint, operation, "4", match="rollout fraud-.* is observing")
        refused(endpoint, operation, "3", match="it is the champion")

    @pytest.mark.parametrize(
        ("serving", "why"),
        [
            ({"split": (Portion("1", 20.0),)}, "a share of the traffic goes to it"),
            ({"rules": (Rule(Match(), "1"),)}, "a routing rule sends requests to it"),
            ({"mirror": Mirror("1", 10.0)}, "requests are mirrored to it"),
        ],
    )
    def test_what_a_rule_sends_requests_to(self, endpoint, operation, serving, why):
        write(endpoint, serving=replace(endpoint.state.serving, **serving))
        refused(endpoint, operation, "1", match=why)

    @pytest.mark.parametrize("alias", ["live", "challenger"])
    def test_what_an_alias_points_at(self, endpoint, operation, alias):
        functions = endpoint.world.functions
        functions.write(NAME, Routing("3", "1", 1.0), revision=None, alias=alias)
        refused(endpoint, operation, "1", match=f"the alias '{alias}' points at it")


def test_the_last_one_that_answered_well_stays(endpoint):
    say(delete, endpoint, "1")
    say(delete, endpoint, "2")
    write(endpoint, champion=None, rollout=None)
    endpoint.world.functions.write(NAME, Routing("$LATEST"), revision=None)
    endpoint.world.functions.write(NAME, Routing("$LATEST"), revision=None, alias="challenger")
    refused(endpoint, delete, "3", match="the last of 'fraud' that is known to have answered well")


class Breaking:
    """Versions of which none can be deleted as long as ``broken``."""

    def __init__(self, real):
        self.real, self.broken = real, True

    def __getattr__(self, name):
        return getattr(self.real, name)

    def delete(self, endpoint, version):
        if self.broken:
            raise Unavailable("Lambda did not answer")
        self.real.delete(endpoint, version)


def test_a_deletion_that_broke_off_is_finished_when_asked_again(endpoint):
    versions = Breaking(endpoint.world.functions)
    ports = replace(endpoint.ports, versions=versions)
    with pytest.raises(Unavailable):
        delete(ports, NAME, "1", author=Author("ann", "old"))
    assert told(endpoint, deleted=True)["1"] == ("Stopped", "deleted: old")
    versions.broken = False
    delete(ports, NAME, "1", author=Author("ann", "old"))
    assert (NAME, "1") in endpoint.world.functions.deleted
    assert endpoint.actions.count("deleted") == 1


def test_an_edit_of_what_was_seen_before_is_outdated(endpoint):
    revision = endpoint.state.revision
    say(stop, endpoint, "1", author=ANN["author"].at(revision))
    for operation, what in ((start, ()), (rename, ("blue",)), (scale, (2,))):
        with pytest.raises(PreconditionFailed, match=f"at revision {revision + 1}, not {revision}"):
            say(operation, endpoint, "2", *what, author=ANN["author"].at(revision))


# Replicas


def test_replicas_are_recorded_and_asked_of_the_platform(endpoint):
    say(scale, endpoint, "2", 3)
    assert endpoint.world.scale.replicas == {(NAME, "2"): 3}
    assert shown(endpoint.ports, NAME, "2")[1].replicas.ready == 3
    assert endpoint.history[-1].numbers == {
        "version": "2", "package": endpoint.history[-1].numbers["package"], "replicas": 3, "was": 0,
    }  # fmt: skip
    say(scale, endpoint, "2", 0)
    assert endpoint.world.scale.replicas == {}


def test_what_the_platform_refuses_is_taken_back_on_record(endpoint):
    say(scale, endpoint, "2", 1)
    endpoint.world.scale.refusal = "SnapStart does not go with provisioned concurrency"
    with pytest.raises(Conflict, match="SnapStart"):
        say(scale, endpoint, "2", 5)
    assert endpoint.state.upkeep.replicas == {"2": 1}
    assert endpoint.actions[-2:] == ["scaled", "refused"]


def test_what_the_platform_did_not_hear_is_asked_again(endpoint):
    class Deaf:
        def provision(self, *_):
            raise Unavailable("no answer")

    deaf = replace(endpoint.ports, scaling=Deaf())
    with pytest.raises(Unavailable):
        scale(deaf, NAME, "2", 2, author=Author("ann", ""))
    assert endpoint.state.upkeep.replicas == {"2": 2}
    say(scale, endpoint, "2", 2)
    assert endpoint.world.scale.replicas == {(NAME, "2"): 2}
    assert endpoint.actions.count("scaled") == 1


def test_what_takes_no_requests_has_no_replicas(endpoint):
    say(stop, endpoint, "1")
    refused(endpoint, scale, "1", 2, match="takes no requests: start it first")
    write(endpoint, placed=(Placed("3", "3"),))
    refused(endpoint, scale, "2", 2, match="takes no requests")
    with pytest.raises(InvalidInput, match="replicas is 101"):
        say(scale, endpoint, "3", 101)


def test_a_first_release_has_a_deployment_that_is_on_its_way():
    endpoint = Endpoint()
    endpoint.release("m1")
    assert told(endpoint) == {}
