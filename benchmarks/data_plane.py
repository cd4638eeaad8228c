"""What a request costs beside the model's own time: ratios between servers of one process and run.

    python -m benchmarks.data_plane            print the tables
    python -m benchmarks.data_plane --write    and write them into docs/protocols.md

All serve one ONNX graph (the logistic regression of the digits example, without its preprocessor)
on the same event of an HTTP API with a body of 1 KB. They take turns in short blocks, so that what
disturbs one disturbs all.
"""

import argparse
import asyncio
import gc
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.data_plane_rivals import bare, fastapi_mangum, own_time, powertools
from benchmarks.data_plane_servers import halftone

ROOT = Path(__file__).parents[1]
GRAPH = ROOT / "examples" / "digits" / "models" / "champion" / "model.onnx"
PAGE = ROOT / "docs" / "protocols.md"
ROUNDS, BLOCK = 150, 40

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


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


def event(authorization: str) -> dict[str, Any]:
    """A request as an HTTP API hands it over, with the headers that a browser's client sends."""
    draw = random.Random(5)
    pixels = [round(draw.random(), 12) for _ in range(64)]
    path = "/endpoints/digits/invocations"
    return {
        "version": "2.0",
        "routeKey": f"POST {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "accept": "*/*",
            "accept-encoding": "gzip, deflate",
            "authorization": authorization,
            "content-length": "1000",
            "content-type": "application/json",
            "host": "abcdefghij.execute-api.eu-central-1.amazonaws.com",
            "user-agent": "python-requests/2.32.3",
            "x-amzn-trace-id": "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e",
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
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
        "body": json.dumps({"instances": [{"X": pixels}]}),
        "isBase64Encoded": False,
    }


def measure(servers: dict[str, Handler], asked: dict[str, Any]) -> dict[str, list[float]]:
    """Microseconds of each call, by server."""
    took: dict[str, list[float]] = {name: [] for name in servers}
    clock, context = time.perf_counter_ns, Context()
    for name, server in servers.items():
        for _ in range(200):
            server(asked, context)
        took[name].clear()
    gc.collect()
    for _ in range(ROUNDS):
        for name, server in servers.items():
            for _ in range(BLOCK):
                began = clock()
                server(asked, context)
                took[name].append((clock() - began) / 1e3)
    return took


def request_table() -> str:
    """Warm requests: medians and 99th percentiles, and what each server adds to the model."""
    with tempfile.TemporaryDirectory() as home, Path(os.devnull).open("w") as log:
        public, private, authorization = halftone(GRAPH, Path(home), log.write)
        asked = event(authorization)
        servers: dict[str, Handler] = {
            "bare handler: `json`, numpy, `json`": bare(GRAPH),
            "Halftone: routing, checks, metrics": public,
            "Halftone, private: a token beside": private,
            "Powertools' resolver": powertools(GRAPH),
            "FastAPI + Mangum, async route": fastapi_mangum(GRAPH),
        }
        same = {
            name: json.loads(serve(asked, Context())["body"]) for name, serve in servers.items()
        }
        if any(answer != next(iter(same.values())) for answer in same.values()):
            raise RuntimeError(f"the servers do not answer alike: {same}")
        model = own_time(GRAPH, asked)
        took = measure({**servers, "the model alone": model}, asked)
    return rows(took)


def rows(took: dict[str, list[float]]) -> str:
    """The table of ``measure``."""
    median = {name: statistics.median(times) for name, times in took.items()}
    tail = {name: statistics.quantiles(times, n=100)[98] for name, times in took.items()}
    alone = median.pop("the model alone")
    first, _, ours, *_ = median
    base = median[ours] - alone
    lines = [
        "| one warm request, body of 1 KB | median | p99 | beside the model | to ours, private |",
        "|---|---:|---:|---:|---:|",
        f"| the model alone | {alone / median[first]:.2f} | | | |",
    ]
    lines += [
        f"| {name} | {median[name] / median[first]:.2f} | {tail[name] / tail[first]:.2f} "
        f"| {median[name] - alone:.0f} µs | {(median[name] - alone) / base:.1f} |"
        for name in median
    ]
    return "\n".join(lines)


IMPORTS = {
    "a bare handler: boto3 with one client": "import boto3; boto3.client('s3', region_name='x')",
    "Halftone's model server, checks in C": "import halftone.serving.app, halftone.serving.scoring",
    "FastAPI + Mangum": "import fastapi, mangum",
    "Powertools' resolver": "import aws_lambda_powertools.event_handler",
}


def import_table(times: int = 15) -> str:
    """Imports in fresh processes, beyond the interpreter's own start."""
    took: dict[str, list[float]] = {name: [] for name in ("", *IMPORTS)}
    for _ in range(times):
        for name, code in (("", "pass"), *IMPORTS.items()):
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603
            took[name].append(time.perf_counter() - began)
    start = statistics.median(took.pop(""))
    median = {name: statistics.median(seconds) - start for name, seconds in took.items()}
    first = next(iter(median.values()))
    lines = ["| import in a fresh process | ratio | ms |", "|---|---:|---:|"]
    lines += [
        f"| {name} | {seconds / first:.2f} | {seconds * 1e3:.0f} |"
        for name, seconds in median.items()
    ]
    return "\n".join(lines)


def main() -> int:
    """Print the tables; with --write, put them into the page, too."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--write", action="store_true", help="write the tables into docs/protocols.md"
    )
    write = parser.parse_args().write
    # FastAPI's side runs on a loop of this thread, as Mangum expects.
    asyncio.set_event_loop(asyncio.new_event_loop())
    for name, table in (("requests", request_table()), ("imports", import_table())):
        print(f"{table}\n")
        if write:
            text = PAGE.read_text()
            begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
            before, rest = text.split(begin)
            PAGE.write_text(f"{before}{begin}{table}\n{end}{rest.split(end)[1]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
