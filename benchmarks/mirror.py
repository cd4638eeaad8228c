"""What a mirror costs the client: requests with none and with all of them mirrored, in turns.

    python -m benchmarks.mirror            print the table
    python -m benchmarks.mirror --write    and write it into docs/routing.md

Once the handler alone, in this process: there sending takes as long as an asynchronous invoke
within a region (WAIT_SECONDS), in the thread that works after answers, as on Lambda. As there, a
sandbox gets its next request when that is done. And once a client of an endpoint on a local AWS,
whose shadow sleeps in each request (``mirror_clients``; some minutes, nearly all to deploy).
"""

import argparse
import itertools
import json
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks.mirror_clients import SHADOW_SECONDS, on_a_stage
from halftone.domain.endpoint.route_table import RouteConfig
from halftone.domain.endpoint.state import Placed
from halftone.domain.model.manifest_schema import load_manifest
from halftone.domain.traffic.policy import Mirror, TrafficPolicy
from halftone.serving.app import ModelServer
from halftone.serving.gateway.background import Thread
from halftone.serving.gateway.upstream import Event, NoUpstream
from halftone.serving.inference.loader import LoadedModel
from halftone.serving.routing.config_cache import Fixed, RouteConfigCache
from halftone.serving.settings import Settings

PAGE = Path(__file__).resolve().parents[1] / "docs" / "routing.md"
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
class Slow(NoUpstream):
    """Takes what is sent, as slowly as the network."""

    taken: list[int] = field(default_factory=list)

    def send(self, qualifier: str, event: Event) -> bool:
        """See Hop."""
        self.taken.append(len(qualifier) + len(json.dumps(event)))
        time.sleep(WAIT_SECONDS)
        return True


def _server(share: float, hop: Slow) -> ModelServer:
    serving = TrafficPolicy(mirror=Mirror("2", share) if share else None)
    dispatch = RouteConfig("sum", 1, "1", (Placed("2", "2"),), serving)
    manifest = load_manifest(MANIFEST)

    def predict(event: Any, _context: object = None) -> object:
        return [{"y": sum(one.values())} for one in event]

    return ModelServer(
        Settings("sum", "bucket", 500.0, 1_000_000, "r", "d" * 64, version="1"),
        lambda: LoadedModel(manifest, "d" * 64, predict),
        write=lambda _: None,
        cache=RouteConfigCache(Fixed(dispatch)),
        upstream=hop,
        background=Thread(),
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
    quantiles = {name: statistics.quantiles(samples, n=100) for name, samples in times.items()}
    return {
        "median": quantiles["with"][49] / quantiles["without"][49],
        "p99": quantiles["with"][98] / quantiles["without"][98],
        "sent": len(hop.taken) / (ROUNDS * BLOCK),
    }


def table() -> str:
    """Ratios, with all requests mirrored to none."""
    alone, clients = measure(), on_a_stage()
    with_, without = clients["with"], clients["without"]
    ratios = {n: with_.quantile(n) / without.quantile(n) for n in (50, 99)}
    handler = f"of a model that takes no time; sending takes {WAIT_SECONDS * 1e3:g} ms"
    client = (
        f"the shadow takes {SHADOW_SECONDS * 1e3:g} ms;"
        f" without it a request takes {without.quantile(50):.1f} ms at the median"
    )
    return "\n".join(
        [
            "| all requests mirrored, to none | median | p99 | |",
            "|---|---:|---:|---|",
            f"| the handler alone | {alone['median']:.2f} | {alone['p99']:.2f} | {handler} |",
            f"| a client on the local AWS | {ratios[50]:.2f} | {ratios[99]:.2f} | {client} |",
        ]
    )


def main() -> int:
    """Print the table; with --write, put it into the page, too."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the table into docs/routing.md")
    write, text = parser.parse_args().write, table()
    print(text)
    if write:
        begin, end = "<!-- mirror -->\n", "<!-- end of mirror -->"
        before, rest = PAGE.read_text().split(begin)
        PAGE.write_text(f"{before}{begin}{text}\n{end}{rest.split(end)[1]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
