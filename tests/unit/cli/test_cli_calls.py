"""What a command that looks asks of the stage: a person waits for each of these calls."""

from collections import Counter
from dataclasses import fields, replace
from typing import Any

import pytest

from tests.support.engine import NAME

REQUESTS = {
    ("endpoints", "list"): 1,
    ("endpoints", "show", NAME): 1,
    ("traffic", NAME): 1,
    ("metrics", NAME): 1,
    ("deployments", "list", NAME): 1,
    ("deployments", "show", NAME, "1"): 1,
    ("clients", "list", NAME): 1,
    ("groups", "list"): 1,
    ("models", "list"): 1,
    ("me",): 1,
    ("status", NAME): 0,
    ("history", NAME): 0,
}
"""Requests to the control API by command."""

CALLS = {
    ("status", NAME): {
        ("aliases", "both"): 1,
        ("store", "load"): 1,
        ("guardrails", "read"): 1,
        ("store", "audit"): 1,
        ("evidence", "load_evidence"): 1,
    },
    ("history", NAME): {("store", "load"): 1, ("store", "audit"): 1},
}
"""Calls to AWS by command that reads the stage itself: each port's method is one or few calls."""


class Counted:
    """A port that counts the calls of its methods."""

    def __init__(self, name: str, port: Any, calls: Counter) -> None:
        self._name, self._port, self._calls = name, port, calls

    def __getattr__(self, method: str) -> Any:
        attribute = getattr(self._port, method)
        if not callable(attribute):
            return attribute

        def call(*args: Any, **named: Any) -> Any:
            self._calls[self._name, method] += 1
            return attribute(*args, **named)

        return call


@pytest.mark.parametrize("words", REQUESTS, ids=" ".join)
def test_a_command_that_looks_asks_the_api_once(rolling, words):
    rolling.sent.clear()
    assert rolling(*words, "--json").code == 0
    assert len(rolling.sent) == REQUESTS[words], [request.path for request in rolling.sent]


@pytest.mark.parametrize("words", CALLS, ids=" ".join)
def test_a_command_that_reads_the_stage_asks_once(rolling, words):
    calls: Counter = Counter()
    ports = rolling.endpoint.ports
    counted = {
        each.name: Counted(each.name, getattr(ports, each.name), calls)
        for each in fields(ports)
        if each.name not in ("metric_lag", "key_lag", "request", "new_secret", "clock")
    }
    rolling.own = replace(ports, **counted)
    assert rolling(*words, "--json").code == 0
    assert dict(calls) == CALLS[words]
