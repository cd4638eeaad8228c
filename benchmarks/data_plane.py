"""What a request costs beside the model's own time: ratios between servers of one process and run.

    python -m benchmarks.data_plane            print the tables
    python -m benchmarks.data_plane --write    and write them into docs/protocols.md

All serve one ONNX graph (the logistic regression of the digits example, without its preprocessor)
on the same event of an HTTP API with a body of 1 KB, and print to the same stdout, which ends each
line with a call to the system, as Lambda's does. How they are timed stands in ``data_plane_calls``.
"""

import argparse
import asyncio
import base64
import contextlib
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from benchmarks import data_plane_rivals as rivals
from benchmarks.data_plane_calls import (
    ROW,
    Context,
    Event,
    Handler,
    Subject,
    Times,
    champions_keys,
    event,
    measure,
)
from benchmarks.data_plane_parts import parts_table
from benchmarks.data_plane_servers import USER_KEY, Stage, by_setting, clients

ROOT = Path(__file__).parents[1]
GRAPH = ROOT / "examples" / "digits" / "models" / "champion" / "model.onnx"
PAGE = ROOT / "docs" / "protocols.md"
MODEL, BARE = "the model alone", "bare handler: `json`, numpy, `json`"
PUBLIC, PRIVATE = "Halftone: routing, checks, metrics", "Halftone, private: a token beside"


def request_tables() -> dict[str, str]:
    """Warm requests: ours beside rivals, ours by what is set, and ours by its parts."""
    with tempfile.TemporaryDirectory() as home, Path(os.devnull).open("w", buffering=1) as log:
        allowed = clients()
        ours = by_setting(Stage.of(GRAPH, Path(home)), allowed)
        digests = {one.token_id: (one.name, one.digest) for one in allowed.known}
        tokens, request = rivals.Tokens(digests), event(allowed.token)
        servers: dict[str, Handler] = {
            BARE: rivals.bare(GRAPH),
            PUBLIC: ours["public"],
            PRIVATE: ours["private: a token"],
            "Powertools: resolver": rivals.powertools(GRAPH),
            "… and the same job: a token, `Metrics`": rivals.powertools_same_job(GRAPH, tokens),
            "FastAPI + Mangum, body declared": rivals.fastapi_declared(GRAPH),
            "FastAPI + Mangum, raw request": rivals.fastapi_mangum(GRAPH),
            "… and the same job: a token, a metric line": rivals.fastapi_same_job(GRAPH, tokens),
        }
        subjects = {name: Subject(server, lambda: request) for name, server in servers.items()}
        _agree(subjects)
        settings = {
            name: Subject(server, _requests(name, request)) for name, server in ours.items()
        }
        settings["… a key that was not seen before"] = Subject(
            ours["guarded, sticky by a header"], _new_users(allowed.token)
        )
        settings["tensors in JSON"] = Subject(ours["public"], _tensors(allowed.token, binary=False))
        settings["tensors in bytes"] = Subject(ours["public"], _tensors(allowed.token, binary=True))
        _stay(settings)
        subjects[MODEL] = Subject(rivals.own_time(GRAPH, request), lambda: request)
        with contextlib.redirect_stdout(log):
            return {
                "requests": _rivals(measure(subjects)),
                "settings": _settings(measure(settings)),
                "parts": parts_table(ours["private: a token"], request),
            }


def _agree(subjects: Mapping[str, Subject]) -> None:
    """Let pass servers that answer alike, and write a line where they say so."""
    answers = {}
    for name, subject in subjects.items():
        with contextlib.redirect_stdout(io.StringIO()):
            answers[name] = json.loads(subject.server(subject.ask(), Context())["body"])
    if any(answer != answers[BARE] for answer in answers.values()):
        raise RuntimeError(f"the servers do not answer alike: {answers}")


def _stay(settings: Mapping[str, Subject]) -> None:
    """Let pass servers that answer themselves, and count it where there is something to count."""
    for name, subject in settings.items():
        with contextlib.redirect_stdout(io.StringIO()) as log:
            answer = subject.server(subject.ask(), Context())
        line = json.loads(log.getvalue().splitlines()[0])
        counted = line.get("Cohort") == ("trial" if "guarded" in name or "key" in name else None)
        if answer["statusCode"] != 200 or not counted or "Fallback" in line:
            raise RuntimeError(f"{name}: {answer} {line}")


def _requests(name: str, request: Event) -> Callable[[], Event]:
    user = champions_keys(5.0)()
    keyed = {**request, "headers": {**request["headers"], USER_KEY: user}}
    return (lambda: keyed) if "sticky" in name else (lambda: request)


def _new_users(token: str) -> Callable[[], Event]:
    user = champions_keys(5.0)
    return lambda: event(token, headers={USER_KEY: user()})


def _tensors(token: str, *, binary: bool) -> Callable[[], Event]:
    path, tensor = "/v2/models/digits/infer", {"name": "X", "datatype": "FP32", "shape": [1, 64]}
    if not binary:
        body = json.dumps({"inputs": [{**tensor, "data": ROW}]})
        request = event(token, path=path, body=body)
        return lambda: request
    data = np.array(ROW, np.float32).tobytes()
    inputs = [{**tensor, "parameters": {"binary_data_size": len(data)}}]
    head = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    sizes = {
        "content-type": "application/octet-stream",
        "inference-header-content-length": str(len(head)),
    }
    body = base64.b64encode(head + data).decode()
    request = event(token, path=path, body=body, binary=True, headers=sizes)
    return lambda: request


def _rivals(times: dict[str, Times]) -> str:
    model, first = times.pop(MODEL).median, times[BARE]
    ours = times[PRIVATE].median - model
    lines = [
        "| one request, body of 1 KB | median | p99 | first | beside the model | to ours |",
        "|---|---:|---:|---:|---:|---:|",
        f"| {MODEL} | {model / first.median:.2f} | | | | |",
    ]
    lines += [
        f"| {name} | {measured.median / first.median:.2f} | {measured.p99 / first.p99:.2f} "
        f"| {measured.first / first.first:.2f} | {measured.median - model:.1f} µs "
        f"| {(measured.median - model) / ours:.2f} |"
        for name, measured in times.items()
    ]
    return "\n".join(lines)


def _settings(times: dict[str, Times]) -> str:
    base = times["public"]
    lines = ["| Halftone, by what is set | median | p99 | adds |", "|---|---:|---:|---:|"]
    lines += [
        f"| {name} | {measured.median / base.median:.2f} | {measured.p99 / base.p99:.2f} "
        f"| {measured.median - base.median:+.1f} µs |"
        for name, measured in times.items()
    ]
    return "\n".join(lines)


IMPORTS = {
    "a bare handler: boto3 with one client": "import boto3; boto3.client('s3', region_name='x')",
    "Halftone's model server, checks in C": (
        "import halftone.serving.app; import halftone.serving.inference.scoring"
    ),
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
    for name, table in {**request_tables(), "imports": import_table()}.items():
        print(f"{table}\n")
        if write:
            text = PAGE.read_text()
            begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
            before, rest = text.split(begin)
            PAGE.write_text(f"{before}{begin}{table}\n{end}{rest.split(end)[1]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
