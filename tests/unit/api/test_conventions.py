"""What holds for every operation that changes something, each by a request that acts.

A POST is carried out once for its key, an edit is made of what was seen, and the update message is
the reason on record. An operation that is added without a request here fails.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from halftone.domain.audit import Author
from halftone.domain.errors import Unavailable
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import Plan
from halftone.service.endpoints.clients import add_client
from halftone.service.endpoints.retire import retire
from halftone.service.groups import make_group
from halftone.service.idempotency import LEASE
from tests.support.control import BEN, Reply, on
from tests.support.engine import NAME, Endpoint, digest_of
from tests.support.notices import subscription
from tests.support.rollouts import PLAN
from tests.support.serving import guarded
from tests.unit.api.test_routes import DOCUMENT, ROUTES

MESSAGE = "as the board decided"
BASE = f"/v1/endpoints/{NAME}"
ADMIN = {BEN: ["admin"]}
NEW = digest_of("registered by nobody yet")
HOOK = {"kinds": ["alert"], "channel": "webhook", "address": "https://pager.example.com/hook"}
GATED = Plan((), approve_all=True, bakes=False)


@dataclass(frozen=True)
class Case:
    """A request that acts in ``world``, after the requests ``before``."""

    path: str
    body: Mapping[str, Any]
    world: Callable[[], Endpoint]
    before: tuple[str, ...]


def quiet() -> Endpoint:
    """Three deployments, a client, a group, and nothing under way."""
    endpoint = guarded()
    make_group(endpoint.ports, "team", description="", members=ADMIN, author=Author(BEN, ""))
    add_client(endpoint.ports, NAME, "clinic", author=Author(BEN, ""))
    standing = subscription("0123456789ab")
    endpoint.world.subscriptions.kept[standing.id] = standing
    manifest = endpoint.world.packages.kept[digest_of("first")]
    endpoint.world.packages.kept[NEW] = manifest
    return endpoint


def rolling(plan: Plan = PLAN, phase: Phase = Phase.OBSERVING) -> Endpoint:
    """The same with a rollout under way."""
    endpoint = quiet()
    endpoint.release("third", plan=plan)
    endpoint.tick_until(phase)
    return endpoint


def gated() -> Endpoint:
    """A rollout that waits for a person's word."""
    return rolling(GATED, Phase.AWAITING_APPROVAL)


def restored() -> Endpoint:
    """The table is that of before the newest version served."""
    endpoint = quiet()
    store = endpoint.world.store
    table = copy.deepcopy({name: kept for name, kept in vars(store).items() if name != "changed"})
    endpoint.serve("third")
    vars(store).update(table)
    return endpoint


def case(
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    world: Callable[[], Endpoint] = quiet,
    before: str = "",
) -> Case:
    """A request in a quiet world unless told otherwise, after the one ``before``."""
    return Case(path, body or {}, world, (before,) if before else ())


ROLLOUT = f"{BASE}/rollouts/{{rollout}}"
CASES = {
    "set_owner": case(f"{BASE}/owner", {"owner": "team"}),
    "prepare_upload": case(f"{BASE}/uploads", {"digest": "0" * 64}),
    "make_release": case(f"{BASE}/releases", {"model": "first:1"}),
    "pause_rollout": case(f"{ROLLOUT}/pause", world=rolling),
    "resume_rollout": case(f"{ROLLOUT}/resume", world=rolling, before=f"{ROLLOUT}/pause"),
    "approve_rollout": case(f"{ROLLOUT}/approve", {"stage": 0}, world=gated),
    "reject_rollout": case(f"{ROLLOUT}/reject", world=gated),
    "promote_rollout": case(f"{ROLLOUT}/promote", world=rolling),
    "abort_rollout": case(f"{ROLLOUT}/abort", world=rolling),
    "roll_back": case(f"{BASE}/rollback?v=1"),
    "adopt_endpoint": case(f"{BASE}/adopt", {"keep": "aliases"}, world=restored),
    "change_serving": case(f"{BASE}/serving", {"access": "private"}),
    "set_traffic": case(f"{BASE}/traffic", {"traffic": {"champion": 90, "blue": 10}}),
    "set_mirror": case(f"{BASE}/mirror", {"mirror": {"green": 10}}),
    "set_rules": case(f"{BASE}/rules", {"rules": [{"match": {"query": {"x": "1"}}, "to": "blue"}]}),
    "disable_endpoint": case(f"{BASE}/disable", {}),
    "enable_endpoint": case(f"{BASE}/enable", before=f"{BASE}/disable"),
    "unpublish_endpoint": case(f"{BASE}/unpublish"),
    "publish_endpoint": case(f"{BASE}/publish", before=f"{BASE}/unpublish"),
    "add_client": case(f"{BASE}/clients", {"name": "lab"}),
    "revoke_client": case(f"{BASE}/clients/clinic"),
    "make_group": case("/v1/groups", {"name": "ward"}),
    "edit_group": case("/v1/groups/team", {"members": {BEN: ["admin", "viewer"]}}),
    "subscribe": case("/v1/subscriptions", HOOK),
    "unsubscribe": case("/v1/subscriptions/0123456789ab"),
    "try_subscription": case("/v1/subscriptions/0123456789ab/test"),
    "set_model_owner": case("/v1/models/first/owner", {"owner": "team"}),
    "register_version": case("/v1/models/first/versions", {"digest": NEW}),
    "describe_version": case("/v1/models/first/versions/1", {"description": "the first"}),
    "set_alias": case("/v1/models/first/aliases/champion", {"number": 1}),
    "edit_deployment": case(f"{BASE}/deployments/green", {"replicas": 1}),
    "delete_deployment": case(f"{BASE}/deployments/blue"),
    "stop_deployment": case(f"{BASE}/deployments/blue/stop"),
    "start_deployment": case(
        f"{BASE}/deployments/blue/start", before=f"{BASE}/deployments/blue/stop"
    ),
    "edit_settings": case(f"{BASE}/settings", {"description": "is it fraud?"}),
}
METHODS = {route.name: next(iter(route.methods)) for route in ROUTES}
POSTS = [name for name in CASES if METHODS[name] == "POST"]
EDITS = [name for name in CASES if METHODS[name] in ("PUT", "PATCH")]
SILENT = {"prepare_upload"}
"""What changes nothing that is on record, and so has no message."""


class Asked:
    """A case in a world of its own."""

    def __init__(self, name: str) -> None:
        self.case = CASES[name]
        self.method = METHODS[name]
        self.endpoint = self.case.world()
        self.api = on(self.endpoint.world)
        for path in self.case.before:
            assert self.api.post(self._there(path)).status == 200

    def _there(self, path: str) -> str:
        rollout = self.endpoint.rollout
        return path.replace("{rollout}", rollout.id if rollout else "")

    def ask(self, message: str = MESSAGE, **more: Any) -> Reply:
        path, body = self._there(self.case.path), dict(self.case.body)
        if self.method == "DELETE":
            path += f"?message={message.replace(' ', '+')}"
        elif "digest" not in body or "versions" in path:
            body["message"] = message
        return self.api.ask(self.method, path, body, by=more.pop("by", BEN), **more)

    @property
    def reasons(self) -> list[str]:
        """Those of all records there are, of whatever."""
        world = self.endpoint.world
        groups = [record for kept in world.groups.records.values() for record in kept]
        models = [
            record
            for model in world.registry.models(most=100)
            for record in world.registry.model_audit(model.name)
        ]
        subscribed = [record for kept in world.subscriptions.records.values() for record in kept]
        records = (*self.endpoint.history, *groups, *models, *subscribed)
        return [record.reason for record in records]

    @property
    def kept(self) -> object:
        """All that a change could change."""
        world = self.endpoint.world
        models = [world.registry.model(m.name) for m in world.registry.models(most=100)]
        subscriptions = dict(world.subscriptions.kept)
        return self.endpoint.state, dict(world.groups.kept), models, subscriptions


def test_every_operation_that_changes_something_has_a_request():
    assert {*CASES} == {name for name, method in METHODS.items() if method != "GET"}


@pytest.mark.parametrize("name", CASES)
def test_the_update_message_is_the_reason_on_record(name):
    asked = Asked(name)
    before = len(asked.reasons)
    answer = asked.ask()
    assert answer.status < 300, answer.text
    if name not in SILENT:
        assert len(asked.reasons) > before
        assert MESSAGE in " ".join(asked.reasons)


@pytest.mark.parametrize("name", CASES)
def test_what_takes_time_says_where_it_can_be_watched(name):
    asked = Asked(name)
    answer = asked.ask()
    if answer.status == 202:
        assert asked.api.get(answer.headers["location"]).status == 200
    if answer.status == 201 and "location" in answer.headers:
        assert asked.api.get(answer.headers["location"]).status == 200


@pytest.mark.parametrize("name", POSTS)
def test_a_post_is_carried_out_once_for_its_key(name):
    asked = Asked(name)
    first = asked.ask(key="one-request")
    after = asked.kept
    again = asked.ask(key="one-request")
    assert again.headers["idempotent-replayed"] == "true"
    assert again.status == first.status
    forgotten = {"url", "token", "secret"}
    assert {n: v for n, v in again.json.items() if n not in forgotten} == {
        n: v for n, v in first.json.items() if n not in forgotten
    }
    assert all(again.json[name] is None for name in forgotten & {*again.json})
    assert asked.kept == after


@pytest.mark.parametrize("name", [name for name in POSTS if name not in SILENT])
def test_a_key_stands_for_one_body(name):
    asked = Asked(name)
    asked.ask(key="one-request")
    after = asked.kept
    other = asked.ask("another message", key="one-request")
    assert (other.status, other.problem["type"]) == (422, "urn:halftone:problem:key-reused")
    assert asked.kept == after


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_says_what_it_has_seen_and_one_of_two_wins(name):
    asked = Asked(name)
    unseen, stale = asked.ask(without=("if-match",)), asked.ask(match='"987654"')
    assert (unseen.status, stale.status) == (428, 412)
    shown = asked.api.get(_shown(asked))
    before = asked.kept
    first = asked.ask(match=shown.etag)
    assert (first.status, asked.kept != before) == (200, True)
    assert first.etag != shown.etag
    second = asked.ask("another message", match=shown.etag)
    assert (second.status, second.problem["type"]) == (412, "urn:halftone:problem:outdated")


def _shown(asked: Asked) -> str:
    """Where the ETag of what the edit is about is read."""
    path, _, last = asked.case.path.rpartition("/")
    if last in ("traffic", "mirror", "rules"):
        return f"{path}/serving"
    return {"owner": path, "champion": "/v1/models/first"}.get(last, asked.case.path)


def test_what_is_refused_by_another_s_revision_changes_nothing():
    for name in EDITS:
        asked = Asked(name)
        before = asked.kept
        asked.ask(match='"987654"')
        assert asked.kept == before, name


@pytest.mark.parametrize("name", POSTS)
def test_a_try_whose_answer_was_lost_is_not_carried_out_again(name):
    asked = Asked(name)
    settle = _loses_answers(asked)
    first = asked.ask(key="one-request")
    after = asked.kept
    asked.endpoint.world.claims.settle = settle
    asked.endpoint.world.clock.pass_by(LEASE)
    again = asked.ask(key="one-request")
    assert asked.kept == after
    # A secret is shown once: what was lost with its answer can't be told, but how to go on can.
    expected = 409 if name in ("add_client", "subscribe") else first.status
    assert again.status == expected, again.json


def test_a_late_repetition_does_not_undo_what_was_said_since():
    asked = Asked("disable_endpoint")
    settle = _loses_answers(asked)
    asked.ask(key="one-request")
    asked.endpoint.world.claims.settle = settle
    asked.api.post(f"{BASE}/enable")
    asked.endpoint.world.clock.pass_by(LEASE)
    assert asked.ask(key="one-request").json["stopped"] == ""
    assert asked.endpoint.state.serving.stopped == ""


def _loses_answers(asked: Asked) -> Any:
    """From now on no answer can be kept; how they were."""
    claims = asked.endpoint.world.claims
    settle = claims.settle

    def out(_: object) -> None:
        raise Unavailable("the table is out")

    claims.settle = out
    return settle


# Looking -------------------------------------------------------------------------------------


def being_made() -> Endpoint:
    """A first release that nothing was published for yet."""
    endpoint = Endpoint()
    endpoint.release("first")
    return endpoint


def retired() -> Endpoint:
    """An endpoint whose stack is gone."""
    endpoint = Endpoint()
    endpoint.serve("first")
    retire(endpoint.ports, NAME, author=Author("cloudformation/x", "its stack was deleted"))
    return endpoint


GETS = [route for route in ROUTES if route.methods == {"GET"}]


@pytest.mark.parametrize("world", [Endpoint, being_made, retired, quiet, gated])
@pytest.mark.parametrize("route", GETS, ids=lambda route: route.name)
def test_what_is_shown_of_any_endpoint_has_a_documented_status(route, world):
    endpoint = world()
    rollout = endpoint.world.store.load(NAME) and endpoint.rollout
    there = {
        "endpoint": NAME,
        "rollout": rollout.id if rollout else "none",
        "deployment": "1",
        "model": "first",
        "number": "1",
        "alias": "challenger",
        "group": "team",
        "subscription": "0123456789ab",
    }
    answer = on(endpoint.world).get(route.path.format_map(there))
    assert str(answer.status) in DOCUMENT["paths"][route.path]["get"]["responses"], answer
    assert answer.status < 500
