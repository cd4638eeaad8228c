"""A stage in memory to time the control API on: fifty endpoints, and a rollout under way."""

import itertools
import json
from collections.abc import Callable
from typing import Any

from benchmarks.engine_fleet import Fleet
from halftone.api.gateway import behind_gateway

CALLER = "arn:aws:sts::111111111111:assumed-role/ann/today"
MOST = 50


class Stage:
    """Acts on one app; each is a function that makes one request, or two that undo each other."""

    def __init__(self) -> None:
        fleet = Fleet(MOST)
        name = fleet.endpoints[0]
        fleet.release(name)
        fleet.prepare(name)
        fleet.traffic()
        fleet.tick(name)
        self.endpoint = f"/v1/endpoints/{name}"
        self.rollout = f"{self.endpoint}/rollouts/{fleet.rollout(name).id}"
        self._handler = behind_gateway(fleet.world.ports())
        self._keys = map("key-{:08}".format, itertools.count())

    def bare(self) -> Callable[[], object]:
        """A handler without any framework: the least that a function can do."""
        event = _event("GET", "/v1/me")

        def handler(event: dict[str, Any]) -> dict[str, Any]:
            caller = event["requestContext"]["authorizer"]["iam"]["userArn"]
            body = json.dumps({"arn": caller, "principal": caller, "roles": {}})
            return {
                "statusCode": 200,
                "headers": {"content-type": "application/json"},
                "body": body,
            }

        return lambda: handler(event)

    def get(self, path: str) -> Callable[[], object]:
        """One GET."""
        event = _event("GET", path)
        return lambda: self._answered(event, 200)

    def pause_and_resume(self) -> Callable[[], object]:
        """Two POSTs that are carried out."""

        def act() -> None:
            self._answered(_event("POST", f"{self.rollout}/pause", next(self._keys)), 200)
            self._answered(_event("POST", f"{self.rollout}/resume", next(self._keys)), 200)

        return act

    def replay(self) -> Callable[[], object]:
        """A POST that is answered from what is kept."""
        event = _event("POST", f"{self.rollout}/pause", next(self._keys))
        self._answered(event, 200)
        self._answered(_event("POST", f"{self.rollout}/resume", next(self._keys)), 200)
        return lambda: self._answered(event, 200)

    def refused(self) -> Callable[[], object]:
        """A POST with a field that there is not."""
        event = _event("POST", f"{self.rollout}/pause", next(self._keys), {"reason": "x"})
        return lambda: self._answered(event, 400)

    def _answered(self, event: dict[str, Any], status: int) -> None:
        context: Any = None
        answer = self._handler(event, context)
        if answer["statusCode"] != status:
            raise RuntimeError(f"{event['rawPath']}: {answer}")


def _event(method: str, path: str, key: str = "", body: object = None) -> dict[str, Any]:
    http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"}
    headers = {"content-type": "application/json", "host": "control"}
    if key:
        headers["idempotency-key"] = key
    event: dict[str, Any] = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {"http": http, "authorizer": {"iam": {"userArn": CALLER}}},
        "isBase64Encoded": False,
    }
    if method == "POST":
        event["body"] = json.dumps(body or {})
    return event
