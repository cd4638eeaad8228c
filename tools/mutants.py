"""``make mutants``: change the code in small ways, and list the changes that no test notices.

mutmut makes the changes and runs the tests. Each area of ``AREAS`` names the modules to change and
the test files that judge them, so that a run ends in bounded time: of these files, mutmut runs for
each change the tests that call the changed function, in a forked process that has imported them.

mutmut maps files to modules by a ``src`` layout, which this repository does not have. So the files
that git knows are copied to ``build/mutants/AREA``, with the library below ``src``, and mutmut runs
there. It keeps its results: a later run tests new and changed functions, and the changes that no
test noticed before.

The result is ``tests/mutants.md``: the score of each area, and the survivors with the reason why no
test kills them. Reasons are written into that file by hand; a run keeps them.

Usage: ``python tools/mutants.py [AREA...]``, all areas by default.
Exit code 1: fewer than ``LEAST`` percent of an area's mutants are killed, or a survivor has no
reason. Exit code 2: there is no such area.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code

LEAST = 90.0
"""Percent of an area's mutants that tests have to kill."""

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "mutants"
REPORT = ROOT / "tests" / "mutants.md"
LIBRARY = "layers/core/python/"
SURVIVED = frozenset({"survived", "no tests"})
UNDECIDED = frozenset({"not checked", "skipped", "check was interrupted by user"})
UNEXPLAINED = "?"


@dataclass(frozen=True, slots=True)
class Area:
    """Modules below ``halftone`` (glob patterns), and the tests below ``tests`` that judge them.

    ``without`` names tests of these files that cost more than they can notice.
    """

    modules: tuple[str, ...]
    tests: tuple[str, ...]
    without: tuple[str, ...] = ()


AREAS = {
    "forwarding": Area(
        (
            "serving/gateway/circuit_breaker.py",
            "serving/gateway/exchange.py",
            "serving/gateway/forwarding.py",
        ),
        ("unit/serving/gateway", "unit/serving/test_no_failure_by_input.py"),
        (
            "unit/serving/gateway/test_guarded.py::test_a_hanging_challenger_never_breaks_the_budget",
        ),
    ),
    "frontend": Area(
        (
            "serving/gateway/backend.py",
            "serving/gateway/frontend.py",
            "serving/gateway/recorder.py",
        ),
        (
            "unit/serving/gateway/test_frontend.py",
            "unit/serving/telemetry",
            "unit/serving/test_feedback.py",
            "unit/serving/test_model_handler.py",
            "unit/serving/test_no_failure_by_input.py",
            "unit/serving/test_settings_in_force.py",
            "unit/service/capture/test_from_servers.py",
        ),
    ),
    "routing": Area(
        ("serving/routing/*.py", "domain/rollout/routing.py"),
        (
            "unit/serving/routing",
            "unit/serving/gateway/test_frontend.py",
            "unit/serving/gateway/test_taken_back.py",
            "unit/serving/test_feedback.py",
            "unit/serving/test_settings_in_force.py",
            "unit/domain/rollout/test_routing.py",
            "unit/domain/rollout/test_comparing.py",
            "unit/domain/endpoint/test_projection.py",
            "contract/store/test_dispatch_table.py",
            "contract/store/test_feedback_ledger.py",
        ),
    ),
    "decisions": Area(
        ("domain/rollout/decide.py", "domain/rollout/analysis.py"),
        (
            "unit/domain/rollout/test_analysis.py",
            "unit/domain/rollout/test_comparing.py",
            "unit/domain/rollout/test_deciding.py",
            "unit/domain/rollout/test_phases.py",
            "unit/domain/rollout/test_verdict_numbers.py",
        ),
    ),
    "rollback": Area(
        ("service/rollouts/rollback.py",),
        (
            "unit/service/rollouts/test_probation.py",
            "unit/service/rollouts/test_rollback_records.py",
            "unit/service/rollouts/test_rolling_back.py",
            "unit/service/rollouts/test_stopped_rollouts.py",
            "unit/service/rollouts/test_taken_back.py",
            "unit/api/test_repeated_rollbacks.py",
        ),
    ),
    "idempotency": Area(
        ("service/idempotency.py",),
        ("unit/api/test_keys.py", "unit/api/test_repeated_rollbacks.py"),
    ),
}


@dataclass(frozen=True, slots=True)
class Survivor:
    """A change that no test noticed: the function, and its lines before and after."""

    function: str
    change: str


@dataclass(frozen=True, slots=True)
class Result:
    """Of ``total`` mutants of an area, ``killed`` were noticed; the survivors are the others."""

    killed: int
    total: int
    survivors: tuple[Survivor, ...]

    @property
    def percent(self) -> float:
        return 100 * self.killed / self.total if self.total else 0.0


def main(names: list[str]) -> int:
    """Run the areas called ``names`` and write the report."""
    if unknown := sorted(set(names) - AREAS.keys()):
        sys.stderr.write(f"{', '.join(unknown)}: no such area; there are {', '.join(AREAS)}\n")
        return 2
    os.nice(19)
    exit_code = 0
    for name in names or AREAS:
        exit_code = run(name) or exit_code
    reasons = read_reasons()
    results = {name: result for name in AREAS if (result := read_result(name))}
    REPORT.write_text(report(results, reasons))
    for name, result in results.items():
        unexplained = sum(not reasons.get(survivor) for survivor in result.survivors)
        sys.stdout.write(
            f"{name}: {result.killed} of {result.total} mutants killed ({result.percent:.1f} %),"
            f" {unexplained} survivors without a reason\n"
        )
        if result.percent < LEAST or unexplained:
            exit_code = exit_code or 1
    return exit_code


def run(name: str) -> int:
    """Run mutmut in the tree of an area, first on what is new, then on what survived before."""
    tree = BUILD / name
    copy(AREAS[name], tree)
    environment = {**os.environ, "PYTHONPATH": "", "HYPOTHESIS_PROFILE": "mutants"}
    processes = str(max(1, (os.cpu_count() or 1) - 1))
    mutmut = [sys.executable, "-m", "mutmut", "run", "--max-children", processes]
    before = {key for key, status in statuses(tree) if status in SURVIVED}
    for keys in ([], sorted(before)):
        known = {key for key, _ in statuses(tree)}
        if keys and not (keys := [key for key in keys if key in known]):
            continue
        exit_code = subprocess.run(
            [*mutmut, *keys], cwd=tree, env=environment, check=False
        ).returncode
        if exit_code or not before:
            return exit_code
    return 0


def copy(area: Area, tree: Path) -> None:
    """Bring the tree up to date; files that did not change keep their times."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    names = [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    targets = {name: target(name) for name in names}
    for name, copied in targets.items():
        source, destination = ROOT / name, tree / copied
        if name == "pyproject.toml":
            continue
        if not destination.exists() or destination.stat().st_mtime != source.stat().st_mtime:
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, destination)
    kept, mutated = {*targets.values()}, tree / "mutants"
    for path in tree.rglob("*.py"):
        if path.relative_to(mutated if mutated in path.parents else tree).as_posix() not in kept:
            path.unlink()
    settings = (ROOT / "pyproject.toml").read_text() + configuration(area, kept)
    written = tree / "pyproject.toml"
    if not written.exists() or written.read_text() != settings:
        written.write_text(settings)


def target(name: str) -> str:
    """Where a file of the repository lies in the tree."""
    return f"src/{name.removeprefix(LIBRARY)}" if name.startswith(LIBRARY) else name


def configuration(area: Area, names: set[str]) -> str:
    """The settings of mutmut for an area, as a table of pyproject.toml."""
    top = {name.split("/")[0] for name in names} - {"src", "tests", "pyproject.toml"}
    without = [word for test in area.without for word in ("--deselect", f"tests/{test}")]
    settings: dict[str, object] = {
        "source_paths": ["src"],
        "only_mutate": [f"src/halftone/{pattern}" for pattern in area.modules],
        "also_copy": sorted(top),
        "pytest_add_cli_args_test_selection": [f"tests/{test}" for test in area.tests],
        "pytest_add_cli_args": ["-p", "no:cacheprovider", *without],
        "process_isolation": "forkserver",
        "timeout_constant": 2.0,
        "timeout_multiplier": 2.0,
        "use_git_change_detection": False,
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    return "\n".join(["", "[tool.mutmut]", *lines, ""])


def statuses(tree: Path) -> Iterator[tuple[str, str]]:
    """The mutants of a tree with what became of them."""
    for path in sorted((tree / "mutants" / "src").rglob("*.meta")):
        for key, code in json.loads(path.read_text())["exit_code_by_key"].items():
            yield key, status_by_exit_code[code]


def read_result(name: str) -> Result | None:
    """What the last run of an area found; None where it has not run whole."""
    tree = BUILD / name
    found = [*statuses(tree)]
    if not found or any(status in UNDECIDED for _, status in found):
        return None
    survivors = [key for key, status in found if status in SURVIVED]
    with contextlib.chdir(tree):
        changes = tuple(survivor(key) for key in survivors)
    return Result(len(found) - len(survivors), len(found), changes)


def survivor(key: str) -> Survivor:
    """The change behind mutmut's name of a mutant; the working directory is the area's tree."""
    module, _, function = key.rpartition(".")
    function = function.rpartition("__mutmut_")[0].removeprefix("x_").removeprefix("xǁ")
    path = Path("src", *module.split(".")).with_suffix(".py")
    lines = get_diff_for_mutant(key, path=path).splitlines()[3:]
    old, new = (
        " ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+"
    )
    return Survivor(f"{module}.{function.replace('ǁ', '.')}", shown(old, new))


def shown(old: str, new: str) -> str:
    """Both lines as Markdown, in a cell of a table."""
    return " → ".join(f"`{line.replace('|', '¦').replace('`', '´')}`" for line in (old, new))


def read_reasons() -> dict[Survivor, str]:
    """The reasons that the report holds now."""
    reasons: dict[Survivor, str] = {}
    for line in REPORT.read_text().splitlines() if REPORT.exists() else ():
        if match := re.fullmatch(r"\| `([\w.]+)` \| (`.*` → `.*`) \| (.*) \|", line):
            function, change, reason = match.groups()
            reasons[Survivor(function, change)] = "" if reason == UNEXPLAINED else reason
    return reasons


def report(results: dict[str, Result], reasons: dict[Survivor, str]) -> str:
    """The report as Markdown."""
    lines = [
        "# Mutants",
        "",
        "`make mutants` writes this page; the last column is written by hand and kept.",
        "A mutant is one small change of the code. It is killed when a test fails on it.",
        "",
        "| area | mutants | killed | percent |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {result.total} | {result.killed} | {result.percent:.1f} |"
        for name, result in results.items()
    ]
    for name, result in results.items():
        lines += ["", f"## Survivors: {name}", "", "| function | change | reason |"]
        lines.append("|---|---|---|")
        lines += sorted(
            f"| `{one.function}` | {one.change} | {reasons.get(one) or UNEXPLAINED} |"
            for one in result.survivors
        )
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
