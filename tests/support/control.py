"""The control API in memory, spoken to as API Gateway does: through Mangum, by a principal."""

import asyncio
import atexit
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from mangum import Mangum

from halftone.api.gateway import ConsolePool, behind_gateway
from halftone.ports import Ports
from halftone.testing import InMemoryStage

ACCOUNT = "111111111111"


def role(name: str, session: str = "laptop") -> str:
    """The ARN under which a session of a role asks."""
    return f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}"


ANN, BEN = role("ann"), role("ben")

_LOOP = asyncio.new_event_loop()
"""Mangum takes its thread's loop and makes one where there is none, which nobody would close."""
atexit.register(_LOOP.close)


def _enter_loop() -> None:
    # Other threads bring a loop of their own: one loop can't run in two at once.
    if threading.current_thread() is threading.main_thread():
        asyncio.set_event_loop(_LOOP)


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def etag(self) -> str:
        return self.headers["etag"]

    @property
    def problem(self) -> dict[str, Any]:
        """The body of an error, which must be a problem."""
        assert self.headers["content-type"] == "application/problem+json", self
        assert self.json["status"] == self.status
        return dict(self.json)


@dataclass
class Api:
    """The API on parts; ``ask`` is one request. Keys count up, so that each POST is a new one."""

    ports: Ports
    self_approval: bool = False
    console: ConsolePool | None = None
    asked: int = 0
    _mangum: Mangum = field(init=False)

    def __post_init__(self) -> None:
        _enter_loop()
        self._mangum = behind_gateway(
            self.ports, self_approval=self.self_approval, console=self.console
        )

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        by: str = ANN,
        key: str = "",
        match: str = "*",
        raw: str | None = None,
        without: Sequence[str] = (),
        seen: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """The answer to one request, sent ``without`` those headers; ``seen`` is Halftone-Seen.

        ``raw`` is sent in place of ``body`` as JSON.
        """
        self.asked += 1
        headers = {"content-type": "application/json", "host": "control", **(headers or {})}
        if method == "POST":
            headers["idempotency-key"] = key or f"request-{self.asked}"
        if method in ("PUT", "PATCH"):
            headers["if-match"] = match
        if seen:
            headers["halftone-seen"] = seen
        headers = {name: value for name, value in headers.items() if name not in without}
        if method != "GET" and raw is None:
            raw = json.dumps(body if body is not None else {})
        return self.send(event(method, path, headers, raw, by))

    def send(self, given: dict[str, Any]) -> Reply:
        """The answer to one event of an HTTP API."""
        context: Any = None
        _enter_loop()
        answer = self._mangum(given, context)
        return Reply(answer["statusCode"], answer["headers"], answer["body"])

    def get(self, path: str, *, by: str = ANN) -> Reply:
        """A GET."""
        return self.ask("GET", path, by=by)

    def post(
        self, path: str, body: object = None, *, by: str = ANN, key: str = "", seen: str = ""
    ) -> Reply:
        """A POST, with a key of its own unless one is given."""
        return self.ask("POST", path, body, by=by, key=key, seen=seen)

    def put(self, path: str, body: object, *, by: str = ANN, match: str = "*") -> Reply:
        """A PUT, over whatever is there unless ``match`` says what was seen."""
        return self.ask("PUT", path, body, by=by, match=match)


def on(world: InMemoryStage) -> Api:
    """The API on a world in memory."""
    return Api(world.ports())


def event(
    method: str, path: str, headers: Mapping[str, str], body: str | None, by: str
) -> dict[str, Any]:
    """A request as an HTTP API hands it to a function (payload format 2.0)."""
    split = urlsplit(path)
    fields: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "ANY /v1/{proxy+}",
        "rawPath": split.path,
        "rawQueryString": split.query,
        "headers": dict(headers),
        "requestContext": {
            "accountId": ACCOUNT,
            "stage": "$default",
            "requestId": "r",
            "http": {
                "method": method,
                "path": split.path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "test",
            },
            "authorizer": {"iam": {"userArn": by, "accountId": ACCOUNT}},
        },
        "isBase64Encoded": False,
    }
    if body is not None:
        fields["body"] = body
    return fields
