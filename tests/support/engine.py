"""An endpoint in memory, spoken to in the words of its users: release, tick, alarm, roll back.

Nothing is patched and nothing is mocked: the use cases run on the parts that ship in
``halftone.testing``, on a clock that the test moves.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from halftone.domain.audit import AuditRecord, verify
from halftone.domain.endpoint.route_table import RouteConfig, route_config_of
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.model.manifest import Flavor, Manifest
from halftone.domain.model.samples import Sample
from halftone.domain.model.schema import Field, FieldType
from halftone.domain.names import CHALLENGER
from halftone.domain.rollout.evidence import BUCKET, Arm, Bucket, bucket_start
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import Plan
from halftone.domain.rollout.rollout import Rollout
from halftone.domain.rollout.routing import Routing
from halftone.ports.guardrails import AlarmState
from halftone.service.releases.release import ReleaseRequest, release
from halftone.service.rollouts.advance import Tick, advance
from halftone.testing import InMemoryStage
from tests.support.rollouts import PLAN

NAME = "fraud"
EVERY = timedelta(seconds=10)
HEALTHY = Arm(requests=50, errors=0, timed=50, late=0)
FAILING = Arm(requests=50, errors=25, timed=50, late=0)
SILENT = Arm()

ALL_AT_ONCE = Plan((), bakes=False)
GIVEN = (Field("x", FieldType.FLOAT64),)
FOUND = (Field("y", FieldType.FLOAT64),)
SAMPLE = Sample(({"x": 1.0},), ({"y": 2.0},))
RIGHT: Mapping[str, object] = {"statusCode": 200, "body": json.dumps({"predictions": [{"y": 2.0}]})}


def digest_of(model: str) -> str:
    """The digest that the package ``model`` has in these tests."""
    return hashlib.sha256(model.encode()).hexdigest()


def manifest_of(model: str) -> Manifest:
    """A sound package called ``model`` with one sample."""
    return Manifest(model, Flavor.PYTHON, "predict.py", GIVEN, FOUND, (SAMPLE,))


def scaled(arm: Arm, factor: float) -> Arm:
    """``arm`` with its counts times ``factor``."""
    counts = (arm.requests, arm.errors, arm.timed, arm.late)
    return Arm(*(round(count * factor) for count in counts))


class Endpoint:
    """One endpoint in a world of its own, at ``world`` for what a test wants to set or see."""

    def __init__(self, world: InMemoryStage | None = None) -> None:
        self.world = world or InMemoryStage()
        self.ports = self.world.ports()

    def offer(self, model: str, answer: Mapping[str, object] = RIGHT) -> str:
        """Put a package into the assets' bucket; its versions give ``answer`` when invoked."""
        digest = digest_of(model)
        self.world.packages.offered["assets", f"{model}.zip"] = (digest, manifest_of(model))
        self.world.functions.answers[digest] = answer
        return digest

    def request(self, model: str, key: str | None = None, **changes: object) -> ReleaseRequest:
        """What ``cdk deploy`` asks for when the package ``model`` is declared."""
        if ("assets", f"{model}.zip") not in self.world.packages.offered:
            self.offer(model)
        release_request = ReleaseRequest(
            endpoint=NAME,
            bucket="assets",
            object_key=f"{model}.zip",
            digest=digest_of(model),
            settings="s1",
            plan=PLAN,
            actor="ann",
            key=key or f"release of {model}",
            supersede=True,
        )
        return replace(release_request, **changes)  # type: ignore[arg-type]

    def release(self, model: str, key: str | None = None, **changes: object) -> Rollout | None:
        """Release the package ``model``."""
        return release(self.ports, self.request(model, key, **changes))

    def serving(self, **settings: object) -> None:
        """How the endpoint serves from now on, as if it had been set before."""
        states, state = self.world.store.states, self.state
        serving = replace(state.serving, **settings)  # type: ignore[arg-type]
        states[NAME] = replace(state, serving=serving)

    def serve(self, model: str) -> None:
        """Release ``model`` and bring it to all traffic at once."""
        self.release(model, plan=ALL_AT_ONCE)
        self.tick_until(Phase.PROMOTED)

    def tick(self, rollout: str | None = None) -> Tick:
        """One tick of the workflow, or of the schedule."""
        return advance(self.ports, NAME, rollout, every=EVERY)

    def tick_until(self, *phases: Phase, most: int = 20) -> Tick:
        """Tick without letting time pass until the rollout is in one of ``phases``."""
        for _ in range(most):
            tick = self.tick()
            if tick.phase in phases or (self.rollout and self.rollout.phase in phases):
                return tick
        raise AssertionError(f"after {most} ticks: {self.rollout}")

    def traffic(self, span: timedelta, challenger: Arm = HEALTHY, champion: Arm = HEALTHY) -> None:
        """Let ``span`` pass; every ten-second bucket in it counts these requests.

        The champion's counts are scaled to what it gets beside the challenger's share.
        """
        clock = self.world.clock
        share = self.rollout.share if self.rollout else 0.0
        if 0.0 < share < 100.0:
            champion = scaled(champion, (100.0 - share) / share)
        for _ in range(span // BUCKET):
            start = bucket_start(clock.now())
            self.world.metrics.counted[NAME].append(Bucket(start, challenger, champion))
            for version, arm in self._answered(challenger, champion):
                self.world.metrics.answered[NAME, version].append((start, arm))
            clock.pass_by(BUCKET)

    def _answered(self, challenger: Arm, champion: Arm) -> list[tuple[str, Arm]]:
        """What clients were answered by each version: nothing by one that scores unseen."""
        rollout, serving = self.rollout, self.champion
        if rollout is None or rollout.champion is None or rollout.challenger is None:
            return [(serving, champion)] if serving else []
        beside = [(rollout.challenger, challenger)] if rollout.share else []
        return [(rollout.champion, champion), *beside]

    def trip(self, reason: str = "errors above 5 %") -> None:
        """The guardrail goes into alarm."""
        self.world.guardrails.trip(NAME, reason)

    @property
    def state(self) -> EndpointState:
        """The record."""
        document = self.world.store.load(NAME)
        assert document is not None
        return document

    @property
    def rollout(self) -> Rollout | None:
        """The newest rollout on record."""
        return self.state.rollout

    @property
    def phase(self) -> Phase | None:
        """The newest rollout's phase."""
        return self.rollout.phase if self.rollout else None

    @property
    def alias(self) -> Routing:
        """What the alias says."""
        return self.world.functions.read(NAME).routing

    @property
    def challenger_alias(self) -> Routing:
        """What the alias says by which fronts pass requests on."""
        return self.world.functions.read(NAME, CHALLENGER).routing

    @property
    def dispatch(self) -> RouteConfig:
        """What the model servers are told."""
        return route_config_of(self.state)

    @property
    def champion(self) -> str | None:
        """The champion's version on record."""
        return self.state.champion.version if self.state.champion else None

    @property
    def armed_for(self) -> str | None:
        """The version that the alarms watch."""
        return self.world.guardrails.read(NAME).armed_for

    @property
    def alarmed(self) -> bool:
        """Whether the guardrail is in alarm."""
        return self.world.guardrails.read(NAME).state is AlarmState.ALARM

    @property
    def history(self) -> list[AuditRecord]:
        """The audit, verified."""
        records = list(self.world.store.audit(NAME))
        verify(NAME, records, self.state.audit)
        return records

    @property
    def actions(self) -> list[str]:
        """What was done, in order."""
        return [record.action for record in self.history]
