"""The worlds in which actors meet: each brought there by the engine itself, undisturbed."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from halftone.domain.audit import Author
from halftone.domain.rollout.evidence import BUCKET, Arm, Bucket
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import OnInconclusive, Plan, Stage
from halftone.domain.traffic.policy import Mode
from halftone.service.endpoints.policy import set_mode
from halftone.service.releases.revert import revert
from halftone.service.rollouts import operate
from tests.property.simulation.actors import deploys
from tests.property.simulation.ledger import Ledger, Stack, Stretch
from tests.property.simulation.world import World
from tests.support.engine import NAME, Endpoint

STEP = Stage(50.0, min_time=BUCKET, max_time=timedelta(minutes=5), min_requests=500)
ONE_STEP = Plan((STEP,), bakes=False)
GATED = replace(ONE_STEP, approve_all=True)
SCORED_FIRST = Plan((replace(STEP, weight=0.0, mirror=10.0), STEP), bakes=False)
ON_AGE = Plan(
    (replace(STEP, max_time=3 * BUCKET),), bakes=False, on_inconclusive=OnInconclusive.PROMOTE
)
CALM = Arm(requests=2000, errors=0, timed=2000, late=0)
HORIZON = 120
"""Ten-second buckets of traffic that a world holds; those that have not passed are not seen."""

LATER = ("m1", "m2", "m3", "m4")


@dataclass
class Builder:
    """A world in the making."""

    world: World
    endpoint: Endpoint

    @classmethod
    def begin(cls) -> "Builder":
        """An empty world, in which the models of the actors are offered."""
        world = World()
        endpoint = Endpoint(world.real)
        for model in LATER:
            endpoint.offer(model)
        return cls(world, endpoint)

    def serve(self, *models: str) -> None:
        """Each is champion in turn: the first by its stack, the others by people."""
        for model in models:
            if self.world.ledger.stack is None:
                assert model == "m1", "what the stack of every world declares"
                self.deploy()
            else:
                self.endpoint.serve(model)

    def guard(self) -> None:
        """The champion stands in front."""
        set_mode(self.world.ports, NAME, "guarded", author=Author("ann", "no failed request"))

    def deploy(self, **serving: object) -> None:
        """m1 is deployed by CloudFormation."""
        properties = deploys.declared("m1", **serving)
        world = self.world
        stack = Stack("CREATE_IN_PROGRESS", "Release", "", json.dumps(properties))
        world.note(stack=stack)
        answer = deploys.on_event(world.ports, deploys.request("Create", "create", properties))
        physical = answer["PhysicalResourceId"]
        world.note(stack=replace(stack, status="CREATE_COMPLETE", physical=physical))
        self.endpoint.tick_until(Phase.PROMOTED)

    def roll_out(self, model: str, plan: Plan, phase: Phase) -> None:
        """``model`` is on its way, and in that phase."""
        self._count()
        self.endpoint.release(model, plan=plan)
        for _ in range(40):
            self.endpoint.tick()
            if self.endpoint.phase is phase:
                break
            self.world.real.clock.pass_by(BUCKET)
        assert self.endpoint.phase is phase, self.endpoint.rollout
        self.world.real.clock.pass_by(BUCKET)

    def _count(self) -> None:
        start = self.world.real.clock.moment
        self.world.real.metrics.counted[NAME] = [
            Bucket(start + i * BUCKET, CALM, CALM) for i in range(HORIZON)
        ]

    def done(self) -> World:
        """The world, with a ledger of how it came about."""
        world, state = self.world, self.endpoint.state
        if not world.real.metrics.counted[NAME]:
            self._count()
        versions = range(1, len(world.real.functions.versions[NAME]) + 1)
        running = state.active
        ledger = Ledger(
            answered=frozenset(str(version) for version in versions), stack=world.ledger.stack
        )
        if running and running.stage_since:
            ledger = replace(
                ledger,
                stretches=(Stretch(running.exposed_at or running.stage_since, running.cohorts),),
            )
        world.ledger = ledger.written(
            world.real.store.dispatches.get(NAME), world.real.clock.moment
        )
        world.tell_parts()
        return world


def _serving() -> World:
    made = Builder.begin()
    made.serve("m1")
    made.world.yesterday = made.world.save()
    made.serve("m2")
    return made.done()


def _beside() -> World:
    made = Builder.begin()
    made.serve("m1", "m2")
    made.world.yesterday = made.world.save()
    made.serve("m3")
    made.guard()
    return made.done()


def _returned() -> World:
    """1, 2, back to 1, then 3: version 2 was taken back."""
    made = Builder.begin()
    made.serve("m1", "m2")
    revert(made.world.ports, NAME, version="1", author=Author("ann", "it drifts"))
    made.world.yesterday = made.world.save()
    made.serve("m3")
    made.guard()
    world = made.done()
    world.note(barred=frozenset({"2"}))
    return world


def _aside() -> World:
    """Champion 1 in mode guarded; version 2 was ended by somebody before it was promoted."""
    made = Builder.begin()
    made.serve("m1")
    made.guard()
    made.roll_out("m2", ONE_STEP, Phase.OBSERVING)
    operate.abort(made.world.ports, NAME, author=Author("ann", "kept beside the champion"))
    world = made.done()
    world.note(barred=frozenset({"2"}))
    return world


def _deployed() -> World:
    made = Builder.begin()
    made.deploy()
    made.world.yesterday = made.world.save()
    return made.done()


def _private() -> World:
    made = Builder.begin()
    made.deploy(access="private")
    return made.done()


def _rolling(plan: Plan, mode: Mode, phase: Phase) -> Callable[[], World]:
    def build() -> World:
        made = Builder.begin()
        made.serve("m1")
        made.world.yesterday = made.world.save()
        if mode is Mode.GUARDED:
            made.guard()
        made.roll_out("m2", plan, phase)
        return made.done()

    return build


WORLDS: Mapping[str, Callable[[], World]] = {
    "serving": _serving,
    "beside": _beside,
    "returned": _returned,
    "aside": _aside,
    "deployed": _deployed,
    "deployed private": _private,
    "watched": _rolling(ONE_STEP, Mode.WEIGHTED, Phase.OBSERVING),
    "passing on": _rolling(ONE_STEP, Mode.GUARDED, Phase.OBSERVING),
    "at the gate": _rolling(GATED, Mode.GUARDED, Phase.AWAITING_APPROVAL),
    "scored": _rolling(SCORED_FIRST, Mode.WEIGHTED, Phase.OBSERVING),
    "promoting on age": _rolling(ON_AGE, Mode.WEIGHTED, Phase.OBSERVING),
}
"""Every world by its name."""
