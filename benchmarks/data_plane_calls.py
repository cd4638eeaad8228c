"""Requests as an HTTP API hands them over, and how their answers are timed.

Servers take turns in blocks, in an order that is drawn anew for each round. The first call of a
block finds the processor's caches full of something else: 64 MB are read before it. It takes two to
six times as long as the next, whichever the server, and has a column of its own. A 99th percentile
with these calls in it would say how long a block is and who had warmed the caches for whom: with 40
calls in a block, one in 40 is of that kind. A few more calls are not counted until the times have
settled. A block during which the kernel gave the processor to somebody else is measured again.
"""

import gc
import itertools
import json
import random
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from halftone.domain.traffic.assignment import position, salted

ROUNDS, SETTLE, BLOCK = 200, 20, 40
TRIES = 20
CACHE_BYTES = 64_000_000
PATH = "/endpoints/digits/invocations"

Event = dict[str, Any]
Handler = Callable[[Event, Any], Any]
_draw = random.Random(5)
ROW = [round(_draw.random(), 12) for _ in range(64)]
"""One record: 64 numbers, which make a body of 1 KB."""


class Context:
    """What Lambda hands in beside the event."""

    aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    function_version = "3"
    function_name = "halftone-dev-digits"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:halftone-dev-digits"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Ten seconds."""
        return 10_000


def event(
    token: str,
    *,
    path: str = PATH,
    body: str = json.dumps({"instances": [{"X": ROW}]}),
    binary: bool = False,
    headers: Mapping[str, str] | None = None,
) -> Event:
    """A request with the headers that a browser's client sends, and those that API Gateway adds."""
    return {
        "version": "2.0",
        "routeKey": f"POST {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "accept": "*/*",
            "accept-encoding": "gzip, deflate",
            "authorization": f"Bearer {token}",
            "content-length": "1000",
            "content-type": "application/json",
            "host": "abcdefghij.execute-api.eu-central-1.amazonaws.com",
            "user-agent": "python-requests/2.32.3",
            "x-amzn-trace-id": "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e",
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
            **(headers or {}),
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abcdefghij",
            "domainName": "abcdefghij.execute-api.eu-central-1.amazonaws.com",
            "http": {
                "method": "POST",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "python-requests/2.32.3",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": f"POST {path}",
            "stage": "$default",
            "time": "10/Mar/2026:05:16:23 +0000",
            "timeEpoch": 1583817383220,
        },
        "body": body,
        "isBase64Encoded": binary,
    }


def champions_keys(share: float) -> Callable[[], str]:
    """Keys of users, a new one with each call, all of whom are the champion's at ``share``."""
    salt = salted("digits")
    names = (f"user-{i}" for i in itertools.count())
    return filter(lambda name: position(salt, name) >= share, names).__next__


@dataclass(frozen=True)
class Subject:
    """A server, and what makes a request to it."""

    server: Handler
    ask: Callable[[], Event]


@dataclass(frozen=True)
class Times:
    """Microseconds: the median and the 99th percentile of warm calls, the median of first ones."""

    median: float
    p99: float
    first: float


def _taken_away() -> int:
    """How often the kernel took the processor from this thread."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nivcsw


def measure(subjects: Mapping[str, Subject]) -> dict[str, Times]:
    """How long each takes."""
    warm: dict[str, list[int]] = {name: [] for name in subjects}
    first: dict[str, list[int]] = {name: [] for name in subjects}
    clock, context, names = time.perf_counter_ns, Context(), list(subjects)
    cache = np.zeros(CACHE_BYTES // 8)
    for subject in subjects.values():
        for _ in range(200):
            subject.server(subject.ask(), context)
    gc.collect()
    gc.freeze()  # as the model function does when it is loaded; here for all servers alike
    for _ in range(ROUNDS):
        _draw.shuffle(names)
        for name in names:
            server, ask = subjects[name].server, subjects[name].ask
            for _ in range(TRIES):
                request = ask()
                cache.sum()
                took, taken_away = [], _taken_away()
                for _ in range(1 + SETTLE + BLOCK):
                    began = clock()
                    server(request, context)
                    took.append(clock() - began)
                    request = ask()
                if _taken_away() == taken_away:
                    break
            first[name].append(took[0])
            warm[name].extend(took[1 + SETTLE :])
    gc.unfreeze()
    return {
        name: Times(
            statistics.median(warm[name]) / 1e3,
            statistics.quantiles(warm[name], n=100)[98] / 1e3,
            statistics.median(first[name]) / 1e3,
        )
        for name in subjects
    }
