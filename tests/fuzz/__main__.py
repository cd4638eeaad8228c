"""``python -m tests.fuzz SECONDS [TARGET...]``: every target in a process of its own, in turns.

What is found new is kept in ``.local/fuzz-corpus`` for the next run, and an input that breaks a
promise in ``build/fuzz``, from where it belongs into the target's corpus when it is mended.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LIBRARY = ROOT / "layers" / "core" / "python"
LONGEST = 4096  # bytes of an input
SLOW_SECONDS = 20


def names() -> list[str]:
    """The targets."""
    files = sorted((HERE / "targets").glob("*.py"))
    return [file.stem for file in files if not file.stem.startswith("_")]


def main(words: list[str]) -> int:
    """Run the targets; 1 if one of them breaks."""
    seconds = int(words[0]) if words else 600
    expected = words[1:] or names()
    unknown = {*expected} - {*names()}
    if unknown:
        print(f"there is no target {min(unknown)}; there are: {', '.join(names())}")  # noqa: T201
        return 2
    failed = [name for name in expected if not run(name, max(1, seconds // len(expected)))]
    for name in failed:
        print(f"fuzz: {name} breaks; its input is in build/fuzz, named after it")  # noqa: T201
    return 1 if failed else 0


def run(name: str, seconds: int) -> bool:
    """Fuzz one target; whether it holds."""
    result, broken = ROOT / ".local" / "fuzz-corpus" / name, ROOT / "build" / "fuzz"
    for folder in (result, broken):
        folder.mkdir(parents=True, exist_ok=True)
    print(f"fuzz: {name}, {seconds} s", flush=True)  # noqa: T201
    options = {
        "max_total_time": seconds,
        "max_len": LONGEST,
        "timeout": SLOW_SECONDS,
        "print_final_stats": 1,
        "verbosity": 0,
        "artifact_prefix": f"{broken}/{name}-",
    }
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.fuzz.run",
            name,
            *(f"-{option}={value}" for option, value in options.items()),
            str(result),
            str(HERE / "corpus" / name),
        ],
        cwd=ROOT,
        env={"PYTHONPATH": f"{LIBRARY}:{ROOT / 'local'}:{ROOT}", "PATH": "/usr/bin:/bin"},
        check=False,
    )
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
