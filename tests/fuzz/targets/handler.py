"""The model server's handler: one request of a client to a healthy model.

The first line of an input chooses path, method and headers, the rest is the body. The front keeps
and mirrors every request and looks for its key in the body, so that all that reads a body does.
"""

import base64
import json
from dataclasses import dataclass

from halftone.domain.endpoint.route_table import RouteConfig
from halftone.domain.endpoint.state import Placed
from halftone.domain.traffic.policy import (
    Capture,
    Cors,
    KeySource,
    Mirror,
    Mode,
    StickyKey,
    TrafficPolicy,
)
from tests.support.fleet import Fleet

PATHS = (
    "/endpoints/double/invocations",
    "/v2/models/double/infer",
    "/endpoints/double/feedback",
    "/endpoints/double/health",
    "/endpoints/double",
    "/endpoints/double/app/x",
    "/v2beta/v2/models/double",
    "/endpoints/double/versions/3/invocations",
)
METHODS = ("POST", "GET", "HEAD", "OPTIONS", "PUT")
NAMES = (
    "content-type",
    "content-encoding",
    "inference-header-content-length",
    "x-halftone-deployment",
    "authorization",
    "origin",
    "x-forwarded-user",
)
FLEET = Fleet(
    RouteConfig(
        "double",
        1,
        "1",
        (Placed("1", "1"), Placed("3", "green")),
        TrafficPolicy(
            mode=Mode.GUARDED,
            key=StickyKey(KeySource.BODY, "instances.0.x"),
            mirror=Mirror("3", 100.0),
            capture=Capture(100.0, ("secret", "x.y")),
            label="label",
            cors=Cors(("https://shop.example",)),
        ),
    )
).signing()


@dataclass(frozen=True)
class Context:
    """What Lambda hands in beside the event."""

    aws_request_id: str = "r-1"
    function_version: str = "1"


def event_of(data: bytes) -> dict[str, object]:
    """An input as the event that API Gateway would make of it."""
    head, _, body = data.partition(b"\n")
    where = head[:1] or b"\0"
    method = head[1:2] or b"\0"
    values = head[2:].decode("utf-8", "surrogateescape").split("\t")
    strict = "surrogatepass" if where[0] & 64 else "replace"
    text = None if where[0] & 128 else body.decode("utf-8", strict)
    return {
        "version": "2.0",
        "rawPath": PATHS[where[0] % len(PATHS)],
        "headers": {name: value for name, value in zip(NAMES, values, strict=False) if value},
        "queryStringParameters": {"version": values[-1]} if method[0] & 128 else None,
        "requestContext": {
            "http": {"method": METHODS[method[0] % len(METHODS)], "sourceIp": "192.0.2.1"}
        },
        "body": base64.b64encode(body).decode() if text is None else text,
        "isBase64Encoded": text is None,
    }


def check(data: bytes) -> None:
    """A request has an answer that Lambda can carry, which counts against nobody, and each line of
    the log is JSON.
    """
    FLEET.log.clear()
    FLEET.sent.clear()
    FLEET.seen.clear()
    try:
        event = event_of(data)
    except UnicodeDecodeError:
        return  # API Gateway hands over no such text
    answer = FLEET.server("1")(event, Context())
    json.dumps(answer, ensure_ascii=False, allow_nan=False).encode()
    assert int(str(answer["statusCode"])) < 500, answer
    if int(str(answer["statusCode"])) >= 400:
        assert len(str(answer["body"])) < 4000, answer
    for line in FLEET.log:
        values = json.loads(line, parse_constant=_refuse)
        assert values.get("level") != "ERROR", line
        assert values.get("Errors", 0) == 0, line


def _refuse(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")
