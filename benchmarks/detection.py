"""How often Halftone's analysis cries wolf, and how soon it finds one, beside four usual ways.

    python -m benchmarks.detection                 run all cells, print the tables
    python -m benchmarks.detection --only "1 to 3" run the cells whose name contains that
    python -m benchmarks.detection --write         write detection.json and docs/analysis.md, too;
                                                   with --only, what was not run stays as it is

Seeded: the same numbers each time. Scenarios: `detection_traffic`; judges: `detection_rivals` and
halftone.stats; tables: `detection_tables`.
"""

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from benchmarks.detection_cells import SEED, Result, cells
from benchmarks.detection_tables import into_page, tables

TABLE = Path(__file__).with_suffix(".json")
PAGE = Path(__file__).parents[1] / "docs" / "analysis.md"


def run_named(name: str) -> Result:
    """Runs one cell by its name, which is what crosses to another process."""
    return next(cell for cell in cells() if cell.name == name).run()


def run_all(names: list[str], jobs: int) -> dict[str, Result]:
    """Runs the cells in ``jobs`` processes, and says on stderr how far it is."""
    start, results = time.monotonic(), dict[str, Result]()
    with ProcessPoolExecutor(jobs) as pool:
        futures = {pool.submit(run_named, name): name for name in names}
        for done, future in enumerate(as_completed(futures), start=1):
            results[futures[future]] = future.result()
            passed = time.monotonic() - start
            print(f"{passed:5.0f} s  {done:2} of {len(names)}  {futures[future]}", file=sys.stderr)
    return {name: results[name] for name in names}


def main() -> int:
    """Reads the arguments, runs, prints, writes if told to; the exit code."""
    parser = argparse.ArgumentParser(
        description="False alarms and detection delays of Halftone's analysis and of its rivals."
    )
    parser.add_argument("--only", default="", metavar="TEXT", help="cells whose name contains TEXT")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes (default: 2)")
    parser.add_argument(
        "--write",
        action="store_true",
        help="write detection.json and the tables in docs/analysis.md",
    )
    arguments = parser.parse_args()
    if arguments.jobs < 1:
        parser.error(f"--jobs {arguments.jobs}: give at least 1")
    names = [cell.name for cell in cells() if arguments.only in cell.name]
    if not names:
        known_cells = "; ".join(cell.name for cell in cells())
        parser.error(f"no cell's name contains {arguments.only!r}: {known_cells}")
    results = run_all(names, arguments.jobs)
    if arguments.only and arguments.write:
        # Each cell has a seed of its own: what another run found of the others is still so.
        results = json.loads(TABLE.read_text())["cells"] | results
        results = {cell.name: results[cell.name] for cell in cells()}
    print(tables(results))
    if arguments.write:
        TABLE.write_text(json.dumps({"seed": SEED, "cells": results}, indent=1) + "\n")
        PAGE.write_text(into_page(PAGE.read_text(), tables(results)))
        print(f"wrote {TABLE.name} and {PAGE.name}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
