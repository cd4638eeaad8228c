"""Resolve and validate traffic settings against an endpoint's deployments. Pure.

Only what is to be changed is held to these rules: a setting that the world has grown out of, such
as a mirror whose deployment has become champion, is in nobody's way.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from halftone.domain.endpoint.state import EndpointState, Placed
from halftone.domain.errors import Conflict, InvalidInput, NotFound
from halftone.domain.names import CHALLENGER
from halftone.domain.traffic.policy import (
    CHAMPION,
    Access,
    KeySource,
    Mirror,
    Mode,
    Portion,
    Rule,
    TrafficPolicy,
)
from halftone.domain.traffic.policy_schema import FIELDS, NO_TRAFFIC, dump_policy


def changed(state: EndpointState, fields: Mapping[str, Any]) -> TrafficPolicy:
    """The endpoint's serving with ``fields``, as ``load_policy`` reads them, in place of its own.

    Raises:
        NotFound: for a deployment that is not there.
        Conflict: for one that is stopped or was taken back, or that is live and is to be mirrored;
            for a change of mode while a rollout is under way, which keeps the one it began with.
        InvalidInput: for a setting that the others leave without effect.
    """
    plain = {n: v for n, v in fields.items() if n not in ("traffic", "mirror", "rules")}
    serving = replace(state.serving, **plain)
    if "traffic" in fields:
        serving = _with_traffic(state, serving, fields["traffic"])
    if "rules" in fields:
        rules = [
            Rule(rule.match, _target(state, rule.version, f"rules[{i}].to"))
            for i, rule in enumerate(fields["rules"])
        ]
        serving = replace(serving, rules=tuple(rules))
    if "mirror" in fields:
        mirror: Mirror | None = fields["mirror"]
        if mirror is not None:
            version = _version(state, mirror.version, "mirror")
            mirror = replace(mirror, version=version)
        serving = replace(serving, mirror=mirror)
    if serving != state.serving:
        _check(state, serving, {*fields})
    return serving


def receivers(state: EndpointState, serving: TrafficPolicy) -> tuple[str, ...]:
    """The versions beside the champion that clients' requests can go to, outside of a rollout."""
    split = [portion.version for portion in serving.split]
    ruled = [rule.version for rule in serving.rules]
    champion = state.champion.version if state.champion else None
    return tuple(dict.fromkeys(v for v in (*split, *ruled) if v not in (champion, CHAMPION)))


def without(serving: TrafficPolicy, version: str) -> TrafficPolicy:
    """``serving`` with no request for ``version``: its share goes to the champion."""
    mirror = serving.mirror
    return replace(
        serving,
        split=tuple(portion for portion in serving.split if portion.version != version),
        rules=tuple(rule for rule in serving.rules if rule.version != version),
        mirror=None if mirror and mirror.version == version else mirror,
        probation=None
        if serving.probation and serving.probation.version == version
        else serving.probation,
    )


def _with_traffic(
    state: EndpointState, serving: TrafficPolicy, portions: tuple[Portion, ...]
) -> TrafficPolicy:
    by_version: dict[str, float] = {}
    for portion in portions:
        version = _version(state, portion.version, f"traffic.{portion.version}", portion.share)
        if version in by_version:
            called = f"traffic.{portion.version}"
            raise InvalidInput(called, portion.share, f"version {version} to be named once")
        by_version[version] = portion.share
    if not any(by_version.values()):
        if serving.stopped not in ("", NO_TRAFFIC):
            raise Conflict(f"{state.endpoint!r} is stopped already: {serving.stopped}")
        return replace(serving, split=(), stopped=NO_TRAFFIC)
    champion = state.champion.version if state.champion else None
    split = tuple(Portion(v, share) for v, share in by_version.items() if share and v != champion)
    stopped = "" if serving.stopped == NO_TRAFFIC else serving.stopped
    return replace(serving, split=split, stopped=stopped)


def _target(state: EndpointState, called: str, at: str) -> str:
    """What a rule leads to; ``CHAMPION`` stays that word, whichever deployment is champion."""
    version = _version(state, called, at)
    return CHAMPION if called == CHAMPION else version


def _version(state: EndpointState, called: str, at: str, share: float = 100.0) -> str:
    """The version of the deployment that is called so, if requests can be sent to it."""
    champion = state.champion.version if state.champion else None
    if called in (CHAMPION, champion):
        if champion is None:
            raise Conflict(f"{at}: {state.endpoint!r} has no champion yet")
        return champion
    if called == CHALLENGER:
        challenger = state.version_called(called)
        if challenger is None:
            raise Conflict(f"{at}: {state.endpoint!r} has no challenger: no rollout is under way")
        called = challenger
    matches = [p for p in state.placed if called in (p.name, p.version)]
    # A name that is another's version number means the version.
    exact: Placed | None = next((p for p in matches if p.version == called), None) or (
        matches[0] if matches else None
    )
    if exact is None:
        names = ", ".join(sorted({CHAMPION, *(p.name for p in state.placed)}))
        raise NotFound("deployment", called, f"{state.endpoint!r} has {names}")
    if exact.stopped and share:
        raise Conflict(f"deployment {called!r} is stopped: {exact.stopped}")
    barred = state.bar_of(exact.version)
    if barred and share:
        raise Conflict(
            f"{at}: version {barred.version} was taken back ({barred.reason}): release its package "
            "again to let it serve"
        )
    return exact.version


def _check(state: EndpointState, serving: TrafficPolicy, names: set[str]) -> None:
    running = state.active
    if "mode" in names and serving.mode is not state.serving.mode and running:
        raise Conflict(
            f"rollout {running.id} is {running.phase} and keeps the mode that it began with: "
            "wait for its end, or abort it"
        )
    if running and (serving.key, serving.salt) != (state.serving.key, state.serving.salt):
        raise Conflict(
            f"rollout {running.id} is {running.phase}, and another key or salt would draw anew who "
            "meets its challenger: wait for its end, or abort it"
        )
    if serving.mode is Mode.WEIGHTED and names & {"mode", "traffic", "rules", "key"}:
        needing = [n for n in ("key", "rules", "split") if getattr(serving, n)]
        if needing:
            what = "traffic to several deployments" if needing[-1] == "split" else needing[0]
            raise Conflict(
                f"{what} needs mode guarded: an alias draws by chance, between two versions; set "
                f"it with `halftone serving {state.endpoint} mode=guarded`, or `mode: guarded` "
                "in endpoint.yaml"
            )
    if serving.access is Access.PUBLIC and names & {"access", "key", "rules", "mirror"}:
        _check_clients(serving)
    if names & {"traffic", "rules", "mirror"}:
        _check_targets(state, serving, names)


def _check_clients(serving: TrafficPolicy) -> None:
    """No client is known at a public endpoint: what asks for one would never match."""
    if serving.key and serving.key.source is KeySource.CLIENT:
        raise InvalidInput("key", "client", "access private: nobody is known at a public endpoint")
    matches = [(f"rules[{i}].match", rule.match) for i, rule in enumerate(serving.rules)]
    if serving.mirror and serving.mirror.match:
        matches.append(("mirror.match", serving.mirror.match))
    for at, match in matches:
        if match.clients:
            expected = "access private: nobody is known at a public endpoint"
            raise InvalidInput(f"{at}.clients", list(match.clients), expected)


def _check_targets(state: EndpointState, serving: TrafficPolicy, names: set[str]) -> None:
    live = receivers(state, serving)
    running, mirror = state.active, serving.mirror
    challenger = running.challenger if running else None
    if running and challenger in live and names & {"traffic", "rules"}:
        raise Conflict(
            f"version {challenger} is the challenger of rollout {running.id}, whose plan says what "
            "share it gets"
        )
    champion = state.champion.version if state.champion else None
    if mirror and mirror.version in (champion, challenger, *live):
        # What scored a request unseen and what answered one could not be told apart any more.
        raise Conflict(
            f"version {mirror.version} is live: a deployment is live or mirrored, not both"
        )


def dump_state_policy(state: EndpointState) -> dict[str, object]:
    """How an endpoint serves, in the words above: all fields, deployments by their names."""
    names = {placed.version: placed.name for placed in state.placed}

    def called(version: str) -> str:
        return names.get(version, version)

    serving = state.serving
    portions = [Portion(called(p.version), p.share) for p in serving.split]
    if state.champion:
        rest = 100.0 - sum(p.share for p in serving.split)
        portions.insert(0, Portion(called(state.champion.version), max(rest, 0.0)))
    if serving.stopped == NO_TRAFFIC:
        portions = [Portion(p.version, 0.0) for p in portions]
    mirror = serving.mirror
    fields = {name: getattr(serving, name) for name in FIELDS if name != "traffic"}
    fields["rules"] = tuple(Rule(rule.match, called(rule.version)) for rule in serving.rules)
    fields["mirror"] = mirror and Mirror(called(mirror.version), mirror.share, mirror.match)
    return dump_policy({**fields, "traffic": tuple(portions)})
