"""Many endpoints in one world in memory, each with a champion and a challenger at 20 %."""

import hashlib
import json
from collections.abc import Sequence
from datetime import timedelta

from halftone.domain.audit import AuditRecord, Author
from halftone.domain.model.manifest import Flavor, Manifest
from halftone.domain.model.samples import Sample
from halftone.domain.model.schema import Field, FieldType
from halftone.domain.rollout.analysis import judge
from halftone.domain.rollout.evidence import BUCKET, Arm, Bucket, bucket_start
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import Margins, Plan, Stage
from halftone.domain.rollout.rollout import Rollout
from halftone.domain.rollout.verdict import Verdict
from halftone.service.releases.release import ReleaseRequest, release
from halftone.service.rollouts.advance import Tick, advance
from halftone.service.rollouts.rollback import roll_back
from halftone.testing import InMemoryStage

STAGE_TIME = 9 * BUCKET
PLAN = Plan(
    tuple(Stage(weight, min_time=2 * STAGE_TIME, min_requests=100) for weight in (20.0, 50.0)),
    bakes=False,
    errors=Margins(tolerance=5.0),
    late=Margins(tolerance=10.0),
)
NUMBER = (Field("y", FieldType.FLOAT64),)
SAMPLE = Sample(({"y": 1.0},), ({"y": 2.0},))
CHALLENGER, CHAMPION = Arm(100, 1, 100, 2), Arm(400, 4, 400, 8)


class Fleet:
    """Endpoints called ``e0``, ``e1`` and so on, each served by a first release."""

    def __init__(self, size: int) -> None:
        self.world = InMemoryStage()
        self.ports = self.world.ports()
        self.endpoints = [f"e{number}" for number in range(size)]
        for model in ("m1", "m2"):
            digest = hashlib.sha256(model.encode()).hexdigest()
            manifest = Manifest(model, Flavor.PYTHON, "predict.py", NUMBER, NUMBER, (SAMPLE,))
            self.world.packages.offered["assets", model] = (digest, manifest)
            body = json.dumps({"predictions": SAMPLE.predictions})
            self.world.functions.answers[digest] = {"statusCode": 200, "body": body}
        for name in self.endpoints:
            self.release(name, "m1")
            self.prepare(name)

    def release(self, name: str, model: str = "m2") -> Rollout | None:
        """Release ``model``."""
        digest = self.world.packages.offered["assets", model][0]
        return release(
            self.ports,
            ReleaseRequest(
                endpoint=name,
                bucket="assets",
                object_key=model,
                digest=digest,
                settings="s1",
                plan=PLAN,
                actor="ann",
                key=f"{name} {model}",
            ),
        )

    def prepare(self, name: str) -> None:
        """The two ticks up to the first share."""
        self.tick(name)
        self.tick(name)

    def tick(self, name: str) -> Tick:
        """One tick of the workflow."""
        return advance(self.ports, name, None, every=timedelta(seconds=10))

    def traffic(self) -> None:
        """A minute and a half of requests to all endpoints, with 1 % of errors in both versions."""
        clock = self.world.clock
        for _ in range(STAGE_TIME // BUCKET):
            bucket = Bucket(bucket_start(clock.now()), CHALLENGER, CHAMPION)
            for name in self.endpoints:
                self.world.metrics.counted[name].append(bucket)
            clock.pass_by(BUCKET)

    def judge(self, name: str) -> Verdict:
        """The verdict on what the newest look kept."""
        rollout = self.rollout(name)
        evidence = self.world.store.kept[name, rollout.id]
        return judge(evidence, PLAN, PLAN.stages[rollout.stage])

    def rollout(self, name: str) -> Rollout:
        """The newest rollout of an endpoint."""
        rollout = self.world.store.states[name].rollout
        if rollout is None:
            raise LookupError(f"{name} was never released to")
        return rollout

    def roll_back(self, name: str) -> None:
        """What an alarm's event does."""
        roll_back(self.ports, name, author=Author("alarm", "errors above 5 %"))

    def must_be(self, phase: Phase, names: Sequence[str]) -> None:
        """Make sure that what was timed is what its name says."""
        for name in names:
            if self.rollout(name).phase is not phase:
                raise AssertionError(f"{name} is {self.rollout(name).phase}, not {phase}")

    def must_have_gone_on(self, judged: int) -> None:
        """Make sure that the rollouts that were judged are at their second share, at it alone."""
        for name in self.endpoints[:judged]:
            share = self.world.functions.read(name).routing.share_of("2")
            if share != PLAN.stages[1].weight:
                raise AssertionError(f"{name} is at {share} %: {self.rollout(name).reason}")

    @property
    def last_record(self) -> AuditRecord:
        """The newest audit record of the last endpoint."""
        return self.world.store.records[self.endpoints[-1]][-1]
