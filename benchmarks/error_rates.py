"""How often the whole analysis is wrong: which rollouts it ends without a regression, and which
challengers it calls harmless that are as bad as the margin.

    python -m benchmarks.error_rates                  run all cells, print the table
    python -m benchmarks.error_rates --only keys      run the cells whose name contains that
    python -m benchmarks.error_rates --write          write error_rates.json and
                                                      docs/analysis.md, too; with --only,
                                                      what was not run stays as it is

Each rollout is folded, bucket by bucket, by the product's own code (``domain.rollout.evidence``): a
ramp of 5, 20 and 50 %, pools, stages, all metrics. It is looked at after every bucket. Seeded.
"""

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

from benchmarks.error_cells import ALPHA, CELLS, ROLLOUTS, SEED, Rates, run
from benchmarks.processor import processor

TABLE = Path(__file__).with_suffix(".json")
PAGE = Path(__file__).parents[1] / "docs" / "analysis.md"
_BEGIN, _END = "<!-- error rates: begin -->", "<!-- error rates: end -->"


def table(results: dict[str, Rates], machine: str) -> str:
    """The table of the page: percentages of rollouts."""
    lines = [
        "| rollouts | units | simulated | ended as worse | called harmless | share doubted |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for cell in CELLS:
        found = results[cell.name]
        told = (
            _share(found["worse"]) if cell.asks_worse else "-",
            _share(found["harmless"]) if cell.asks_harmless else "-",
            _share(found["lost"]) if cell.asks_share else "-",
        )
        count = f"{found['rollouts']:.0f}"
        lines.append(f"| {cell.name} | {cell.units} | {count} | {' | '.join(told)} |")
    allowed = f"Allowed: {100 * ALPHA:g} %, and 1 % of shares that are doubted. "
    return "\n".join([*lines, "", f"{allowed}Simulated on {machine}."])


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def into_page(page: str, text: str) -> str:
    """``page`` with ``text`` between its marks."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n\n{text}\n\n{_END}{after}"


def main() -> int:
    """Reads the arguments, runs, prints, writes if told to; the exit code."""
    parser = argparse.ArgumentParser(description="Error rates of Halftone's whole analysis.")
    parser.add_argument("--only", default="", metavar="TEXT", help="cells whose name contains TEXT")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes (default: 2)")
    parser.add_argument("--write", action="store_true", help="write the table and its page")
    parser.add_argument(
        "--rollouts", type=int, default=ROLLOUTS, metavar="N", help="of each cell (default: 300)"
    )
    arguments = parser.parse_args()
    names = [cell.name for cell in CELLS if arguments.only in cell.name]
    if not names:
        parser.error(f"no cell's name contains {arguments.only!r}")
    start = time.monotonic()
    with ProcessPoolExecutor(arguments.jobs) as pool:
        results, found = {}, pool.map(run, names, repeat(arguments.rollouts))
        for name, rates in zip(names, found, strict=True):
            results[name] = rates
            print(f"{time.monotonic() - start:5.0f} s  {name}: {rates}", file=sys.stderr)
    if arguments.only and arguments.write:
        # Each rollout has a seed of its own: what another run found of the others is still so.
        results = json.loads(TABLE.read_text())["cells"] | results
        results = {cell.name: results[cell.name] for cell in CELLS}
    if arguments.write:
        TABLE.write_text(
            json.dumps({"seed": SEED, "machine": processor(), "cells": results}, indent=1) + "\n"
        )
        PAGE.write_text(into_page(PAGE.read_text(), table(results, processor())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
