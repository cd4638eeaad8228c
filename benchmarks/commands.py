"""How long a person waits for a command that looks.

``python -m benchmarks.commands ENDPOINT [--local] [--stage NAME] [--runs N]`` runs each command of
``LOOKS`` in a fresh process against a stage, in turns, and prints the median and the longest time.
Run it on a quiet machine. How many calls a command makes, and what it imports, is held by
tests/unit/cli/test_cli_calls.py and test_cli_startup.py.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

from benchmarks.processor import processor

LOOKS = (
    "--version",
    "endpoints list",
    "endpoints show {e}",
    "status {e}",
    "history {e}",
    "traffic {e}",
    "metrics {e}",
)
AIM = 0.6
"""Seconds: what a person takes for an answer at once."""


def measured(words: Sequence[str]) -> float:
    """The seconds that one run of ``halftone`` with ``words`` takes.

    Raises:
        RuntimeError: with what it wrote to stderr, if it fails.
    """
    began = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - the command of this checkout
        [sys.executable, "-m", "halftone_cli", *words], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"halftone {' '.join(words)}: {done.stderr.strip()}")
    return time.perf_counter() - began


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("endpoint")
    parser.add_argument("--local", action="store_true")
    parser.add_argument("--stage")
    parser.add_argument("--runs", type=int, default=7)
    given = parser.parse_args()
    where = ["--local"] if given.local else []
    where += ["--stage", given.stage] if given.stage else []
    times: dict[str, list[float]] = {words: [] for words in LOOKS}
    for _ in range(given.runs):
        for words, seconds in times.items():
            command = words.format(e=given.endpoint).split()
            seconds.append(measured(command if words == "--version" else [*command, *where]))
    print(f"{processor()}; {given.runs} runs each, aim {AIM:g} s")
    for words, seconds in times.items():
        name = f"halftone {words.format(e=given.endpoint)}"
        print(f"{name:<32} {statistics.median(seconds):6.2f} s  longest {max(seconds):6.2f} s")


if __name__ == "__main__":
    main()
