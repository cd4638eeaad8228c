"""What the control API costs: importing it in a fresh process, and a call through Mangum.

    python -m benchmarks.control            measure and print
    python -m benchmarks.control --write    the tables into docs/control.md, too

Everything is measured in one run, beside something that everybody has: importing boto3 with one
client, and a bare handler that reads the event and answers JSON. The ratios hold on other machines,
the milliseconds on this one alone. Imports are the processor's time of fresh processes, with
compiled files but for one row: medians over rounds in which each is run once.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.control_stage import Stage

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "control.md"
RUNS = 5
CALLS = 400

BOTO3 = "import boto3; boto3.client('dynamodb', region_name='eu-central-1')"
APP = (
    "from halftone.testing import InMemoryStage; from halftone.api.gateway import "
    "behind_gateway; behind_gateway(InMemoryStage().ports())"
)
HANDLER = "import sys; sys.path.insert(0, 'functions/control'); import handler"
EAGER = (
    "from halftone.api.gateway import behind_gateway; from halftone.bootstrap import ports, "
    "settings; behind_gateway(ports(settings()))"
)
IMPORTS = {
    "boto3 and one client": BOTO3,
    "FastAPI and Mangum alone": "import fastapi, mangum",
    "the app with every route, on ports in memory": APP,
    "the app, boto3, and every client at once": EAGER,
    "the control function: models and clients that are not needed yet left out": HANDLER,
}
ENVIRONMENT = {
    "HALFTONE_STAGE": "local",
    "HALFTONE_TABLE": "table",
    "HALFTONE_ARTIFACTS": "bucket",
    "PYDANTIC_DISABLE_PLUGINS": "true",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
}
"""What the function is given; none of it is reached while it is imported."""


def imports() -> dict[str, float]:
    """Median milliseconds of each import in a process of its own, over the empty one's."""
    with tempfile.TemporaryDirectory() as compiled:
        kept = {"PYTHONPYCACHEPREFIX": compiled, "PYTHONDONTWRITEBYTECODE": ""}
        never = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": f"{compiled}/none"}
        runs = {name: (program, kept) for name, program in IMPORTS.items()}
        runs["the same without compiled files"] = HANDLER, never
        runs["nothing"] = "pass", kept
        for program in IMPORTS.values():
            _process(program, kept)  # compiles
        spent: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(RUNS):
            for name, run in runs.items():
                spent[name].append(_process(*run))
    medians = {name: statistics.median(times) for name, times in spent.items()}
    empty = medians.pop("nothing")
    return {name: median - empty for name, median in medians.items()}


def calls() -> dict[str, float]:
    """Median microseconds of each call, on ports in memory."""
    stage = Stage()
    bare = stage.bare()
    acts: dict[str, Callable[[], object]] = {
        "a bare handler that answers JSON": bare,
        "GET /v1/me": stage.get("/v1/me"),
        "GET an endpoint": stage.get(stage.endpoint),
        "GET 50 endpoints": stage.get("/v1/endpoints"),
        "GET a rollout with its verdict": stage.get(stage.rollout),
        "POST pause, then resume: two changes with their keys": stage.pause_and_resume(),
        "POST pause again with its key": stage.replay(),
        "POST a body that can't be read": stage.refused(),
    }
    spent: dict[str, list[float]] = {name: [] for name in acts}
    for _ in range(CALLS):
        for name, act in acts.items():
            begun = time.perf_counter()
            act()
            spent[name].append(1e6 * (time.perf_counter() - begun))
    return {name: statistics.median(times) for name, times in spent.items()}


def _process(program: str, environment: Mapping[str, str]) -> float:
    """Milliseconds of the processor that a process takes, whatever else the machine does."""
    begun = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(  # noqa: S603 - our own interpreter, and programs that stand above
        [sys.executable, "-c", program],
        check=True,
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT, **environment},
    )
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1e3 * (ended.ru_utime + ended.ru_stime - begun.ru_utime - begun.ru_stime)


def table(values: Mapping[str, float], head: str, unit: str) -> str:
    """``found`` beside its first row."""
    base = next(iter(values.values()))
    rows = [f"| {name} | {value / base:.1f} | {value:,.0f} |" for name, value in values.items()]
    return "\n".join([f"| {head} | ratio | {unit} |", "|---|---:|---:|", *rows])


def main(arguments: Any = None) -> None:
    """Measure, print, and write if asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help=f"into docs/{PAGE.name}")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    figures = {"imports": imports(), "calls": calls()}
    if options.json:
        print(json.dumps(figures, indent=1))
        return
    tables = {
        "imports": table(figures["imports"], "import in a fresh process", "ms of processor"),
        "calls": table(figures["calls"], "one call through Mangum, warm", "µs"),
    }
    for name, text in tables.items():
        print(f"{text}\n")
        if options.write:
            _write(name, text)


def _write(name: str, text: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    head, _, rest = page.partition(begin)
    _, _, tail = rest.partition(end)
    PAGE.write_text(f"{head}{begin}{text}\n{end}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
