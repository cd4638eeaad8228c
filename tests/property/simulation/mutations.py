"""What stands against each fault, taken out by name: with its mutation, a fault is seen again.

A mutation swaps functions and methods for others that leave one thing out, everywhere they are
known, and nothing of the source's text: it survives every rename that a script carries out.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from halftone.domain.audit import Author
from halftone.domain.endpoint import champions, policy_rules
from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.projection import projection
from halftone.domain.endpoint.route_table import RouteConfig
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import NotFound, Unavailable
from halftone.domain.names import ALIAS
from halftone.domain.rollout import decide as decisions
from halftone.domain.rollout.evidence import Bucket, bucket_start
from halftone.domain.rollout.rollout import Rollout
from halftone.domain.rollout.verdict import Verdict, VerdictKind
from halftone.domain.traffic.policy import TrafficPolicy
from halftone.entrypoints import eventbridge
from halftone.ports import Ports
from halftone.service.releases import deploy, release, revert
from halftone.service.rollouts import (
    advance,
    observe,
    probation,
    reconcile,
    rollback,
    validation,
)
from halftone.service.rollouts.reconcile import watches
from halftone.serving.gateway.frontend import Frontend
from halftone.serving.routing.signed_ids import Signer
from halftone.serving.telemetry.feedback import Feedback

Swap = tuple[object, str, object]
"""An owner (a module or a class), the name of what it has, and what stands there instead."""


def swap(original: Any, instead: object) -> Swap:
    """``instead`` in place of a function, a method or a property, by whatever name it has."""
    function = original.fget if isinstance(original, property) else original
    owner: object = sys.modules[function.__module__]
    *path, name = function.__qualname__.split(".")
    for part in path:
        owner = getattr(owner, part)
    return owner, name, instead


@contextmanager
def swapped(*swaps: Swap) -> Iterator[None]:
    """Inside, each name means something else, wherever it was imported to."""
    undo: list[Swap] = []
    made[0] += 1
    try:
        for owner, name, instead in swaps:
            original = getattr(owner, name)
            undo.append((owner, name, original))
            setattr(owner, name, instead)
            for module in [m for n, m in sys.modules.items() if n.startswith("halftone.")]:
                for known, value in list(vars(module).items()):
                    if value is original:
                        undo.append((module, known, original))
                        setattr(module, known, instead)
        yield
    finally:
        for owner, name, original in reversed(undo):
            setattr(owner, name, original)
        made[0] += 1


made = [0]
"""How often something was swapped, or put back."""


def _counted_by_the_clock(
    ports: Ports, endpoint: str, rollout: Rollout, since: datetime, until: datetime
) -> Sequence[Bucket]:
    """Buckets of the stages before and now, parted where the plan's own clock says."""
    border = bucket_start(rollout.stage_since) if rollout.stage_since else since
    found: list[Bucket] = []
    cohorts = [rollout.cohorts_in(begun) for begun in rollout.begun[-2:]]
    for which, first, last in ((0, since, min(border, until)), (-1, max(border, since), until)):
        if first < last:
            found += ports.metrics.buckets(
                endpoint, challenger=rollout.challenger or "", champion=rollout.champion or "",
                since=first, until=last, cohorts=cohorts[which],
            )  # fmt: skip
    return found


_decide = decisions.decide


def _loss_is_no_finding(rollout: Rollout, verdict: Verdict, *rest: Any) -> Any:
    if verdict.kind is VerdictKind.LOST_TRAFFIC:
        verdict = replace(verdict, kind=VerdictKind.INCONCLUSIVE)
    return _decide(rollout, verdict, *rest)


# What was taken back, and going back --------------------------------------------------------

_succeed, _watched, _return_to = champions.succeed, probation.watched, revert.revert


def _no_bar(state: EndpointState, *_: object) -> EndpointState:
    return state


def _keeps_its_share(state: EndpointState, champion: Deployment) -> EndpointState:
    return replace(_succeed(state, champion), serving=state.serving)


def _by_number(state: EndpointState, live: Deployment, version: str | None) -> Deployment:
    """The version before by its number, whatever became of it."""
    past = [d for d in state.past or () if version in (None, d.version)]
    earlier = [d for d in past if int(d.version) < int(live.version)] or past
    return max(earlier, key=lambda deployment: int(deployment.version))


def _forgetful(*args: Any, seen: object, **more: Any) -> EndpointState:
    """A return that is not held to what whoever asked for it saw."""
    del seen
    return _return_to(*args, **more)


def _arms_at_once(
    ports: Ports, state: EndpointState, serving: TrafficPolicy, *, why: str
) -> TrafficPolicy:
    """Settings whose deployment on probation is armed before anything is on record."""
    after = _watched(ports, state, serving, why=why)
    if after.probation and after.probation != state.serving.probation:
        ports.guardrails.arm(state.endpoint, after.probation.version, why)
    return after


_watch = advance._watch


def _arms_unread(ports: Ports, state: EndpointState, running: Rollout) -> Any:
    """A tick that arms alarms which watch another version, red or not."""
    wanted = projection(state).watch
    if wanted and not watches(ports.guardrails.read(state.endpoint), wanted):
        ports.guardrails.arm(state.endpoint, wanted.version, "a deploy", alias=wanted.alias)
    return _watch(ports, state, running)


_restores = advance._restore


def _restores_blindly(
    ports: Ports, state: EndpointState, running: Rollout, repair: Any, aliases: Any
) -> EndpointState:
    """A repair that takes the champion's version to be there."""
    at = aliases.live if repair.alias == ALIAS else aliases.challenger
    reconcile.point(ports, state, repair.alias, repair.routing, revision=at.revision)
    return _restores(ports, state, running, repair, ports.aliases.both(state.endpoint))


def _gives_up(_: Ports, state: EndpointState, __: Any) -> Any:
    raise NotFound("version", state.champion.version if state.champion else "", "it is gone")


def _asks_in_vain(_: EndpointState, reason: str) -> EndpointState:
    raise Unavailable(reason)


# Feedback ------------------------------------------------------------------------------------

_take_feedback = Frontend._feedback


def _unsigned(signer: Signer, given: str) -> Any:
    """An id that is read whoever signed it."""
    named = given.rpartition(".")[0]
    key = named.rpartition(".")[2].partition("-")[0]
    return _read(signer, f"{named}.{signer._signature(key, named)}")


_read = Signer.read


def _takes_again(server: Any, *rest: Any) -> Any:
    """A route that asks no ledger."""
    return _take_feedback(SimpleNamespace(**{
        **vars(server), "_ledger": SimpleNamespace(first=lambda *_: True),
    }), *rest)  # fmt: skip


# Deploys -------------------------------------------------------------------------------------

_apply = deploy._Application.apply
_course = release._course
_answered = deploy.answered


def _forgets_what_was_undone(ports: Ports, endpoint: str, key: str) -> Any:
    return None if key.endswith("/undone") else _answered(ports, endpoint, key)


def _ends_first(application: Any) -> Any:
    """A deploy that ends what rolls out before anything is checked."""
    ports, endpoint = application._parts, application._deploy.endpoint
    state = ports.store.load(endpoint)
    if state and state.active:
        rollback.roll_back(ports, endpoint, author=Author("a deploy", "superseded"))
    return _apply(application)


def _joins_anything(state: EndpointState, request: Any, package: Any) -> Any:
    """A release that joins a rollout of its package, whichever way that goes."""
    course, package = _course(state, request, package)
    running = state.active
    same = running and (running.package, running.settings) == (package, request.settings)
    return (release._Course.JOINS if same else course), package


class _Everything(frozenset[str]):
    def __contains__(self, _: object) -> bool:
        return True


MUTATIONS: Mapping[str, Callable[[], Sequence[Swap]]] = {
    "a": lambda: [swap(champions.bar, _no_bar), swap(champions.succeed, _keeps_its_share)],
    "b": lambda: [swap(champions.bar, _no_bar), swap(policy_rules._target, policy_rules._version)],
    "c": lambda: [swap(champions.bar, _no_bar), swap(revert._target, _by_number)],
    "d": lambda: [swap(RouteConfig.named, _Everything())],
    "e": lambda: [swap(validation.failed, lambda *_: "")],
    "f": lambda: [swap(champions.bar, _no_bar)],
    "g": lambda: [swap(revert.revert, _forgetful)],
    "h": lambda: [swap(reconcile._anchor_matches, lambda *_: True)],
    "i": lambda: [swap(rollback.exists, lambda *_: True)],
    "j": lambda: [
        swap(eventbridge._fired_at, lambda state: datetime.fromisoformat(state["timestamp"]))
    ],
    "k": lambda: [swap(champions.bar, _no_bar), swap(probation.watched, _arms_at_once)],
    "l": lambda: [swap(advance._watch, _arms_unread)],
    "m": lambda: [swap(deploy._Application._returns, lambda *_: False)],
    "n": lambda: [swap(deploy._owns, lambda *_: True)],
    "o": lambda: [swap(deploy._Application._with_settings_of_renamed, lambda _, state: state)],
    "p": lambda: [swap(deploy._Application.apply, _ends_first)],
    "q": lambda: [swap(release._course, _joins_anything)],
    "r": lambda: [swap(reconcile.must_be_newest, lambda *_: None)],
    "s": lambda: [swap(Signer.read, _unsigned)],
    "s twice": lambda: [swap(Frontend._feedback, _takes_again)],
    "t": lambda: [swap(Feedback.counts_in, lambda *_: False)],
    "v": lambda: [swap(observe._counted, _counted_by_the_clock)],
    "w": lambda: [swap(decisions.decide, _loss_is_no_finding)],
    "x": lambda: [swap(Bucket.impossible, lambda *_, **__: "")],
    "y": lambda: [swap(advance._look_at_gate, lambda *_: None)],
    "z": lambda: [swap(validation.withdraw_failed, lambda _, state: state)],
    "undone": lambda: [swap(deploy.answered, _forgets_what_was_undone)],
    "late shift": lambda: [swap(advance._look_late, lambda *_: None)],
    "champion gone": lambda: [swap(advance._restore, _restores_blindly)],
    "champion gone at rest": lambda: [swap(reconcile._replace_lost, _gives_up)],
    "nothing left": lambda: [swap(champions.bereave, _asks_in_vain)],
}
"""By the letter of the fault."""
