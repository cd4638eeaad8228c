"""Settings that change without a deploy: recorded, asked of the platform, taken back if refused."""

from dataclasses import replace

import pytest

from halftone.domain.audit import Author
from halftone.domain.endpoint.capacity import Capacity, Throttle, dump_capacity, patched_capacity
from halftone.domain.endpoint.spec import dump_upkeep, load_spec
from halftone.domain.errors import Conflict, InvalidInput, NotFound, PreconditionFailed, Unavailable
from halftone.service.endpoints.capacity import edit
from halftone.service.endpoints.retire import retire
from tests.support.deployments import ANN, say, served_by
from tests.support.engine import NAME


@pytest.fixture
def endpoint():
    return served_by("m1")


def test_settings_are_recorded_and_in_force(endpoint):
    say(edit, endpoint, {"concurrency": 20, "throttle": {"rate": 100, "burst": 50}})
    assert endpoint.world.scale.reserved == {NAME: 20}
    assert endpoint.world.scale.throttles == {NAME: Throttle(100.0, 50)}
    assert endpoint.state.upkeep == Capacity(concurrency=20, throttle=Throttle(100.0, 50))
    assert endpoint.history[-1].numbers == {
        "concurrency": {"was": None, "is": 20},
        "throttle": {"was": None, "is": {"rate": 100.0, "burst": 50}},
    }


def test_null_gives_a_setting_back_to_what_the_stage_says(endpoint):
    say(edit, endpoint, {"concurrency": 20, "throttle": {"rate": 100, "burst": 50}})
    say(edit, endpoint, {"concurrency": None, "throttle": None})
    assert (endpoint.world.scale.reserved, endpoint.world.scale.throttles) == ({}, {})


def test_what_is_not_named_stays(endpoint):
    say(edit, endpoint, {"description": "scores of fraud", "tags": {"team": "risk", "tier": "1"}})
    say(edit, endpoint, {"tags": {"tier": None, "cost": "7"}})
    upkeep = endpoint.state.upkeep
    assert (upkeep.description, upkeep.tags) == ("scores of fraud", {"team": "risk", "cost": "7"})
    assert endpoint.world.scale.reserved == {}


def test_saying_the_same_again_asks_and_records_nothing(endpoint):
    say(edit, endpoint, {"concurrency": 20})
    endpoint.world.scale.reserved.clear()
    before = endpoint.actions
    say(edit, endpoint, {"concurrency": 20})
    assert endpoint.world.scale.reserved == {NAME: 20}
    assert endpoint.actions == before


@pytest.mark.parametrize(
    "changes", [{"concurrency": 5000}, {"description": "x", "concurrency": 950}]
)
def test_what_the_platform_refuses_is_taken_back_on_record(endpoint, changes):
    say(edit, endpoint, {"concurrency": 20})
    with pytest.raises(Conflict, match="of which 100 stay unreserved"):
        say(edit, endpoint, changes)
    assert endpoint.state.upkeep.concurrency == 20
    assert endpoint.world.scale.reserved == {NAME: 20}
    assert endpoint.actions[-2:] == ["settings", "refused"]


def test_of_two_settings_none_stays_when_the_second_is_refused(endpoint):
    class NoThrottle:
        def throttle(self, *_):
            raise Conflict("API Gateway said no")

    ports = replace(endpoint.ports, gate=NoThrottle())
    with pytest.raises(Conflict, match="said no"):
        edit(
            ports, NAME, {"concurrency": 20, "throttle": {"rate": 1, "burst": 1}},
            author=Author("ann", ""), )  # fmt: skip
    assert endpoint.state.upkeep == Capacity()
    assert endpoint.world.scale.reserved == {}


def test_what_the_platform_did_not_hear_stays_wanted(endpoint):
    class Deaf:
        def reserve(self, *_):
            raise Unavailable("no answer")

    with pytest.raises(Unavailable):
        edit(
            replace(endpoint.ports, scaling=Deaf()), NAME, {"concurrency": 9},
            author=Author("ann", ""), )  # fmt: skip
    assert endpoint.state.upkeep.concurrency == 9


def test_an_edit_of_what_was_seen_before_is_outdated(endpoint):
    revision = endpoint.state.revision
    say(edit, endpoint, {"description": "one"}, author=ANN["author"].at(revision))
    with pytest.raises(PreconditionFailed):
        say(edit, endpoint, {"description": "two"}, author=ANN["author"].at(revision))
    assert endpoint.state.upkeep.description == "one"


def test_an_endpoint_that_is_not_there_is_named(endpoint):
    with pytest.raises(NotFound, match="'spam'"):
        edit(endpoint.ports, "spam", {}, author=Author("ann", ""))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"concurrency": 0}, "concurrency"),
        ({"concurrency": True}, "concurrency"),
        ({"concurrency": 2.5}, "concurrency"),
        ({"throttle": 100}, "throttle"),
        ({"throttle": {"rate": 100}}, "throttle.burst"),
        ({"throttle": {"burst": 5}}, "throttle.rate"),
        ({"throttle": {"rate": 0, "burst": 5}}, "throttle.rate"),
        ({"throttle": {"rate": float("nan"), "burst": 5}}, "throttle.rate"),
        ({"throttle": {"rate": 1, "burst": 5, "quota": 1}}, "throttle.quota"),
        ({"description": 7}, "description"),
        ({"description": "x" * 201}, "description"),
        ({"description": "\ud800"}, "description"),
        ({"tags": "x"}, "tags"),
        ({"tags": {"": "x"}}, "tags"),
        ({"tags": {"size": 3}}, "tags.size"),
        ({"tags": {str(n): "x" for n in range(51)}}, "tags"),
        ({"memory": 512}, "memory"),
        ([], "settings"),
    ],
)
def test_what_cant_be_set_is_refused_by_field(endpoint, changes, field):
    before = endpoint.state
    with pytest.raises(InvalidInput) as caught:
        say(edit, endpoint, changes)
    assert caught.value.field == field
    assert endpoint.state == before


def test_settings_read_as_they_were_given():
    full = Capacity("d", {"a": "b"}, 5, Throttle(1.5, 3))
    assert patched_capacity(Capacity(), dump_capacity(full)) == full
    assert patched_capacity(full, dump_capacity(Capacity())) == Capacity(tags={"a": "b"})


def test_a_retired_endpoint_leaves_no_throttle_behind(endpoint):
    say(edit, endpoint, {"throttle": {"rate": 1, "burst": 1}})
    retire(endpoint.ports, NAME, author=Author("cfn", "deleted"))
    assert endpoint.world.scale.throttles == {}
    assert endpoint.state.upkeep == Capacity()


def test_the_file_says_it_in_the_same_words():
    fields = {"name": "fraud", "model": "m", "concurrency": 20, "throttle": {"rate": 9, "burst": 3}}
    assert dump_upkeep(load_spec(fields)) == {
        "concurrency": 20, "throttle": {"rate": 9.0, "burst": 3},
    }  # fmt: skip
    assert dump_upkeep(load_spec({"name": "fraud", "model": "m"})) == {}
    with pytest.raises(InvalidInput, match=r"throttle\.burst is None"):
        load_spec({**fields, "throttle": {"rate": 9}})
