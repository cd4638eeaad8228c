"""CloudFormation: deploys that succeed, are refused, fail late, return, replace, rename, delete.

They come in as the whole events that the release function gets.
"""

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from halftone.domain.traffic.policy import Serving
from halftone.ports import Parts
from tests.property.engine.simulation import Act, Outside
from tests.property.simulation.actors.actor import RELEASE, Actor, event, happens
from tests.property.simulation.ledger import SERVINGS, Deploy
from tests.property.simulation.world import OTHER, World
from tests.support.engine import NAME, digest_of

_HANDLER = Path(__file__).parents[4] / "functions" / "release" / "handler.py"
_STACK = "arn:aws:cloudformation:eu-central-1:000000000000:stack/halftone-dev-fraud/0"
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


def on_event(parts: Parts, event: Mapping[str, Any]) -> Any:
    """What the release function answers to CloudFormation."""
    vars(handler())["_parts"] = lambda: parts
    return handler().on_event(dict(event), None)


def is_complete(parts: Parts, event: Mapping[str, Any]) -> Any:
    """What it answers when it is asked whether it is done."""
    vars(handler())["_parts"] = lambda: parts
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
        "StackId": _STACK,
        "LogicalResourceId": logical,
        "ResourceProperties": dict(now),
    }
    if kind != "Create":
        event["PhysicalResourceId"] = physical or f"release-of-{(before or now)['Endpoint']}"
    if before is not None:
        event["OldResourceProperties"] = dict(before)
    return event


@event
def deploy_begins(world: World, name: str, serving: str, returning: bool) -> None:
    """A deploy asks for something, or is taken back."""
    state = world.real.store.states.get(NAME)
    serves = state.serving if state else Serving()
    before = repr(serves)
    SERVINGS.setdefault(before, serves)
    others = tuple(d for d in world.ledger.deploys if d.name != name)
    same = next((d for d in world.ledger.deploys if d.name == name), None)
    if same and returning:
        world.note(deploys=(*others, replace(same, returning=True)))
    else:
        world.note(deploys=(*others, Deploy(name, serving, before, returning)))


def _asks(event: Mapping[str, Any]) -> Act:
    return Act(lambda parts, _, __: on_event(parts, event), again=2)


def deploy(
    name: str,
    now: Mapping[str, str],
    before: Mapping[str, str],
    *,
    fails_late: bool = False,
    refused: bool = False,
) -> tuple[Act, ...]:
    """An update, until it is answered; if it fails, CloudFormation's return to what was before.

    ``fails_late``: another resource of the stack fails after it. ``refused`` is only for the
    reader: that the use case refuses it.
    """
    del refused
    there = request("Update", f"{name}/1", now, before)
    back = request("Update", f"{name}/2", before, now)

    def returns(parts: Parts, outside: Outside, answer: Any) -> object:
        if answer is not None and not fails_late:
            return answer
        outside("deploy_begins", name, before["Serving"], True)
        return on_event(parts, back)

    return (
        happens("deploy_begins", name, now["Serving"], False),
        _asks(there),
        Act(returns, again=2),
    )


M1, M2, M3 = declared("m1"), declared("m2"), declared("m3")
PRIVATE = declared("m1", access="private")
DEPLOYED = frozenset({"deployed", "deployed private"})


def _updates() -> tuple[Actor, ...]:
    ways = {
        "deploy of m3": {},
        "deploy of m3 that fails late": {"fails_late": True},
    }
    made = []
    for name, how in ways.items():
        acts = deploy(name, M3, M1, **how)
        worlds = frozenset(
            {
                "serving",
                "watched",
                "passing on",
                "scored",
                "beside",
                "deployed",
                "returned",
                "aside",
            }
        )
        made.append(Actor(name, "deploy", RELEASE, acts, worlds, None if how else acts[1]))
    return tuple(made)


OPENS = declared("m1", access="public")
UNKNOWN_RULE = declared(
    "m3", mode="guarded", rules=[{"match": {"query": {"beta": "1"}}, "to": "nobody"}]
)

ACTORS = (
    *_updates(),
    Actor("deploy of m2 again", "deploy", RELEASE, deploy("deploy of m2 again", M2, M1),
          frozenset({"watched", "passing on", "scored"})),
    Actor("deploy that is refused", "deploy", RELEASE,
          deploy("deploy that is refused", UNKNOWN_RULE, M1), frozenset()),
    Actor("deploy that opens and fails late", "deploy", RELEASE,
          deploy("deploy that opens and fails late", OPENS, M1, fails_late=True)),
    Actor("deploy that makes private and fails late", "deploy", RELEASE,
          deploy("deploy that makes private and fails late", PRIVATE, M1, fails_late=True)),
    Actor("deploy that replaces", "replace", RELEASE, (
        happens("deploy_begins", "deploy that replaces", M1["Serving"], False),
        _asks(request("Create", "replaces/1", M1, logical="Release2")),
        _asks(request("Delete", "replaces/2", M1, logical="Release")),
    ), DEPLOYED),
    Actor("deploy that renames", "rename", RELEASE, (
        happens("deploy_begins", "deploy that renames", PRIVATE["Serving"], False),
        _asks(request("Update", "renames/1", {**PRIVATE, "Endpoint": OTHER}, PRIVATE)),
    ), frozenset({"deployed private"})),
    Actor("stack deleted", "delete", RELEASE,
          (_asks(request("Delete", "deletes/1", M1)),), frozenset(),
          _asks(request("Delete", "deletes/1", M1))),
    Actor("stack deleted and made anew", "delete", RELEASE, (
        _asks(request("Delete", "anew/1", M1)),
        happens("function_made_anew"),
        _asks(request("Create", "anew/2", M1)),
    ), frozenset({"serving", "beside", "deployed", "watched"}),
          _asks(request("Delete", "anew/1", M1))),
)  # fmt: skip


@event
def function_made_anew(world: World) -> None:
    """The stack's function is gone, and another one of that name is there."""
    functions, state = world.real.functions, world.real.store.states.get(NAME)
    if state is None or state.champion is not None or state.rollout is not None:
        return
    functions.versions.pop(NAME, None)
    functions.pointers.pop(NAME, None)
    functions.routings.pop(NAME, None)
    functions.challengers.pop(NAME, None)
    functions.deleted = {gone for gone in functions.deleted if gone[0] != NAME}
    world.real.guardrails.guards.pop(NAME, None)
    newest = frozenset(front for front in world.ledger.fronts if front.until is None)
    world.note(fronts=newest)
