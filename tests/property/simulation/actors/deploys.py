"""CloudFormation: deploys that succeed, are refused, fail late, return, replace, rename, delete.

They come in as the whole events that the release function gets. An event is delivered again if the
function dies; an error that it ends with is an answer: the deploy has failed.
"""

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from halftone.ports import Ports
from tests.property.engine.simulation import Act, Outside
from tests.property.simulation.actors.actor import RELEASE, Actor, event, happens
from tests.property.simulation.ledger import Deploy, Stack
from tests.property.simulation.world import OTHER, STACK, World
from tests.support.engine import NAME, digest_of

_HANDLER = Path(__file__).parents[4] / "functions" / "release" / "handler.py"
GRADUAL = {"steps": [{"weight": 50, "min_time": "10s", "max_time": "5m", "min_requests": 500}]}


@cache
def handler() -> ModuleType:
    """The release function's own file."""
    spec = importlib.util.spec_from_file_location("release_handler", _HANDLER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def on_event(ports: Ports, event: Mapping[str, Any]) -> Any:
    """What the release function answers to CloudFormation."""
    vars(handler())["_ports"] = lambda: ports
    return handler().on_event(dict(event), None)


def is_complete(ports: Ports, event: Mapping[str, Any]) -> Any:
    """What it answers when it is asked whether it is done."""
    vars(handler())["_ports"] = lambda: ports
    return handler().is_complete(dict(event), None)


def declared(
    model: str,
    *,
    endpoint: str = NAME,
    settings: str = "s1",
    waits: str = "ready",
    **serving: object,
) -> dict[str, str]:
    """The properties of a ``Custom::Release`` that declares ``model``."""
    return {
        "ServiceToken": "arn:aws:lambda:eu-central-1:000000000000:function:release",
        "Endpoint": endpoint,
        "Bucket": "assets",
        "Key": f"{model}.zip",
        "Digest": digest_of(model),
        "Settings": settings,
        "Plan": json.dumps(GRADUAL),
        "Serving": json.dumps(serving),
        "Upkeep": json.dumps({}),
        "Group": "",
        "DeployWaits": waits,
    }


def request(
    kind: str,
    key: str,
    now: Mapping[str, str],
    before: Mapping[str, str] | None = None,
    *,
    logical: str = "Release",
    physical: str | None = None,
) -> dict[str, Any]:
    """One event of CloudFormation."""
    event: dict[str, Any] = {
        "RequestType": kind,
        "RequestId": key,
        "StackId": STACK,
        "LogicalResourceId": logical,
        "ResourceProperties": dict(now),
    }
    if kind != "Create":
        event["PhysicalResourceId"] = physical or f"release-of-{(before or now)['Endpoint']}"
    if before is not None:
        event["OldResourceProperties"] = dict(before)
    return event


# The stack -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Begun:
    """A deploy that CloudFormation has begun: what was declared before, and by which resource."""

    before: str
    logical: str
    physical: str

    @property
    def properties(self) -> dict[str, str]:
        """The properties before."""
        return dict(json.loads(self.before))


@event
def deploy_begins(world: World, name: str, serving: str, status: str) -> Begun | None:
    """CloudFormation begins a deploy, unless one is under way: then that of ``name``, if it is.

    ``serving`` is what it declares ("": what was declared before).
    """
    known, stack = world.ledger, world.ledger.stack
    if stack is None:
        return None
    begun = Begun(stack.properties, stack.logical, stack.physical)
    if known.deploy:
        return begun if known.deploy.name == name else None
    serving = serving or begun.properties["Serving"]
    world.note(deploy=Deploy(name, serving), stack=replace(stack, status=status))
    return begun


@event
def deploy_under_way(world: World, name: str) -> Begun | None:
    """The deploy of ``name``, if it is under way."""
    known = world.ledger
    if known.stack is None or known.deploy is None or known.deploy.name != name:
        return None
    return Begun(known.stack.properties, known.stack.logical, known.stack.physical)


@event
def stack_is(world: World, status: str) -> None:
    """CloudFormation goes on to another status."""
    known = world.ledger
    assert known.stack is not None
    deploy = known.deploy
    if deploy and "ROLLBACK" in status:
        deploy = replace(deploy, returning=True)
    world.note(stack=replace(known.stack, status=status), deploy=deploy)


@event
def deploy_ends(world: World, properties: str, logical: str, physical: str) -> None:
    """The deploy is over; its resource has these properties now ("": those that it had)."""
    stack = world.ledger.stack
    assert stack is not None
    if properties:
        stack = Stack("UPDATE_COMPLETE", logical, physical, properties)
    world.note(stack=replace(stack, status="UPDATE_COMPLETE"), deploy=None)


@event
def stack_is_gone(world: World) -> None:
    """The stack is deleted."""
    world.note(stack=None, deploy=None)


# Deploys -------------------------------------------------------------------------------------


def _event(
    kind: str, key: str, now: Mapping[str, str], begun: Begun, *, back: bool = False
) -> dict[str, Any]:
    """The event of the stack's own resource."""
    before = begun.properties
    old, new = (now, before) if back else (before, now)
    return request(
        kind, key, new, old if kind == "Update" else None,
        logical=begun.logical, physical=begun.physical,
    )  # fmt: skip


def update(name: str, now: Mapping[str, str], *, fails_late: bool = False) -> tuple[Act, ...]:
    """An update; if it fails, CloudFormation's return to what was before.

    ``fails_late``: another resource of the stack fails after it.
    """

    def asks(ports: Ports, _: Outside, begun: Any) -> object:
        return on_event(ports, _event("Update", f"{name}/1", now, begun)) if begun else None

    def ends(ports: Ports, outside: Outside, answer: Any) -> object:
        begun = outside("deploy_under_way", name)
        if begun is None:
            return None
        if answer is not None and not fails_late:
            physical = answer["PhysicalResourceId"]
            outside("deploy_ends", json.dumps(dict(now)), begun.logical, physical)
            return answer
        outside("stack_is", "UPDATE_ROLLBACK_IN_PROGRESS")
        on_event(ports, _event("Update", f"{name}/2", now, begun, back=True))
        outside("deploy_ends", "", "", "")
        return None

    return (
        happens("deploy_begins", name, now["Serving"], "UPDATE_IN_PROGRESS"),
        Act(asks, again=2, errors=False),
        Act(ends, again=2),
    )


def _once_more(name: str, now: Mapping[str, str]) -> Act:
    """The event of an update that succeeded, delivered once more while nothing is under way."""

    def program(ports: Ports, outside: Outside, _: Any) -> object:
        begun = outside("stack_before", json.dumps(dict(now)))
        return on_event(ports, _event("Update", f"{name}/1", now, begun)) if begun else None

    return Act(program)


@event
def stack_before(world: World, properties: str) -> Begun | None:
    """What was declared before the deploy that declared ``properties`` last: m1 in all worlds."""
    stack = world.ledger.stack
    if stack is None or stack.properties != properties:
        return None
    return Begun(json.dumps(M1), stack.logical, stack.physical)


def replacement(name: str) -> tuple[Act, ...]:
    """The resource has another logical id: the new one is created, then the old one deleted."""

    def creates(ports: Ports, _: Outside, begun: Any) -> object:
        if begun is None:
            return None
        created = request("Create", f"{name}/1", begun.properties, logical="Release2")
        return on_event(ports, created)

    def deletes(ports: Ports, outside: Outside, answer: Any) -> object:
        begun = outside("deploy_under_way", name)
        if begun is None or answer is None:
            return None
        outside("stack_is", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        on_event(ports, _event("Delete", f"{name}/2", begun.properties, begun))
        outside("deploy_ends", begun.before, "Release2", answer["PhysicalResourceId"])
        return None

    return (
        happens("deploy_begins", name, "", "UPDATE_IN_PROGRESS"),
        Act(creates, again=2, errors=False),
        Act(deletes, again=2),
    )


def renaming(name: str) -> tuple[Act, ...]:
    """The endpoint has another name: the update has another physical id, and the old one goes."""

    def asks(ports: Ports, _: Outside, begun: Any) -> object:
        if begun is None:
            return None
        now = {**begun.properties, "Endpoint": OTHER}
        return on_event(ports, _event("Update", f"{name}/1", now, begun))

    def deletes(ports: Ports, outside: Outside, answer: Any) -> object:
        begun = outside("deploy_under_way", name)
        if begun is None or answer is None:
            return None
        outside("stack_is", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        on_event(ports, _event("Delete", f"{name}/2", begun.properties, begun))
        outside("stack_is_gone")  # as far as this endpoint goes: its function has another name now
        return None

    return (
        happens("deploy_begins", name, "", "UPDATE_IN_PROGRESS"),
        Act(asks, again=2, errors=False),
        Act(deletes, again=2),
    )


def deletion(name: str) -> tuple[Act, ...]:
    """The stack is deleted."""

    def deletes(ports: Ports, outside: Outside, begun: Any) -> object:
        if begun is None:
            return None
        on_event(ports, _event("Delete", f"{name}/1", begun.properties, begun))
        outside("stack_is_gone")
        return True

    return (happens("deploy_begins", name, "", "DELETE_IN_PROGRESS"), Act(deletes, again=2))


def creation(name: str) -> tuple[Act, ...]:
    """A stack that was deleted is made anew."""

    def creates(ports: Ports, outside: Outside, gone: Any) -> object:
        if gone is None or not outside("stack_made_anew", name):
            return None
        answer = on_event(ports, request("Create", f"{name}/2", M1))
        outside("deploy_ends", json.dumps(M1), "Release", answer["PhysicalResourceId"])
        return None

    return (Act(creates, again=2),)


@event
def stack_made_anew(world: World, name: str) -> bool:
    """The function is there again, without a version, and the stack is being created.

    Lambda uses no version number again, not even for a function that was deleted and made anew.
    """
    known = world.ledger
    if known.deploy and known.deploy.name == name:
        return True
    if known.stack is not None:
        return False
    functions = world.real.functions
    gone = {(NAME, str(number)) for number in range(1, len(functions.versions[NAME]) + 1)}
    functions.deleted = functions.deleted | gone
    functions.pointers.pop(NAME, None)
    functions.routings.pop(NAME, None)
    functions.anchors.pop(NAME, None)
    functions.challengers.pop(NAME, None)
    world.real.guardrails.guards.pop(NAME, None)
    world.note(
        fronts=frozenset(front for front in known.fronts if front.until is None),
        stack=Stack("CREATE_IN_PROGRESS", "Release", "", "{}"),
        deploy=Deploy(name, "{}"),
        restored=False,
    )
    return True


M1, M2, M3 = declared("m1"), declared("m2"), declared("m3")
PRIVATE = declared("m1", access="private")
PUBLIC = declared("m1", access="public")
REFUSED = declared(
    "m3", mode="guarded", rules=[{"match": {"query": {"beta": "1"}}, "to": "nobody"}]
)
DEPLOYED = frozenset({"deployed", "deployed private"})
SERVED = frozenset(
    {"serving", "watched", "passing on", "scored", "beside", "deployed", "returned", "aside"}
)


def _update(
    name: str, now: Mapping[str, str], worlds: frozenset[str] = frozenset(), **how: bool
) -> Actor:
    again = None if how else _once_more(name, now)
    return Actor(name, "deploy", RELEASE, update(name, now, **how), worlds, again)


ACTORS = (
    _update("deploy of m3", M3, SERVED),
    _update("deploy of m3 that fails late", M3, SERVED, fails_late=True),
    _update("deploy of m2 again", M2, frozenset({"watched", "passing on", "scored"})),
    _update("deploy that is refused", REFUSED),
    _update("deploy that opens and fails late", PUBLIC, fails_late=True),
    _update("deploy that makes private and fails late", PRIVATE, fails_late=True),
    Actor("deploy that replaces", "deploy", RELEASE, replacement("deploy that replaces"), DEPLOYED),
    Actor("deploy that renames", "deploy", RELEASE, renaming("deploy that renames"), DEPLOYED),
    Actor("stack deleted", "deploy", RELEASE, deletion("stack deleted")),
    Actor("stack deleted and made anew", "deploy", RELEASE,
          (*deletion("stack deleted and made anew"), *creation("stack deleted and made anew")),
          frozenset({"serving", "beside", "deployed", "watched"})),
)  # fmt: skip
