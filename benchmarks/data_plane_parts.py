"""Where the time of a request goes in Halftone's model server.

One part after the other is put under a clock, whose own cost is taken off, while whole requests are
served: by itself and in a loop a part takes half as long, because the processor's caches hold it.
"""

import statistics
import time
from collections.abc import Callable
from operator import attrgetter
from typing import Any
from unittest.mock import patch

import onnxruntime

from benchmarks.data_plane_calls import Context, Event
from halftone.serving.app import ModelServer
from halftone.serving.gateway import forwarding, frontend
from halftone.serving.inference import scoring

CALLS = 4000


def parts_table(server: ModelServer, request: Event) -> str:
    """Microseconds of each part, medians; the last is what is in none of them."""
    scorer = attrgetter("_model._scorer")(server)
    at_front, telemetry = attrgetter("_frontend", "_frontend._telemetry")(server)
    checks = attrgetter("_input_check", "_output_check", "_stack")(scorer)
    places: dict[str, tuple[Any, str]] = {
        "path, method and headers": (frontend, "route"),
        "the token": (at_front, "_client"),
        "body: JSON to checked values": (checks[0], "decode"),
        "… to an array": (checks[2], "structs"),
        "the graph's run": (onnxruntime.InferenceSession, "run"),
        "answer: array to checked values": (checks[1], "of_columns"),
        "… to JSON": (scoring, "encode"),
        "… with status and headers": (forwarding, "to_lambda"),
        "the metric line, with its write": (telemetry, "request"),
    }
    context = Context()
    whole = _median(lambda: server(request, context), None)
    took = {
        part: _median(lambda: server(request, context), place) for part, place in places.items()
    }
    took["all else: some 40 calls in between"] = whole - sum(took.values())
    lines = ["| a private request, by its ports | |", "|---|---:|"]
    return "\n".join([*lines, *(f"| {part} | {spent:.1f} µs |" for part, spent in took.items())])


def _median(request: Callable[[], object], place: tuple[Any, str] | None) -> float:
    """Microseconds of what stands at ``place`` (an object and a name) in requests, or of whole
    requests.
    """
    took: list[int] = []
    clock = time.perf_counter_ns

    def timed(work: Callable[..., Any]) -> Callable[..., Any]:
        def under_the_clock(*arguments: Any, **named: Any) -> Any:
            began = clock()
            result = work(*arguments, **named)
            took.append(clock() - began)
            return result

        return under_the_clock

    if place is None:
        whole = timed(request)
        for _ in range(CALLS):
            whole()
        return statistics.median(took) / 1e3
    with patch.object(*place, timed(getattr(*place))):
        for _ in range(CALLS):
            request()
    spent, took[:] = statistics.median(took), []
    nothing = timed(lambda: None)
    for _ in range(CALLS):
        nothing()
    return (spent - statistics.median(took)) / 1e3
