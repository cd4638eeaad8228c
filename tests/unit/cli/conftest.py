"""The command, run in this process on a stage in memory."""

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from halftone.domain.model.archive import inspect
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import Plan
from halftone.domain.rollout.plan import Stage as Step
from halftone.ports import Ports
from halftone_cli.control.api import ControlApi, Reply, Request
from halftone_cli.main import app
from halftone_cli.stage.place import Stage, Where
from halftone_cli.stage.session import Patient, Session
from tests.support.control import Api, event
from tests.support.engine import Endpoint

_MINUTE = timedelta(minutes=1)
PLAN = Plan(
    tuple(Step(weight, min_time=_MINUTE, max_time=10 * _MINUTE) for weight in (5.0, 50.0, 95.0))
)
"""Two steps and a bake, of a minute and 100 requests each, ten minutes at most."""

PIPE: dict[str, str | None] = dict.fromkeys(("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"))
"""None of what makes rich take a pipe for a terminal, or a terminal for a pipe."""


@dataclass
class Ran:
    """What a run of the command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """Stdout, which must be one JSON document and nothing else."""
        return json.loads(self.out)


@dataclass
class Cli:
    """``halftone`` on the stage "test"; ``endpoint`` is its world."""

    endpoint: Endpoint = field(default_factory=Endpoint)
    api: str = "http://127.0.0.1:9"
    ports: Ports | None = None
    own: Ports | None = None
    urgent: Ports | None = None
    account: Any = None
    unreachable: Exception | None = None
    by: str = "arn:aws:iam::111111111111:user/ann"
    api_down: Exception | None = None
    cut_off: bool = False
    interactive: bool = False
    while_waiting: Callable[[], None] = lambda: None
    naps: list[float] = field(default_factory=list)
    sent: list[Request] = field(default_factory=list)
    environment: dict[str, str | None] = field(default_factory=lambda: dict(PIPE))

    def __call__(self, *words: str, typed: str | None = None) -> Ran:
        """Run the command with these words."""
        ports = self.ports or self.endpoint.ports
        stage = Stage(
            name="test",
            ports=self.own or ports,
            urgent=lambda: self.urgent or ports,
            actor=lambda: "local/ann",
            api=self.api,
            control=ControlApi(self.send, sleep=self._sleep),
            upload=self.upload,
        )
        session = Session(
            connect=lambda _: stage,
            patient=self._patient,
            checkout=None,
            interactive=lambda: self.interactive,
            sleep=self._sleep,
        )
        result = CliRunner(env=self.environment).invoke(
            app, words, input=typed, obj=session, prog_name="halftone"
        )
        return Ran(result.exit_code, result.stdout, result.stderr)

    def promote(self) -> None:
        """Let healthy traffic flow until the challenger has taken all of it."""
        for _ in range(60):
            if self.endpoint.phase is Phase.PROMOTED:
                return
            self.endpoint.traffic(_MINUTE)
            self.endpoint.tick()
        raise AssertionError(f"after an hour of healthy traffic: {self.endpoint.rollout}")

    def send(self, request: Request) -> Reply:
        """The real control API on this world, as API Gateway would reach it."""
        self.sent.append(request)
        if self.api_down:
            raise self.api_down
        ports = self.ports or self.endpoint.ports
        body = request.body.decode() or None
        sent = event(request.method, request.path, request.headers, body, self.by)
        reply = Api(ports).send(sent)
        if self.cut_off and request.method == "POST" and not request.path.endswith("/uploads"):
            raise KeyboardInterrupt
        return Reply(reply.status, reply.headers, reply.text.encode())

    def upload(self, url: str, headers: dict[str, str], data: bytes) -> None:
        bucket, _, key = url.removeprefix("memory://").partition("/")
        _, manifest = inspect(io.BytesIO(data), source=url)
        digest = hashlib.sha256(data).hexdigest()
        self.endpoint.world.packages.offered[bucket, key] = (digest, manifest)
        body = json.dumps({"predictions": [dict(r) for r in manifest.samples[0].predictions]})
        self.endpoint.world.functions.answers[digest] = {"statusCode": 200, "body": body}

    def _patient(self, _: Where) -> Patient:
        if self.unreachable:
            raise self.unreachable
        return Patient(self.account, "make deploy STAGE=test")

    def _sleep(self, seconds: float) -> None:
        assert len(self.naps) < 200, "nothing ends this watch"
        self.naps.append(seconds)
        self.while_waiting()


@pytest.fixture
def cli():
    """The command on a world in which nothing has happened."""
    return Cli()


@pytest.fixture
def rolling(cli):
    """The same, where risk-1 serves and risk-2 has been at 5 % for half a minute."""
    cli.endpoint.serve("risk-1")
    cli.endpoint.release("risk-2", plan=PLAN)
    cli.endpoint.tick_until(Phase.OBSERVING)
    cli.endpoint.traffic(timedelta(seconds=30))
    cli.endpoint.tick()
    return cli


@pytest.fixture
def gated(cli):
    """risk-2 has passed its 5 % and waits for approval of the 50 %."""
    first, *others = PLAN.stages
    plan = replace(PLAN, stages=(first, replace(others[0], approval=True), *others[1:]))
    cli.endpoint.serve("risk-1")
    cli.endpoint.release("risk-2", plan=plan)
    for _ in range(30):
        cli.endpoint.tick()
        if cli.endpoint.phase is Phase.AWAITING_APPROVAL:
            return cli
        cli.endpoint.traffic(_MINUTE)
    raise AssertionError(f"it never came to the gate: {cli.endpoint.rollout}")


def no_stage(_):
    """What a command that needs no stage must not ask for."""
    raise AssertionError("this command needs no stage")


@pytest.fixture
def offline():
    """``halftone`` without any stage; ``while_waiting`` is called whenever it waits."""

    def run(*words, while_waiting=lambda: None, environment=PIPE):
        session = Session(connect=no_stage, sleep=lambda _: while_waiting())
        names = [str(text) for text in words]
        result = CliRunner(env=environment).invoke(app, names, obj=session, prog_name="halftone")
        return Ran(result.exit_code, result.stdout, result.stderr)

    return run
