"""Feedback: whatever a client sends has an answer, and is evidence only with a signed id."""

import json

from tests.fuzz.targets.handler import FLEET, Context

NAMED = str(FLEET.ask_x(1.0).headers["x-request-id"])


def check(data: bytes) -> None:
    """Any body is answered below 500, and counts only where the id is one that was given."""
    FLEET.log.clear()
    body = data.decode("utf-8", "replace").replace("$ID", NAMED)
    event = {
        "rawPath": "/endpoints/double/feedback",
        "headers": {},
        "requestContext": {"http": {"method": "POST", "sourceIp": "192.0.2.1"}},
        "body": body,
        "isBase64Encoded": False,
    }
    answer = FLEET.server("1")(event, Context())
    status = int(str(answer["statusCode"]))
    assert status < 500, answer
    for line in FLEET.log:
        values = json.loads(line, parse_constant=_refuse)
        assert values.get("level") != "ERROR", line
        if "Reward" in values or "Bad" in values:
            assert status == 202, answer
            assert json.loads(body)["request_id"] == NAMED, body
            assert 0 <= values.get("Reward", 0) <= 1, line


def _refuse(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")
