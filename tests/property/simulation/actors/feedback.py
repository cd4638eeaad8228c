"""Clients that say what an answer was worth: honestly, twice, late, and with an id of their own.

The model server's own route for feedback takes what they say, with the dispatch that it reads. What
it counts is added to the platform's counts under the cohort that it names. The ledger of the
simulation knows, without the server, whose feedback is evidence: that of a client who got an answer
of the stage under way.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from halftone.domain.endpoint.route_table import RouteConfig
from halftone.domain.names import feedback_cohort
from halftone.domain.rollout.evidence import Bucket, bucket_start
from halftone.domain.rollout.signing import SigningKey
from halftone.ports import Ports
from halftone.serving.gateway.frontend import Frontend
from halftone.serving.http.response import Problem
from halftone.serving.routing.signed_ids import Signer
from halftone.serving.telemetry.feedback import SPREAD_SECONDS
from tests.property.engine.simulation import Act, Outside
from tests.property.simulation.actors.actor import NOBODY, Actor, event
from tests.property.simulation.ledger import Drawn, Judged
from tests.property.simulation.world import World
from tests.support.engine import NAME

_ANSWERS = 3
"""How many answers a client says something about."""


def _signer(world: World, dispatch: RouteConfig) -> Signer:
    return Signer(dispatch, world.real.clock.moment.timestamp)


@event
def answers(world: World, client: str) -> tuple[str, ...]:
    """The ids of answers that the challenger gives ``client``: none, where nothing rolls out."""
    state, dispatch = world.real.store.states.get(NAME), world.real.store.dispatches.get(NAME)
    running = state.active if state else None
    if dispatch is None or dispatch.trial is None or running is None or not running.stage_since:
        return ()
    signer = _signer(world, dispatch)
    moment = int(world.real.clock.moment.timestamp())
    requests = [f"{client}-{moment:x}-{number}" for number in range(_ANSWERS)]
    spread = (world.real.clock.moment - running.stage_since).total_seconds() < SPREAD_SECONDS
    drawn = {Drawn(request, running.id, running.stage, spread) for request in requests}
    world.note(drawn=world.ledger.drawn | drawn)
    return tuple(signer.sign(f"{name}.{dispatch.trial.version}", signer.drawn) for name in requests)


@event
def forged_ids(world: World, client: str) -> tuple[str, ...]:
    """Ids of requests that nobody made, signed with a secret that a client made up."""
    dispatch = world.real.store.dispatches.get(NAME)
    if dispatch is None or dispatch.trial is None:
        return ()
    keys = dispatch.signing
    invented = (SigningKey(keys[0].id, "00" * 32, keys[0].since),) if keys else ()
    signer = _signer(world, replace(dispatch, signing=invented))
    return tuple(
        signer.sign(f"{client}-{number}.{dispatch.trial.version}", signer.drawn)
        for number in range(_ANSWERS)
    )


@event
def feedback(world: World, ids: tuple[str, ...], by: str) -> None:
    """A client sends feedback on each of ``ids``: the answer was wrong."""
    dispatch = world.real.store.dispatches.get(NAME)
    if dispatch is None:
        return
    now = world.real.clock.moment
    state = world.real.store.states.get(NAME)
    running = state.active if state else None
    known = {(d.request, d.rollout, d.stage) for d in world.ledger.drawn if not d.spreading}
    for number, given in enumerate(ids):
        _take(world, dispatch, given, f"{by}-{number}")
        request = given.partition(".")[0]
        if running and (request, running.id, running.stage) in known:
            before = {judged.request for judged in world.ledger.judged}
            if request not in before:
                judged = Judged(request, running.id, bucket_start(now))
                world.note(judged=world.ledger.judged | {judged})


def _take(world: World, dispatch: RouteConfig, given: str, by: str) -> None:
    """Let the model server's route take feedback on one id."""
    counted: list[tuple[str, bool, str]] = []
    server = SimpleNamespace(
        _settings=SimpleNamespace(endpoint=NAME, max_body=10_000),
        _ledger=SimpleNamespace(first=lambda name, by: _first(world, name, by)),
        _recorder=SimpleNamespace(
            feedback=lambda found, *_, cohort, **__: counted.append(
                (found.about.version, found.bad, cohort)
            )
        ),
    )
    body = json.dumps({"request_id": given, "reward": 0.0})
    request = SimpleNamespace(event={"body": body}, headers={})
    router = SimpleNamespace(signer=_signer(world, dispatch), dispatch=dispatch)
    route: Callable[..., Any] = Frontend._feedback
    try:
        route(server, request, router, None, SimpleNamespace(request_id=by))
    except Problem:
        return
    for version, bad, cohort in counted:
        _count(world, version, bad, cohort)


def _first(world: World, name: str, by: str) -> bool:
    """The table's ledger of feedback: whoever is first to name a request, or a key."""
    taken = dict(world.ledger.taken)
    if name not in taken:
        world.note(taken=world.ledger.taken | {(name, by)})
    return taken.get(name, by) == by


def _count(world: World, version: str, bad: bool, cohort: str) -> None:
    """Add what was said to the platform's counts, where the tick asks for that cohort."""
    state = world.real.store.states.get(NAME)
    running = state.active if state else None
    if running is None or version != running.challenger:
        return
    if cohort != feedback_cohort(running.stage):
        return
    counted, now = world.real.metrics.counted, bucket_start(world.real.clock.moment)
    counted[NAME] = [
        Bucket(
            bucket.start,
            replace(
                bucket.challenger,
                judged=bucket.challenger.judged + 1,
                bad=bucket.challenger.bad + bad,
            ),
            bucket.champion,
        )
        if bucket.start == now
        else bucket
        for bucket in counted[NAME]
    ]


def _says(client: str, *waits: float, source: str = "answers", times: int = 1) -> tuple[Act, ...]:
    """A client gets answers, waits, gets some more, and says what the first were worth."""

    def program(_: Ports, outside: Outside, __: Any) -> object:
        for seconds in waits[:1]:
            outside("pass_by", seconds)
        ids = outside(source, client)
        for seconds in waits[1:]:
            outside("pass_by", seconds)
        for time in range(times):
            outside("feedback", ids, f"{client}-{time}")
        return None

    return (Act(program),)


ROLLING = frozenset({"met alone"})
"""No world: only the meetings of ``faults`` have clients that send feedback so far."""
_SPREAD = float(SPREAD_SECONDS)
ACTORS = (
    Actor("client says what is so", "feedback", NOBODY, _says("ann", _SPREAD), ROLLING),
    Actor("client says it twice", "feedback", NOBODY, _says("bob", _SPREAD, times=2), ROLLING),
    Actor("client says it late", "feedback", NOBODY, _says("carl", _SPREAD, 60.0), ROLLING),
    Actor("client forges ids", "feedback", NOBODY,
          _says("eve", _SPREAD, source="forged_ids"), ROLLING),
)  # fmt: skip
