"""``make mutants``: change the code in small ways, and list the changes that no test notices.

mutmut maps files to modules by a ``src`` layout, which this repository does not have. So the files
that git knows are copied to ``build/mutation``, with the library below ``src``, and mutmut runs
there. What it changes, and the tests that it runs, are in pyproject.toml. It keeps its results: a
second run tests what is new.

Usage: ``python tools/mutants.py [PATTERN...]``, with patterns as ``mutmut run`` takes them, such as
``"halftone.domain.rollout.decide*"``.
Exit code 1: fewer than ``LEAST`` percent of the mutants are killed.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

LEAST = 90.0
"""Percent of the mutants that tests have to kill."""

ROOT = Path(__file__).resolve().parents[1]
TREE = ROOT / "build" / "mutation"
LIBRARY = "layers/core/python/"
KILLED = ("killed", "timeout", "suspicious", "segfault", "caught_by_type_check")
SURVIVED = ("survived", "no_tests")


def main(patterns: list[str]) -> int:
    """Copy, run, and print the score of each module with the survivors' names."""
    _copy()
    environment = {**os.environ, "PYTHONPATH": "", "HYPOTHESIS_PROFILE": "ci"}
    mutmut = [sys.executable, "-m", "mutmut"]
    run = subprocess.run([*mutmut, "run", *patterns], cwd=TREE, env=environment, check=False)
    if run.returncode:
        return run.returncode
    subprocess.run([*mutmut, "results"], cwd=TREE, env=environment, check=False)
    export = [*mutmut, "export-cicd-stats"]
    subprocess.run(export, cwd=TREE, env=environment, check=True, stdout=subprocess.DEVNULL)
    counts = json.loads((TREE / "mutants" / "mutmut-cicd-stats.json").read_text())
    killed = sum(counts.get(kind, 0) for kind in KILLED)
    survived = sum(counts.get(kind, 0) for kind in SURVIVED)
    score = 100 * killed / (killed + survived) if killed + survived else 0.0
    sys.stdout.write(f"{killed} of {killed + survived} mutants killed ({score:.1f} %)\n")
    return int(score < LEAST)


def _copy() -> None:
    """Bring the tree up to date; files that did not change keep their times."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    wanted = {name: _target(name) for name in listed.stdout.split("\0") if name}
    for name, target in wanted.items():
        source, copy = ROOT / name, TREE / target
        if not source.is_file():
            continue
        if not copy.exists() or copy.stat().st_mtime != source.stat().st_mtime:
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)
    targets, mutated = {*wanted.values()}, TREE / "mutants"
    for path in TREE.rglob("*.py"):
        name = path.relative_to(mutated if mutated in path.parents else TREE).as_posix()
        if name not in targets:
            path.unlink()


def _target(name: str) -> str:
    return f"src/{name.removeprefix(LIBRARY)}" if name.startswith(LIBRARY) else name


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
