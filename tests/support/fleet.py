"""A stage for guarded stories: the real model servers of several versions, in one process.

Hops go from server to server in memory, through the same deadlines as on Lambda; what crashes a
sandbox there crashes a hop here. So a story of a thousand requests takes milliseconds.
"""

import base64
import itertools
import json
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from halftone.domain.endpoint.route_table import RouteConfig
from halftone.domain.model.manifest_schema import load_manifest
from halftone.domain.rollout.signing import SigningKey
from halftone.serving.app import ModelServer
from halftone.serving.gateway.background import AtOnce, BackgroundTasks
from halftone.serving.gateway.upstream import Event, Reply, ReplyStatus, reply_of, watched
from halftone.serving.inference.loader import LoadedModel
from halftone.serving.routing.config_cache import Fixed, RouteConfigCache, Source
from halftone.serving.routing.ledger import Ledger, MemoryLedger
from halftone.serving.settings import Settings

MANIFEST: dict[str, Any] = {
    "name": "doubler",
    "flavor": "python",
    "entry": "predict.py",
    "inputs": [{"name": "x", "type": "float64"}],
    "outputs": [{"name": "y", "type": "float64"}, {"name": "label", "type": "string"}],
    "samples": [{"instances": [{"x": 1}], "predictions": [{"y": 2, "label": "low"}]}],
}
KEY = SigningKey("5ec2", "5ec2" * 16, datetime(2026, 1, 1, tzinfo=UTC))
"""What signs the ids of a fleet that signs them."""

Run = Callable[[list[dict[str, Any]]], object]


class Crash(KeyboardInterrupt):
    """The process ends: nothing in it can catch that."""


def doubles(instances: list[dict[str, Any]]) -> object:
    """The model of every version that has no other."""
    return [{"y": 2 * one["x"], "label": "low" if one["x"] < 10 else "high"} for one in instances]


@dataclass(frozen=True)
class Context:
    """What Lambda hands in beside the event."""

    aws_request_id: str
    function_version: str


@dataclass
class Answered:
    """An answer as a client reads it."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def version(self) -> str:
        """Who answered."""
        return self.headers["x-halftone-version"]


@dataclass
class Fleet:
    """One endpoint with a sandbox for each version of ``runs``; ``dispatch`` is what all know.
    ``seen`` is each model's version with the context that it was given.
    ``starts`` is how many seconds a version's sandbox takes until it is there. ``tables`` is what
    single versions read the dispatch from in place of ``source``, which all others read.
    """

    dispatch: RouteConfig
    runs: dict[str, Run] = field(default_factory=dict)
    outcomes: dict[str, Reply] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    seen: list[tuple[str, Any]] = field(default_factory=list)
    sent: list[tuple[str, Event]] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    starts: dict[str, float] = field(default_factory=dict)
    afterwards: Callable[[], BackgroundTasks] = AtOnce
    ledger: Ledger = field(default_factory=MemoryLedger)
    tables: dict[str, Source] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ids = itertools.count(1)
        self._servers: dict[str, ModelServer] = {}
        self.caches: dict[str, RouteConfigCache] = {}
        self.source = Fixed(self.dispatch)
        self.clock: Callable[[], float] = time.time
        if self.dispatch.trial:
            self.aliases.setdefault("challenger", self.dispatch.trial.version)

    def signing(self) -> "Fleet":
        """This fleet, whose ids are signed from now on."""
        self.change(replace(self.dispatch, signing=(KEY,)))
        return self

    def change(self, dispatch: RouteConfig) -> None:
        """Another dispatch, which every server reads with its next request."""
        self.dispatch = self.source.dispatch = dispatch
        for server in self._servers.values():
            server.prepare()

    def server(self, version: str) -> ModelServer:
        """The sandbox of that version, started when it is first asked."""
        reply = self._servers.get(version)
        if reply is None:
            time.sleep(self.starts.get(version, 0.0))
            run = self.runs.get(version, doubles)

            def predict(given: Any, context: Any) -> object:
                self.seen.append((version, context))
                return run(given)

            model = LoadedModel(load_manifest(MANIFEST), "d" * 64, predict)
            given = {
                "endpoint": self.dispatch.endpoint,
                "artifacts": "bucket",
                "late_after_ms": 1000.0,
                "max_body": 100_000,
                "deployment": f"rollout-{version}",
                "package": "d" * 64,
                "version": version,
                **self.settings,
            }
            cache = RouteConfigCache(_Table(self, version), self._now)
            self.caches[version] = cache
            reply = self._servers[version] = ModelServer(
                Settings(**given),
                lambda: model,
                write=self.log.append,
                cache=cache,
                upstream=self,
                background=self.afterwards(),
                ledger=self.ledger,
            )
        return reply

    def stop(self, version: str) -> None:
        """End the sandbox of that version: the next request starts another."""
        self._servers.pop(version, None)

    def _now(self) -> float:
        return self.clock()

    # The hop ---------------------------------------------------------------------------------

    def ask(self, qualifier: str, event: Event, seconds: float) -> Reply:
        """See Hop."""
        planned = self.outcomes.get(qualifier)
        if planned is not None:
            return planned
        return watched(lambda: self._invoke(qualifier, event), seconds)

    def send(self, qualifier: str, event: Event) -> bool:
        """See Hop: the shadow scores at once, and nobody reads its answer."""
        self.sent.append((qualifier, event))
        self._invoke(qualifier, event)
        return True

    def prepare(self, seconds: float) -> None:
        """See Hop."""

    def _invoke(self, qualifier: str, event: Event) -> Reply:
        version = self.aliases.get(qualifier, qualifier)
        carried = json.loads(json.dumps(event))  # Lambda carries JSON, and never an object
        try:
            answer = self.server(version)(carried, Context("callee", version))
        except Crash:
            self.stop(version)
            return reply_of(b'{"errorType": "Runtime.ExitError"}', failed=True)
        return reply_of(json.dumps(answer).encode(), failed=False)

    # Clients ---------------------------------------------------------------------------------

    def post(
        self,
        body: object,
        *,
        to: str = "1",
        path: str = "",
        query: dict[str, str] | None = None,
        address: str = "192.0.2.1",
        **headers: str,
    ) -> Answered:
        """A client's request to the front, which is version ``to``. Header names are given with
        underscores; bytes travel in base64.
        """
        carried = base64.b64encode(body).decode() if isinstance(body, bytes) else body
        event = {
            "version": "2.0",
            "rawPath": path or f"/endpoints/{self.dispatch.endpoint}/invocations",
            "headers": {name.replace("_", "-"): value for name, value in headers.items()},
            "queryStringParameters": query,
            "requestContext": {"http": {"method": "POST", "sourceIp": address}},
            "body": carried if isinstance(carried, str) else json.dumps(carried),
            "isBase64Encoded": isinstance(body, bytes),
        }
        return self.send_event(event, to=to)

    def get(
        self, path: str, *, to: str = "1", query: dict[str, str] | None = None, **headers: str
    ) -> Answered:
        """A client's GET."""
        event = {
            "rawPath": path,
            "queryStringParameters": query,
            "headers": {name.replace("_", "-"): value for name, value in headers.items()},
            "requestContext": {"http": {"method": "GET", "sourceIp": "192.0.2.1"}},
        }
        return self.send_event(event, to=to)

    def send_event(self, event: dict[str, Any], *, to: str) -> Answered:
        """An event as API Gateway makes it."""
        answer = self.server(to)(event, Context(f"r-{next(self._ids)}", to))
        json.dumps(answer)
        body = answer["body"]
        assert isinstance(body, str)
        headers: Any = answer["headers"]
        return Answered(int(str(answer["statusCode"])), headers, json.loads(body))

    def ask_x(self, x: float = 1.0, **more: Any) -> Answered:
        """One record in plain JSON."""
        return self.post({"instances": [{"x": x}]}, **more)

    # The log ---------------------------------------------------------------------------------

    def lines(self) -> Iterator[dict[str, Any]]:
        """Everything that was written, as JSON."""
        return map(json.loads, self.log)

    def metrics(self, **of: str) -> list[dict[str, Any]]:
        """The metric lines with those dimensions, without the directive."""
        lines = [line for line in self.lines() if "_aws" in line]
        return [
            {name: value for name, value in line.items() if name != "_aws"}
            for line in lines
            if all(line.get(name) == value for name, value in of.items())
        ]

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The lines for the harvest of that kind."""
        return [line for line in self.lines() if line.get("halftone") == kind]


@dataclass(frozen=True)
class _Table:
    """What a version of the fleet reads at the moment."""

    fleet: Fleet
    version: str

    def read(self) -> RouteConfig:
        return self.fleet.tables.get(self.version, self.fleet.source).read()


def unreached(why: str = "ThrottlingException") -> Reply:
    """What a hop brings back that reached nobody."""
    return Reply(ReplyStatus.UNAVAILABLE, why=why)


def code(text: str) -> str:
    """A package's module, without the indentation of the test that it stands in."""
    return textwrap.dedent(text)
