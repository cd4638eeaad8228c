"""The fields that a deploy may declare, read off an endpoint's state and set in it. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from halftone.domain.endpoint.capacity import (
    Capacity,
    dump_capacity,
    parse_throttle,
    patched_capacity,
)
from halftone.domain.endpoint.policy_rules import changed
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import HalftoneError
from halftone.domain.rollout.deploys import BY_VERSION, OWNER, TAG
from halftone.domain.traffic.policy import CHAMPION, Access, Portion, TrafficPolicy
from halftone.domain.traffic.policy_schema import (
    FIELDS,
    NO_TRAFFIC,
    defaults,
    dump_policy,
    load_policy,
)


def usual_fields() -> dict[str, Any]:
    """Each field as it is where nothing is declared; tags and owner are None."""
    upkeep = dump_capacity(Capacity())
    del upkeep["tags"]
    return {**dump_policy(defaults()), **upkeep}


def normal_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """``fields`` with each value written as ``live_fields`` writes it.

    Raises:
        InvalidInput: naming the field that can't be read.
    """
    served = {name: value for name, value in fields.items() if name in FIELDS}
    others = {name: value for name, value in fields.items() if name not in FIELDS}
    if others.get("throttle") is not None:
        others["throttle"] = dump_capacity(Capacity(throttle=parse_throttle(others["throttle"])))[
            "throttle"
        ]
    return {**dump_policy(load_policy(served)), **others}


def live_fields(state: EndpointState) -> dict[str, Any]:
    """What is live of each field, with deployments as versions and the champion by that word."""
    serving = state.serving
    rest = 100.0 - sum(portion.share for portion in serving.split)
    portions = (Portion(CHAMPION, max(rest, 0.0)), *serving.split)
    if serving.stopped == NO_TRAFFIC:
        portions = (Portion(CHAMPION, 0.0),)
    values = {name: getattr(serving, name) for name in FIELDS if name != "traffic"}
    upkeep = dump_capacity(state.upkeep)
    tags = {f"{TAG}{name}": text for name, text in state.upkeep.tags.items()}
    del upkeep["tags"]
    served = dump_policy({**values, "traffic": portions})
    return {**served, **upkeep, **tags, OWNER: state.about.owner}


def with_fields(state: EndpointState, fields: Mapping[str, Any]) -> EndpointState:
    """``state`` with ``fields`` set, all of them or none.

    Raises:
        HalftoneError: as ``load_policy``, ``changed`` and ``patched_capacity`` say.
    """
    served = load_policy({name: value for name, value in fields.items() if name in FIELDS})
    if state.champion is None and served.get("traffic") == defaults()["traffic"]:
        # All traffic to a champion that there is not yet: nothing is split then.
        del served["traffic"]
    serving = changed(state, served) if served else state.serving
    tags = {n.removeprefix(TAG): text for n, text in fields.items() if n.startswith(TAG)}
    settings = {n: v for n, v in fields.items() if n in ("description", "concurrency", "throttle")}
    upkeep = patched_capacity(state.upkeep, {**settings, **({"tags": tags} if tags else {})})
    about = replace(state.about, owner=fields[OWNER]) if OWNER in fields else state.about
    return replace(state, serving=serving, upkeep=upkeep, about=about)


def with_each_field(
    state: EndpointState, fields: Mapping[str, Any]
) -> tuple[EndpointState, dict[str, str]]:
    """``state`` with ``fields`` set as far as that can be, and why each of the others can't.

    What names deployments and can't be set becomes as usual: the champion alone answers. Any other
    field stays as it is.
    """
    try:
        return with_fields(state, fields), {}
    except HalftoneError:
        refused: dict[str, str] = {}
    waiting = dict(fields)
    for _ in fields:
        # A field may be possible only after another one, such as a key by client and the access.
        for name, value in tuple(waiting.items()):
            try:
                state = with_fields(state, {name: value})
            except HalftoneError as error:
                refused[name] = str(error)
            else:
                del waiting[name]
                refused.pop(name, None)
    for name in waiting:
        if name in BY_VERSION:
            state = replace(state, serving=_as_usual(state.serving, name))
    return state, refused


def _as_usual(serving: TrafficPolicy, name: str) -> TrafficPolicy:
    if name == "rules":
        return replace(serving, rules=())
    if name == "mirror":
        return replace(serving, mirror=None)
    return replace(serving, split=())


def taken_over(fresh: EndpointState, source: EndpointState) -> EndpointState:
    """``fresh``, an endpoint that nothing serves, with what people have set at ``source``.

    Access, clients, owner and every setting go along. What names deployments does not: those are
    not there. A private endpoint stays private, whichever of the two it was.
    """
    private = Access.PRIVATE in (source.serving.access, fresh.serving.access)
    return replace(
        fresh,
        serving=replace(
            without_versions(source.serving),
            access=Access.PRIVATE if private else Access.PUBLIC,
            stopped=source.serving.stopped or fresh.serving.stopped,
        ),
        upkeep=replace(source.upkeep, replicas={}),
        about=replace(
            fresh.about, owner=source.about.owner, self_approval=source.about.self_approval
        ),
    )


def without_versions(serving: TrafficPolicy) -> TrafficPolicy:
    """``serving`` without anything that names a deployment."""
    return replace(serving, rules=(), split=(), mirror=None, probation=None)


def kept_closed(serving: TrafficPolicy) -> TrafficPolicy:
    """What of ``serving`` outlives the endpoint, so that the next of its name is no more open."""
    return TrafficPolicy(access=serving.access, clients=serving.clients, stopped=serving.stopped)
