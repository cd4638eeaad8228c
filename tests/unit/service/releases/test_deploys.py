"""Deploys that succeed, are refused, fail late, return, rename, replace and delete late."""

from dataclasses import replace
from typing import Any

import pytest

from halftone.domain.audit import Author
from halftone.domain.endpoint.capacity import Capacity, Throttle
from halftone.domain.endpoint.deploy_fields import live_fields
from halftone.domain.endpoint.state import Placed
from halftone.domain.errors import Conflict, HalftoneError, Unavailable
from halftone.domain.model.registry import ModelReference
from halftone.domain.model.schema import Field, FieldType
from halftone.domain.rollout.deploys import Deploys
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import Plan
from halftone.domain.traffic.policy import Access, Capture, Match, Mode
from halftone.service.endpoints import policy
from halftone.service.endpoints.availability import disable
from halftone.service.endpoints.capacity import edit
from halftone.service.endpoints.clients import add_client
from halftone.service.endpoints.endpoints import set_owner
from halftone.service.groups import make_group
from halftone.service.registry.registry import describe, registered
from halftone.service.releases.revert import revert
from halftone.service.rollouts import operate
from halftone.service.unit_of_work import commit
from tests.support.cloudformation import Declared, Stack, deliver
from tests.support.engine import ALL_AT_ONCE, NAME, Endpoint, manifest_of
from tests.support.rollouts import PLAN
from tests.support.serving import BEN, guarded


def deployed(**declared: Any) -> tuple[Endpoint, Stack, Declared]:
    """m1 serves as version 1 at an endpoint that a stack has made."""
    endpoint = Endpoint()
    for group in ("clinic", "bank", "lab"):
        make_group(endpoint.ports, group, description="", members={}, author=Author("ann", ""))
    stack = Stack(endpoint)
    first = Declared(**declared)
    assert stack.deploy(first), stack.error
    endpoint.tick_until(Phase.PROMOTED)
    return endpoint, stack, first


def given_to(endpoint: Endpoint, group: str | None) -> None:
    """By word of an admin."""
    set_owner(
        endpoint.ports,
        NAME,
        owner=group,
        self_approval=None,
        author=Author("ben", ""),
    )


def content(endpoint: Endpoint, name: str = NAME) -> tuple[object, ...]:
    """Everything of the state that deploys and people set, and what serves."""
    state = endpoint.world.store.load(name)
    assert state
    return state.serving, state.upkeep, state.about.owner, state.champion, state.active


# A deploy that succeeds ----------------------------------------------------------------------


def test_a_first_deploy_applies_all_before_anything_serves():
    endpoint = Endpoint()
    stack = Stack(endpoint)
    assert stack.update(
        Declared(serving={"access": "private", "mode": "guarded"}, upkeep={"concurrency": 20})
    )
    assert endpoint.actions == ["settings", "declared", "release"]
    declared = endpoint.history[1]
    assert declared.reason == "endpoint.yaml changed in access, mode"
    assert declared.numbers["access"] == {"was": "public", "is": "private"}
    assert endpoint.state.serving.access is Access.PRIVATE
    assert endpoint.state.about.creator == "cloudformation/fraud"
    assert endpoint.world.scale.reserved == {NAME: 20}
    endpoint.tick_until(Phase.PROMOTED)
    assert endpoint.state.serving.mode is Mode.GUARDED


def test_a_persons_change_survives_a_deploy_without_it():
    endpoint, stack, first = deployed(
        serving={"capture": 10}, upkeep={"concurrency": 20, "tags": {"team": "risk", "tier": "1"}}
    )
    policy.set_capture(endpoint.ports, NAME, 25, **BEN)
    edit(endpoint.ports, NAME, {"concurrency": 30, "tags": {"cost": "7"}}, **BEN)
    second = first.but(
        serving={"capture": 10, "access": "private"},
        upkeep={"concurrency": 20, "tags": {"team": "fraud"}, "description": "new"},
    )
    assert stack.deploy(second)
    state = endpoint.state
    assert (state.serving.access, state.serving.capture) == (Access.PRIVATE, Capture(25.0))
    assert state.upkeep == Capacity("new", {"team": "fraud", "cost": "7"}, 30)
    assert endpoint.world.scale.reserved == {NAME: 30}
    assert stack.deploy(first.but(serving={}, upkeep={}))
    state = endpoint.state
    assert (state.serving.access, state.serving.capture) == (Access.PUBLIC, Capture(0.0))
    assert state.upkeep == Capacity("", {"cost": "7"})
    assert endpoint.world.scale.reserved == {}


def test_a_deploy_changes_the_mode_and_supersedes_a_rollout():
    endpoint, stack, first = deployed()
    second = first.but(model="m2")
    assert stack.deploy(second)
    endpoint.tick_until(Phase.OBSERVING)
    with pytest.raises(AssertionError, match="keeps the mode that it began with"):
        stack.deploy_and_fail(second.but(serving={"mode": "guarded"}))
    assert endpoint.phase is Phase.OBSERVING
    stack.go_back()
    assert endpoint.phase is Phase.OBSERVING
    assert stack.deploy(second.but(model="m3", serving={"mode": "guarded"})), stack.error
    assert endpoint.rollout
    assert (endpoint.rollout.package.name, endpoint.rollout.mode) == ("m3", Mode.GUARDED)
    assert endpoint.actions[-3:] == ["declared", "rolled-back", "release"]
    assert endpoint.history[-3].after["phase"] == "rolling_back"


def test_a_changed_group_gives_away_and_admins_decide():
    endpoint, stack, first = deployed(group="clinic")
    assert stack.deploy(first.but(group="bank"))
    assert endpoint.state.about.owner == "bank"
    given_to(endpoint, "lab")
    assert stack.deploy(first.but(group="bank", serving={"capture": 1}))
    assert endpoint.state.about.owner == "lab"
    assert not stack.deploy(first.but(group="clinic"))
    assert "group 'lab' owns it on record" in str(stack.error)
    assert endpoint.state.about.owner == "lab"


# A deploy that fails late --------------------------------------------------------------------

CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "access": ({"serving": {"access": "private"}}, {"serving": {"access": "public"}}),
    "access, no longer declared": ({"serving": {"access": "private"}}, {"serving": {}}),
    "access, closed": ({}, {"serving": {"access": "private"}}),
    "mode": ({}, {"serving": {"mode": "guarded"}, "settings": "s2"}),
    "mode and key": (
        {},
        {"serving": {"mode": "guarded", "key": {"header": "x-user"}}, "settings": "s2"},
    ),
    "capture": ({"serving": {"capture": 10}}, {"serving": {"capture": 100}}),
    "label, salt, budget": ({}, {"serving": {"label": "y", "salt": "s", "latency_budget": "1s"}}),
    "stopped": ({}, {"serving": {"stopped": "for now"}}),
    "started": ({"serving": {"stopped": "for now"}}, {}),
    "no traffic": ({}, {"serving": {"traffic": {"champion": 0}}}),
    "owner": ({"group": "clinic"}, {"group": "bank"}),
    "limits": (
        {"upkeep": {"concurrency": 20}},
        {"upkeep": {"throttle": {"rate": 9, "burst": 3}}},
    ),
    "tags": (
        {"upkeep": {"tags": {"a": "1", "b": "2"}, "description": "d"}},
        {"upkeep": {"tags": {"b": "3", "c": "4"}}},
    ),
    "model": ({}, {"model": "m2"}),
    "settings": ({}, {"settings": "s2"}),
    "model and access": (
        {"serving": {"access": "private"}},
        {"model": "m2", "serving": {"access": "public"}},
    ),
}


@pytest.mark.parametrize("repeats", [1, 2])
@pytest.mark.parametrize("name", CHANGES)
def test_what_a_deploy_changed_is_as_it_was_when_it_fails_late(name, repeats):
    before, after = CHANGES[name]
    endpoint, stack, _ = deployed(**before)
    stack.repeats = repeats
    was = content(endpoint)
    scale = endpoint.world.scale
    limits = dict(scale.reserved), dict(scale.throttles)
    declared = Declared(**after)
    assert stack.update(declared), stack.error
    assert content(endpoint) != was
    stack.go_back()
    assert content(endpoint) == was
    assert (scale.reserved, scale.throttles) == limits
    for index in range(len(stack.sent)):
        stack.again(index)
        assert content(endpoint) == was
    # The deploy after it is merged with what is in force.
    assert stack.deploy(declared), stack.error
    assert endpoint.state.deploys.declared
    assert endpoint.state.deploys.declared.fields == declared_fields(declared)


def declared_fields(declared: Declared) -> dict[str, Any]:
    upkeep = {n: v for n, v in declared.upkeep.items() if n != "tags"}
    tags = {f"tags.{n}": v for n, v in declared.upkeep.get("tags", {}).items()}
    owner = {"group": declared.group} if declared.group else {}
    return {**declared.serving, **upkeep, **tags, **owner}


BLUE = [{"match": {"headers": {"x-tier": ["internal"]}}, "to": "blue"}]
GREEN = [{"match": {"headers": {"x-tier": ["internal"]}}, "to": "green"}]
BY_VERSION: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "traffic to what has served": ({}, {"traffic": {"champion": 60, "blue": 40}}),
    "other traffic": (
        {"traffic": {"champion": 90, "blue": 10}},
        {"traffic": {"champion": 10, "blue": 90}},
    ),
    "no traffic": ({"traffic": {"champion": 90, "blue": 10}}, {"traffic": {"champion": 0}}),
    "traffic to what never served": ({}, {"traffic": {"champion": 60, "green": 40}}),
    "no traffic to what never served": ({"traffic": {"champion": 60, "green": 40}}, {}),
    "rules": ({"rules": BLUE}, {"rules": GREEN}),
    "mirror": ({"mirror": {"to": "blue", "share": 10}}, {"mirror": {"to": "green", "share": 99}}),
}


def beside(**serving: Any) -> tuple[Endpoint, Stack, Declared]:
    """Champion 2 in mode guarded beside blue (1), which has served, and green (3), a new one."""
    endpoint = guarded(unproven=0)
    state = endpoint.state
    deployment = replace(endpoint.world.store.deployments(NAME)[-1], version="3")
    endpoint.world.functions.versions[NAME].append(endpoint.world.functions.versions[NAME][-1])
    commit(
        endpoint.ports,
        state,
        replace(state, placed=(*state.placed, Placed("3", "green"))),
        action="placed",
        author=Author("t", "t"),
        deployment=deployment,
    )
    stack = Stack(endpoint)
    first = Declared("second", serving={"mode": "guarded", **serving})
    assert stack.deploy(first), stack.error
    return endpoint, stack, first


@pytest.mark.parametrize("model", ["second", "m4"])
@pytest.mark.parametrize("name", BY_VERSION)
def test_what_names_deployments_is_as_it_was_too(name, model):
    before, after = BY_VERSION[name]
    endpoint, stack, first = beside(**before)
    was = live_fields(endpoint.state)
    changed = first.but(model=model, serving={"mode": "guarded", **after})
    assert stack.update(changed), stack.error
    assert live_fields(endpoint.state) != was or model == "m4"
    stack.go_back()
    assert live_fields(endpoint.state) == was
    assert endpoint.champion == "2"


def test_a_share_that_can_not_be_given_back_is_the_champions():
    endpoint, stack, first = beside(traffic={"champion": 90, "blue": 10})
    changed = first.but(serving={"mode": "guarded", "traffic": {"champion": 50, "blue": 50}})
    assert stack.update(changed), stack.error
    state = endpoint.state
    placed = tuple(replace(p, stopped="it errs") if p.name == "blue" else p for p in state.placed)
    commit(
        endpoint.ports, state, replace(state, placed=placed), action="t", author=Author("t", "t")
    )
    stack.go_back()
    assert live_fields(endpoint.state)["traffic"] == {"champion": 100}
    assert "it errs" in str(endpoint.history[-1].numbers["kept"])


def test_what_people_set_around_a_deploy_outlives_its_failure():
    endpoint, stack, first = deployed(serving={"access": "public", "capture": 10})
    policy.set_access(endpoint.ports, NAME, "private", **BEN)
    assert stack.update(
        first.but(model="m2", serving={"access": "public", "capture": 20, "label": "y"})
    )
    policy.set_capture(endpoint.ports, NAME, 30, **BEN)
    edit(endpoint.ports, NAME, {"description": "ours"}, **BEN)
    stack.go_back()
    serving = endpoint.state.serving
    assert (serving.access, serving.capture, serving.label) == (
        Access.PRIVATE, Capture(30.0), "",
    )  # fmt: skip
    assert endpoint.state.upkeep.description == "ours"
    assert endpoint.champion == "1"


def test_what_people_set_to_the_value_that_it_had_stays_too():
    """Whoever says private is not to find the endpoint public, because a deploy had said so."""
    endpoint, stack, first = deployed(group="clinic")
    changed = first.but(
        serving={"access": "private", "stopped": "for now"},
        upkeep={"concurrency": 5, "tags": {"a": "1"}},
        group="bank",
    )
    assert stack.update(changed), stack.error
    policy.set_access(endpoint.ports, NAME, "private", **BEN)
    edit(endpoint.ports, NAME, {"concurrency": 5, "tags": {"a": "1"}}, **BEN)
    disable(endpoint.ports, NAME, author=Author("ben", "for now"))
    given_to(endpoint, "bank")
    was = content(endpoint)
    stack.go_back()
    assert content(endpoint) == was


def test_a_failed_deploy_ends_its_rollout_and_nobody_elses():
    endpoint, stack, first = deployed()
    assert stack.update(first.but(model="m2"))
    endpoint.tick_until(Phase.OBSERVING)
    stack.go_back()
    assert endpoint.phase is Phase.ROLLED_BACK
    assert stack.update(first.but(model="m3"))
    theirs = endpoint.release("m4", "theirs", actor="ben")
    endpoint.tick_until(Phase.OBSERVING)
    stack.go_back()
    assert theirs
    assert endpoint.rollout
    assert (endpoint.rollout.id, endpoint.phase) == (theirs.id, Phase.OBSERVING)


def test_the_return_releases_nothing_over_what_people_released():
    endpoint, stack, first = deployed()
    endpoint.release("m9", "theirs", plan=ALL_AT_ONCE, actor="ben")
    endpoint.tick_until(Phase.PROMOTED)
    stack.deploy_and_fail(first.but(settings="s2", serving={"access": "private"}))
    assert endpoint.phase is Phase.ROLLED_BACK
    assert endpoint.state.champion
    assert endpoint.state.champion.package.name == "m9"
    assert endpoint.state.serving.access is Access.PUBLIC


@pytest.mark.parametrize("later", ["nothing", "a release that was rolled back"])
def test_a_model_promoted_by_a_failed_deploy_gives_way(later):
    endpoint, stack, first = deployed()
    assert stack.update(first.but(model="m2", plan=ALL_AT_ONCE))
    endpoint.tick_until(Phase.PROMOTED)
    if later != "nothing":
        endpoint.release("m3", "theirs", actor="ben")
        endpoint.tick_until(Phase.OBSERVING)
        operate.abort(endpoint.ports, NAME, **BEN)
    assert endpoint.champion == "2"
    stack.go_back()
    assert endpoint.champion == "1"
    assert endpoint.alias.main == "1"
    reverted = endpoint.history[-1]
    assert (reverted.action, reverted.actor) == ("reverted", "cloudformation/fraud")


def test_a_model_that_people_promoted_stays():
    endpoint, stack, first = deployed(serving={"capture": 10})
    assert stack.update(first.but(model="m2", serving={"capture": 20}))
    endpoint.tick_until(Phase.OBSERVING)
    operate.promote(endpoint.ports, NAME, **BEN)
    endpoint.tick_until(Phase.PROMOTED)
    stack.go_back()
    assert endpoint.champion == "2"
    assert endpoint.state.serving.capture == Capture(10.0)
    stored = endpoint.history[-1].numbers["kept"]
    assert stored == {"champion": "ben has decided for version 2: promote-now"}


def test_a_model_that_people_returned_to_stays():
    endpoint, stack, first = deployed()
    assert stack.update(first.but(model="m2", plan=ALL_AT_ONCE))
    endpoint.tick_until(Phase.PROMOTED)
    endpoint.serve("m3")
    revert(endpoint.ports, NAME, version="2", **BEN)
    stack.go_back()
    assert endpoint.champion == "2"
    stored = endpoint.history[-1].numbers["kept"]
    assert stored == {"champion": "ben has decided for version 2: return"}


def test_a_model_that_something_rolls_out_from_stays():
    endpoint, stack, first = deployed()
    assert stack.update(first.but(model="m2", plan=ALL_AT_ONCE))
    endpoint.tick_until(Phase.PROMOTED)
    theirs = endpoint.release("m3", "theirs", actor="ben")
    stack.go_back()
    assert endpoint.champion == "2"
    assert endpoint.rollout == theirs


def test_a_wish_to_have_the_old_file_is_no_return():
    endpoint, stack, first = deployed()
    assert stack.deploy(first.but(model="m2", plan=ALL_AT_ONCE))
    endpoint.tick_until(Phase.PROMOTED)
    policy.set_access(endpoint.ports, NAME, "private", **BEN)
    assert stack.deploy(first), stack.error
    assert endpoint.phase is Phase.PREPARING
    assert endpoint.rollout
    assert endpoint.rollout.package.name == "m1"
    assert endpoint.state.serving.access is Access.PRIVATE


def test_where_the_status_can_not_be_read_it_is_a_return():
    endpoint, stack, first = deployed(serving={"access": "private"})
    assert stack.update(first.but(model="m2", serving={"access": "public"}))
    endpoint.world.stacks.silent = True
    was = endpoint.rollout
    stack.go_back()
    assert was
    assert endpoint.rollout
    assert (endpoint.rollout.id, endpoint.phase) == (was.id, Phase.ROLLED_BACK)
    assert endpoint.state.serving.access is Access.PRIVATE
    # And what does not is a deploy.
    assert stack.deploy(first.but(model="m3")), stack.error
    assert endpoint.phase is Phase.PREPARING


def test_without_rollback_a_deploy_goes_on_from_the_failed_one():
    endpoint, stack, first = deployed(serving={"access": "private", "capture": 10})
    policy.set_capture(endpoint.ports, NAME, 15, **BEN)
    was = content(endpoint)
    assert stack.update(first.but(serving={"access": "public", "capture": 20}))
    # `cdk deploy --no-rollback`: the stack is UPDATE_FAILED, and the next deploy starts from there.
    stack.status = "UPDATE_FAILED"
    assert stack.update(first.but(serving={"access": "public", "capture": 30, "label": "y"}))
    assert endpoint.state.serving.capture == Capture(30.0)
    stack.go_back()
    assert content(endpoint) == was


def test_a_return_that_was_left_out_is_made_up_for():
    """`continue-update-rollback --resources-to-skip`: CloudFormation believes that it is back."""
    endpoint, stack, first = deployed(serving={"access": "private"})
    assert stack.update(first.but(model="m2", serving={"access": "public"}))
    stack.resources = dict(stack.stable)
    stack.status = "UPDATE_ROLLBACK_COMPLETE"
    assert stack.deploy(first.but(serving={"access": "private", "capture": 5})), stack.error
    assert endpoint.state.serving.access is Access.PRIVATE
    assert endpoint.state.serving.capture == Capture(5.0)
    assert endpoint.phase is Phase.ROLLED_BACK


def test_a_deploy_that_arrives_after_its_return_applies_nothing():
    endpoint, stack, first = deployed(serving={"access": "private"})
    was = content(endpoint)
    original, lost = stack.endpoint, Endpoint()
    stack.endpoint = lost  # the event goes nowhere; CloudFormation gives up after an hour
    stack.update(first.but(model="m2", serving={"access": "public"}))
    event = stack.sent[-1]
    stack.endpoint = original
    stack.resources["Release"] = type(stack.resources["Release"])(
        stack.resources["Release"].physical, event["ResourceProperties"]
    )
    original.request("m2")
    stack.status = "UPDATE_ROLLBACK_IN_PROGRESS"
    deliver(endpoint, event)
    assert content(endpoint) == was
    stack.go_back()
    deliver(endpoint, event)
    assert content(endpoint) == was


# A deploy that is refused --------------------------------------------------------------------


MATCHING = Plan(
    (
        replace(PLAN.stages[0], match=Match(headers={"x-tier": ("internal",)})),
        *PLAN.stages[1:],
    )
)

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "mirror to nobody": ({"serving": {"mirror": {"pink": 5}, "capture": 20}}, "no deployment"),
    "rule to nobody": (
        {
            "serving": {
                "mode": "guarded",
                "rules": [{"match": {"headers": {"a": ["b"]}}, "to": "x"}],
            }
        },
        "no deployment 'x'",
    ),
    "key in mode weighted": ({"serving": {"key": {"header": "x-user"}}}, "needs mode guarded"),
    "key by client at a public endpoint": (
        {"serving": {"mode": "guarded", "key": "client", "access": "public"}},
        "access private",
    ),
    "a value that can't be read": ({"serving": {"access": "secret"}}, "access is 'secret'"),
    "a limit that can't be read": ({"upkeep": {"concurrency": 0}}, "concurrency is 0"),
    "a group that is not there": ({"group": "nowhere"}, "no group 'nowhere'"),
    "more than the account has": ({"upkeep": {"concurrency": 5000}}, "the account has 1000"),
    "a plan that the mode can't do": ({"plan": MATCHING}, "guarded"),
    "a package of another digest": ({"model": "swapped"}, "digest is"),
    "a package that clients would not understand": ({"model": "misfit"}, "could not be answered"),
    "a package that failed its validation": ({"model": "failed"}, "FAILED"),
}


@pytest.mark.parametrize("model", ["m1", "m3"])
@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_declaration_has_changed_and_ended_nothing(name, model):
    wrong, why = REFUSED[name]
    endpoint, stack, first = deployed(group="clinic", serving={"access": "private"})
    second = first.but(model="m2")
    assert stack.deploy(second)
    endpoint.tick_until(Phase.OBSERVING)
    guard, alias = endpoint.armed_for, endpoint.alias
    was = content(endpoint)
    declared = second.but(model=model)
    declared = declared.but(
        **{n: v for n, v in wrong.items() if n != "serving"},
        serving={**first.serving, **wrong.get("serving", {})},
    )
    if declared.model == "swapped":
        place = ("assets", "swapped.zip")
        endpoint.offer("swapped")
        offered = endpoint.world.packages.offered
        offered[place] = ("another digest", offered[place][1])
    if declared.model == "misfit":
        digest = endpoint.offer("misfit")
        other = replace(manifest_of("misfit"), inputs=(Field("z", FieldType.FLOAT64),))
        endpoint.world.packages.offered["assets", "misfit.zip"] = (digest, other)
    if declared.model == "failed":
        digest = endpoint.offer("failed")
        manifest = endpoint.ports.packages.register("assets", "failed.zip", digest)
        registered(endpoint.ports, manifest, digest, author=Author("ben", "tried"))
        tags = {"tags": {"validation_status": "FAILED"}}
        describe(endpoint.ports, ModelReference("failed", number=1), tags, author=Author("ben"))
    assert not stack.update(declared)
    assert why in str(stack.error)
    assert content(endpoint) == was
    assert (endpoint.armed_for, endpoint.alias) == (guard, alias)
    assert endpoint.phase is Phase.OBSERVING
    for index in range(len(stack.sent)):
        stack.again(index)
        assert content(endpoint) == was
    stack.go_back()
    assert content(endpoint) == was


def test_a_refused_event_is_refused_again_whatever_is_true():
    endpoint, stack, first = deployed(group="clinic")
    given_to(endpoint, "bank")
    assert not stack.update(first.but(group="lab"))
    event = stack.sent[-1]
    given_to(endpoint, "clinic")
    with pytest.raises(Conflict, match="group 'bank' owns it on record"):
        deliver(endpoint, event)
    assert endpoint.state.about.owner == "clinic"


def test_a_release_that_fails_after_all_takes_its_settings_back():
    endpoint, stack, first = deployed(serving={"access": "private"})
    was = content(endpoint)

    class Broken:
        def start(self, endpoint: str, rollout: str) -> None:
            raise Conflict("no workflow")

    endpoint.ports = replace(endpoint.ports, workflow=Broken())
    assert not stack.update(first.but(model="m2", serving={"access": "public"}))
    assert content(endpoint) == was
    assert endpoint.phase is Phase.ROLLED_BACK


# Whose the endpoint is -----------------------------------------------------------------------


def test_a_changed_logical_id_retires_nothing_and_opens_nothing():
    endpoint, stack, first = deployed(serving={"access": "public"})
    policy.set_access(endpoint.ports, NAME, "private", **BEN)
    was = content(endpoint)
    assert stack.deploy(first.but(logical="Renamed")), stack.error
    assert [event["RequestType"] for event in stack.sent] == ["Create", "Create", "Delete"]
    assert content(endpoint) == was
    for index in range(len(stack.sent)):
        stack.again(index)
        assert content(endpoint) == was
    stack.delete()
    assert endpoint.state.champion is None


def test_a_changed_logical_id_in_a_failed_deploy_returns():
    endpoint, stack, first = deployed(serving={"access": "public", "capture": 10})
    policy.set_access(endpoint.ports, NAME, "private", **BEN)
    was = content(endpoint)
    claim = endpoint.state.deploys.claim
    stack.deploy_and_fail(
        first.but(logical="Renamed", model="m2", serving={"access": "public", "capture": 20})
    )
    assert content(endpoint) == was
    assert endpoint.state.deploys.claim == claim
    assert stack.deploy(first.but(serving={"access": "public", "capture": 30})), stack.error
    assert endpoint.state.serving.access is Access.PRIVATE
    assert endpoint.state.serving.capture == Capture(30.0)
    stack.delete()
    assert endpoint.state.champion is None


def test_a_delete_that_may_be_a_return_changes_nothing():
    endpoint, stack, first = deployed(serving={"access": "private"})
    renamed = first.but(logical="Renamed", model="m2", serving={"access": "public"})
    assert stack.update(renamed), stack.error
    was = content(endpoint)
    endpoint.world.stacks.silent = True
    with pytest.raises(Unavailable, match="delete it again"):
        stack.delete_resource("Renamed", stack.resources["Renamed"])
    assert content(endpoint) == was
    stack.go_back()
    assert content(endpoint) == was
    # The next deploy of the resource that is left makes up for it.
    endpoint.world.stacks.silent = False
    assert stack.deploy(first.but(serving={"access": "private", "capture": 5})), stack.error
    assert endpoint.state.serving.access is Access.PRIVATE
    assert endpoint.phase is Phase.ROLLED_BACK
    stack.delete()
    assert endpoint.state.champion is None


def test_an_endpoint_of_another_stack_is_not_retired():
    endpoint, stack, first = deployed()
    policy.set_access(endpoint.ports, NAME, "private", **BEN)
    other = Stack(endpoint, "moved")
    assert other.deploy(first), other.error
    was = content(endpoint)
    stack.delete()
    assert content(endpoint) == was
    other.delete()
    assert endpoint.state.champion is None


def test_a_stack_that_lost_the_endpoint_can_not_change_it():
    endpoint, stack, first = deployed()
    other = Stack(endpoint, "moved")
    assert other.deploy(first), other.error
    was = content(endpoint)
    assert not stack.deploy(first.but(serving={"access": "private"}))
    assert "belongs to Release of" in str(stack.error)
    assert content(endpoint) == was


def test_a_create_of_an_existing_endpoint_opens_nothing():
    endpoint = Endpoint()
    endpoint.serve("m1")
    policy.set_access(endpoint.ports, NAME, "private", **BEN)
    edit(endpoint.ports, NAME, {"throttle": {"rate": 1, "burst": 1}}, **BEN)
    disable(endpoint.ports, NAME, author=Author("ben", "not now"))
    stack = Stack(endpoint)
    declared = Declared(
        serving={"access": "public", "stopped": "", "capture": 5},
        upkeep={"throttle": {"rate": 5, "burst": 5}, "description": "d"},
    )
    assert stack.deploy(declared), stack.error
    state = endpoint.state
    assert (state.serving.access, state.serving.stopped) == (Access.PRIVATE, "not now")
    assert state.upkeep.throttle == Throttle(1.0, 1)
    assert (state.serving.capture, state.upkeep.description) == (Capture(5.0), "d")
    # A line that changes from then on is somebody's word.
    assert stack.deploy(declared.but(serving={"access": "private", "capture": 5})), stack.error
    assert endpoint.state.serving.access is Access.PRIVATE
    assert stack.deploy(declared), stack.error
    assert endpoint.state.serving.access is Access.PUBLIC


def test_an_endpoint_without_a_recorded_owner_is_its_stacks():
    endpoint, stack, first = deployed(serving={"access": "private"})
    release = stack.resources["Release"]
    stack.resources["Release"] = type(release)("release-of-fraud", release.properties)
    stack.stable = dict(stack.resources)
    states = endpoint.world.store.states
    states[NAME] = replace(states[NAME], deploys=Deploys())
    was = content(endpoint)
    stack.deploy_and_fail(first.but(model="m2", serving={"access": "public"}))
    assert content(endpoint) == was
    states[NAME] = replace(states[NAME], deploys=Deploys())
    stack.delete()
    assert endpoint.state.champion is None


def test_a_stack_that_can_not_be_made_leaves_nothing_serving():
    endpoint = Endpoint()
    stack = Stack(endpoint)
    assert stack.update(Declared(serving={"access": "private"}))
    endpoint.tick_until(Phase.PROMOTED)
    stack.go_back()
    assert (endpoint.state.champion, endpoint.state.rollout) == (None, None)
    assert endpoint.state.serving.access is Access.PRIVATE


def test_what_is_deployed_anew_is_no_more_open_than_before():
    endpoint, stack, first = deployed(serving={"access": "public", "mode": "guarded"})
    policy.set_access(endpoint.ports, NAME, "private", **BEN)
    add_client(endpoint.ports, NAME, "ann", expires=None, **BEN)
    clients = endpoint.state.serving.clients
    stack.delete()
    endpoint.world.functions.versions[NAME].clear()
    endpoint.world.functions.pointers.clear()
    assert stack.deploy(first), stack.error
    serving = endpoint.state.serving
    assert (serving.access, serving.clients) == (Access.PRIVATE, clients)
    assert serving.mode is Mode.GUARDED


# A new name ----------------------------------------------------------------------------------

NEW = "scam"


def closed() -> tuple[Endpoint, Stack, Declared]:
    """A public endpoint that people have made private, throttled and given to the clinic."""
    endpoint, stack, first = deployed(serving={"access": "public"}, upkeep={"tags": {"a": "1"}})
    policy.set_access(endpoint.ports, NAME, "private", **BEN)
    policy.set_capture(endpoint.ports, NAME, {"share": 5, "redact": ["ssn"]}, **BEN)
    add_client(endpoint.ports, NAME, "ann", expires=None, **BEN)
    edit(endpoint.ports, NAME, {"throttle": {"rate": 1, "burst": 1}}, **BEN)
    given_to(endpoint, "clinic")
    return endpoint, stack, first


def test_a_new_name_takes_over_what_people_have_set():
    endpoint, stack, first = closed()
    old = endpoint.state
    declared = first.but(endpoint=NEW, serving={"access": "public", "label": "y"})
    assert stack.update(declared), stack.error
    new = endpoint.world.store.load(NEW)
    assert new
    assert new.serving == type(new.serving)(
        access=Access.PRIVATE,
        clients=old.serving.clients,
        capture=old.serving.capture,
        label="y",
    )
    assert (new.upkeep, new.about.owner) == (old.upkeep, "clinic")
    assert endpoint.world.scale.throttles == {NAME: Throttle(1.0, 1), NEW: Throttle(1.0, 1)}
    assert endpoint.state == old
    stack.finish()
    assert endpoint.state.champion is None
    now = endpoint.world.store.load(NEW)
    assert now == new
    for index in range(len(stack.sent)):
        stack.again(index)
        assert endpoint.world.store.load(NEW) == new


def test_a_new_name_in_a_failed_deploy_leaves_the_old_one():
    endpoint, stack, first = closed()
    was = content(endpoint)
    stack.deploy_and_fail(first.but(endpoint=NEW, model="m2"))
    assert content(endpoint) == was
    new = endpoint.world.store.load(NEW)
    assert new
    assert (new.champion, new.rollout, new.deploys.claim) == (None, None, None)
    assert new.serving.access is Access.PRIVATE
    assert stack.deploy(first.but(serving={"access": "public", "label": "y"})), stack.error
    assert endpoint.state.serving.access is Access.PRIVATE
    stack.delete()
    assert endpoint.state.champion is None


def test_a_name_that_is_taken_is_refused():
    endpoint, stack, first = closed()
    other = Stack(endpoint, "other")
    assert other.update(Declared(endpoint=NEW))
    was = content(endpoint), content(endpoint, NEW)
    assert not stack.deploy(first.but(endpoint=NEW))
    assert "is there already" in str(stack.error)
    assert (content(endpoint), content(endpoint, NEW)) == was


def test_a_first_deploy_that_is_refused_makes_nothing():
    endpoint = Endpoint()
    stack = Stack(endpoint)
    with pytest.raises(HalftoneError):
        raise_from(stack.deploy(Declared(serving={"key": "client"})), stack)
    assert endpoint.world.store.load(NAME) is None


def raise_from(succeeded: bool, stack: Stack) -> None:
    assert not succeeded
    assert stack.error
    raise stack.error
