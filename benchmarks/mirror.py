"""What a mirror costs the client: one server with none and with all requests mirrored, in turns.

    python -m benchmarks.mirror

Sending takes as long as an asynchronous invoke within a region (WAIT_SECONDS), in the thread that
works after answers, as on Lambda. As there, a sandbox gets its next request when that is done.
Printed are ratios of the handler's time, mirror to none, at the median and the 99th percentile.
"""

import itertools
import json
import statistics
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from halftone.domain.dispatch import Dispatch
from halftone.domain.endpoint import Placed
from halftone.domain.package_form import parse_manifest
from halftone.domain.serving import Mirror, Serving
from halftone.serving.afterwards import Thread
from halftone.serving.app import ModelServer
from halftone.serving.dispatches import Fixed, Known
from halftone.serving.hop import Alone, Event
from halftone.serving.loading import LoadedModel
from halftone.serving.settings import Settings

WAIT_SECONDS = 0.005
ROUNDS, BLOCK = 40, 25
FIELDS = 30
MANIFEST: dict[str, Any] = {
    "name": "sum",
    "flavor": "python",
    "entry": "predict.py",
    "inputs": [{"name": f"f{i}", "type": "float64"} for i in range(FIELDS)],
    "outputs": [{"name": "y", "type": "float64"}],
    "samples": [{"instances": [{f"f{i}": 0 for i in range(FIELDS)}]}],
}


@dataclass
class Slow(Alone):
    """Takes what is sent, as slowly as the network."""

    taken: list[int] = field(default_factory=list)

    def send(self, via: str, event: Event) -> bool:
        """See Hop."""
        self.taken.append(len(via) + len(json.dumps(event)))
        time.sleep(WAIT_SECONDS)
        return True


def _server(share: float, hop: Slow) -> ModelServer:
    serving = Serving(mirror=Mirror("2", share) if share else None)
    dispatch = Dispatch("sum", 1, "1", (Placed("2", "2"),), serving)
    manifest = parse_manifest(MANIFEST)

    def predict(given: Any, _context: object = None) -> object:
        return [{"y": sum(one.values())} for one in given]

    return ModelServer(
        Settings("sum", "bucket", 500.0, 1_000_000, "r", "d" * 64, version="1"),
        lambda: LoadedModel(manifest, "d" * 64, predict),
        write=lambda _: None,
        known=Known(Fixed(dispatch)),
        hop=hop,
        afterwards=Thread(),
    )


def measure() -> dict[str, float]:
    """Ratios of the handler's time with a mirror at 100 % to that without."""
    hop = Slow()
    servers = {"without": _server(0.0, hop), "with": _server(100.0, hop)}
    body = json.dumps({"instances": [{f"f{i}": i / 7 for i in range(FIELDS)}]})
    event = {
        "rawPath": "/endpoints/sum/invocations",
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": "POST", "sourceIp": "192.0.2.1"}},
        "body": body,
    }
    times: dict[str, list[float]] = {name: [] for name in servers}
    ids = itertools.count()
    for _ in range(ROUNDS):
        for name, server in servers.items():
            for _ in range(BLOCK):
                context = SimpleNamespace(aws_request_id=f"r-{next(ids)}", function_version="1")
                began = time.perf_counter_ns()
                server(event, context)
                times[name].append((time.perf_counter_ns() - began) / 1e3)
                time.sleep(2 * WAIT_SECONDS)
    quantiles = {name: statistics.quantiles(found, n=100) for name, found in times.items()}
    return {
        "median": quantiles["with"][49] / quantiles["without"][49],
        "p99": quantiles["with"][98] / quantiles["without"][98],
        "sent": len(hop.taken) / (ROUNDS * BLOCK),
    }


if __name__ == "__main__":
    for name, ratio in measure().items():
        print(f"{name:8}{ratio:6.2f}")
