"""A stage in memory as people meet it: services in every state, moved there by the real engine.

Each story releases packages and lets seeded random traffic pass, ten seconds at a time; what the
console shows of it was counted, judged and recorded by the use cases that run on AWS, on a clock
that is set. Nothing that a page shows is written here.
"""

import hashlib
import json
import pickle
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from halftone.domain.audit import Author
from halftone.domain.model.manifest import Flavor, Manifest
from halftone.domain.model.samples import Sample
from halftone.domain.model.schema import Field, FieldType
from halftone.domain.rollout.evidence import BUCKET, Arm, Bucket, bucket_start
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import Plan, Stage
from halftone.domain.rollout.rollout import Rollout
from halftone.ports import Ports
from halftone.service.endpoints.endpoints import set_owner
from halftone.service.groups import make_group
from halftone.service.releases.release import ReleaseRequest, release
from halftone.service.rollouts import operate
from halftone.service.rollouts.advance import advance
from halftone.testing import InMemoryStage

_ROOT = Path(__file__).parents[2]
_ENGINE = _ROOT / "layers/core/python/halftone"
ACCOUNT = "111122223333"
END = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)
"""When all stories have been told: what the tests' browser takes for now."""

BEGIN = END - timedelta(hours=6.5)
EVERY = timedelta(seconds=30)
MINUTE = timedelta(minutes=1)


def user(name: str) -> str:
    """The ARN of a person."""
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


ANN, BEN, CLEO, VERA = (user(name) for name in ("ann", "ben", "cleo", "vera"))
"""An admin, an approver, a releaser and a viewer of the group ``risk``."""

PLAN = Plan(
    (
        Stage(5, min_time=60 * MINUTE, max_time=240 * MINUTE, min_requests=200),
        Stage(20, min_time=60 * MINUTE, max_time=240 * MINUTE, min_requests=200),
        Stage(50, min_time=60 * MINUTE, max_time=240 * MINUTE, min_requests=500),
        Stage(95, min_time=60 * MINUTE, max_time=240 * MINUTE, min_requests=500),
    )
)
GATED = replace(
    PLAN, stages=(PLAN.stages[0], replace(PLAN.stages[1], approval=True), *PLAN.stages[2:])
)
MIRRORED = replace(
    PLAN,
    stages=(Stage(0, mirror=10, min_time=60 * MINUTE, max_time=240 * MINUTE), *PLAN.stages[1:]),
)
AT_ONCE = Plan((), bakes=False)

_INPUTS = {
    "fraud": (
        Field("amount", FieldType.FLOAT64),
        Field("country", FieldType.STRING),
        Field("hour", FieldType.INT64),
    ),
}
_INPUT = (Field("x", FieldType.FLOAT64),)
_EXAMPLES = {FieldType.FLOAT64: 42.5, FieldType.STRING: "PL", FieldType.INT64: 3}


@dataclass
class Rates:
    """What a version's requests do: the part that fails, the part that is late, and how long."""

    errors: float = 0.004
    late: float = 0.01
    latency: float = 24.0
    changed: float = 0.02


@dataclass
class Service:
    """One endpoint on a stage that others share, with traffic of its own."""

    stage: InMemoryStage
    name: str
    rate: float = 12.0
    champion: Rates = field(default_factory=Rates)
    challenger: Rates = field(default_factory=Rates)
    owner: str | None = "risk"

    def __post_init__(self) -> None:
        self.due = self.stage.clock.now()
        self.random = random.Random(self.name)  # noqa: S311 - the same at each run, that is the point
        self.stage.metrics.latencies[self.name] = (18.0, 60.0, 140.0)

    @property
    def ports(self) -> Ports:
        """The stage's ports."""
        return self.stage.ports()

    @property
    def rollout(self) -> Rollout | None:
        """The newest rollout."""
        state = self.stage.store.load(self.name)
        return state.rollout if state else None

    def release(
        self, model: str, *, plan: Plan = PLAN, by: str = CLEO, message: str = "", good: bool = True
    ) -> None:
        """Release the package ``model``; a version that is not ``good`` fails its samples."""
        digest = hashlib.sha256(f"{self.name}/{model}".encode()).hexdigest()
        inputs = _INPUTS.get(self.name, _INPUT)
        row = {one.name: _EXAMPLES[one.type] for one in inputs}
        sample = Sample((row,), ({"score": 0.5},))
        outputs = (Field("score", FieldType.FLOAT64),)
        manifest = Manifest(model, Flavor.PYTHON, "predict.py", inputs, outputs, (sample,))
        self.stage.packages.offered["assets", f"{digest}.zip"] = (digest, manifest)
        answer = {"predictions": [{"score": 0.5 if good else 0.9}]}
        self.stage.functions.answers[digest] = {"statusCode": 200, "body": json.dumps(answer)}
        request = ReleaseRequest(
            endpoint=self.name,
            bucket="assets",
            object_key=f"{digest}.zip",
            digest=digest,
            settings="s1",
            plan=plan,
            actor=by,
            key=f"{self.name} {model}",
            message=message,
            supersede=True,
        )
        release(self.ports, request)

    def serve(self, model: str) -> None:
        """Release ``model`` to all traffic at once."""
        self.release(model, plan=AT_ONCE, message="first version")
        for _ in range(10):
            self.tick()

    def tick(self) -> None:
        """A tick of the workflow, which says itself when the next one is due."""
        tick = advance(self.ports, self.name, None, every=EVERY)
        self.due = self.stage.clock.now() + tick.wait

    def bucket(self, start: datetime) -> None:
        """Ten seconds of requests that begin at ``start``, drawn at random."""
        rollout = self.rollout
        running = rollout is not None and not rollout.phase.final
        share = rollout.share / 100 if rollout and running else 0.0
        total = self._poisson(self.rate * 10)
        theirs = self._binomial(total, share)
        mirrored = self._binomial(total, rollout.mirror / 100) if rollout and running else 0
        ours = total - theirs
        old = self._arm(ours, self.champion)
        new = self._arm(theirs or mirrored, self.challenger)
        if mirrored:
            new = replace(new, paired=mirrored, changed=self._binomial(mirrored, 0.02))
        self.stage.metrics.counted[self.name].append(Bucket(start, new, old))
        state = self.stage.store.load(self.name)
        serving = state.champion.version if state and state.champion else None
        if serving:
            self._chart(serving, start, old, self.champion)
        if rollout and running and rollout.challenger and (theirs or mirrored):
            self._chart(rollout.challenger, start, new, self.challenger)

    def _chart(self, version: str, start: datetime, arm: Arm, rates: Rates) -> None:
        latencies = [self.random.lognormvariate(0, 0.5) * rates.latency for _ in range(6)]
        count = self.stage.charts.count
        count(self.name, version, start, Requests=arm.requests, Errors=arm.errors)
        for latency in latencies:
            count(self.name, version, start, Latency=round(latency, 1))

    def _arm(self, requests: int, rates: Rates) -> Arm:
        timed = max(0, requests - self._binomial(requests, 0.01))
        slow = rates.latency / self.champion.latency
        over = tuple(self._binomial(timed, min(1.0, part * slow)) for part in (0.5, 0.1, 0.01))
        return Arm(
            requests=requests,
            errors=self._binomial(requests, rates.errors),
            timed=timed,
            late=self._binomial(timed, rates.late),
            over=over,
        )

    def _binomial(self, n: int, p: float) -> int:
        return sum(self.random.random() < p for _ in range(n)) if p else 0

    def _poisson(self, mean: float) -> int:
        return max(0, round(self.random.gauss(mean, mean**0.5)))


@dataclass
class Town:
    """All services of the stage, whose clock they share."""

    stage: InMemoryStage = field(default_factory=InMemoryStage)
    services: dict[str, Service] = field(default_factory=dict)
    later: list[tuple[datetime, Callable[[], None]]] = field(default_factory=list)

    def service(self, name: str, **traits: object) -> Service:
        """A new service, with a version that serves."""
        made = Service(self.stage, name, **traits)  # type: ignore[arg-type]
        self.services[name] = made
        made.serve("baseline")
        author = Author(ANN, "ours")
        set_owner(made.ports, name, owner=made.owner, self_approval=None, author=author)
        return made

    def at(self, moment: datetime, do: Callable[[], None]) -> None:
        """Do something when the clock comes to ``moment``."""
        self.later.append((moment, do))

    def pass_until(self, end: datetime) -> None:
        """Let traffic pass and the workflow tick, ten seconds at a time."""
        clock = self.stage.clock
        while clock.now() < end:
            start = bucket_start(clock.now())
            for service in self.services.values():
                service.bucket(start)
            clock.pass_by(BUCKET)
            now = clock.now()
            for moment, do in [each for each in self.later if each[0] <= now]:
                self.later.remove((moment, do))
                do()
            for service in self.services.values():
                rollout = service.rollout
                if rollout is not None and not rollout.phase.final and service.due <= now:
                    service.tick()


def _say(service: Service, operation: Callable[..., object], by: str, reason: str) -> None:
    rollout = service.rollout
    if rollout is not None and not rollout.phase.final:
        operation(service.ports, service.name, author=Author(by, reason), rollout=rollout.id)


def stage_at(end: datetime = END) -> Town:
    """The stage after its stories; kept below ``build`` until a source that it rests on changes."""
    digest = hashlib.sha256(repr(end - END).encode())
    for path in (*sorted(_ENGINE.rglob("*.py")), Path(__file__)):
        digest.update(path.read_bytes())
    kept = _ROOT / "build" / f"console-stage-{digest.hexdigest()[:16]}.pickle"
    if not kept.is_file():
        town = told(end)
        kept.parent.mkdir(exist_ok=True)
        for old in kept.parent.glob("console-stage-*.pickle"):
            old.unlink()
        kept.write_bytes(pickle.dumps(town))
    made: Town = pickle.loads(kept.read_bytes())  # noqa: S301 - written above, by this very code
    made.stage.logs.written = defaultdict(lambda: defaultdict(list), made.stage.logs.written)
    return made


def told(end: datetime = END) -> Town:
    """The stage after its stories, of which the longest rollout lasts three hours."""
    town = Town()
    stage, begin = town.stage, end - (END - BEGIN)
    stage.clock.moment = begin
    ports = stage.ports()
    roles = {
        ANN: ("admin",),
        BEN: ("approver",),
        CLEO: ("releaser",),
        VERA: ("viewer",),
    }
    make_group(ports, "risk", description="Scores of risk", members=roles, author=Author(ANN))

    def before(hours: float, do: Callable[[], None]) -> None:
        town.at(end - timedelta(hours=hours), do)

    fraud = town.service("fraud", rate=8, challenger=Rates(errors=0.005, latency=21))
    before(3, lambda: fraud.release("gradient-boosting", message="sharper at night"))
    before(2.3, lambda: _say(fraud, operate.pause, ANN, "the shop changes its prices"))
    before(2, lambda: _say(fraud, operate.resume, ANN, "prices are changed"))

    churn = town.service("churn", rate=10)
    before(1.3, lambda: churn.release("uplift", plan=GATED, message="asked for by marketing"))

    credit = town.service("credit", rate=4, challenger=Rates(errors=0.03))
    before(2, lambda: credit.release("scorecard-7", message="new bureau data"))

    digits = town.service("digits", rate=5)
    before(6.4, lambda: digits.release("convnet", message="half the size"))

    quiet = town.service("night-shift", rate=0.02, owner=None)
    before(1.5, lambda: quiet.release("weekly"))

    eta = town.service("eta", rate=3)
    before(0.8, lambda: eta.release("graph-net", plan=MIRRORED, message="pairs first"))

    broken = town.service("summaries", rate=3)
    before(0.8, lambda: broken.release("draft", good=False, message="tokenizer 2"))
    town.service("tariffs", rate=5)
    town.pass_until(end)
    # A default that is a function can't be kept in a file.
    stage.logs.written = {name: dict(streams) for name, streams in stage.logs.written.items()}
    return town


__all__ = [
    "ANN",
    "BEN",
    "CLEO",
    "END",
    "VERA",
    "Phase",
    "Rates",
    "Service",
    "Town",
    "stage_at",
    "told",
]
