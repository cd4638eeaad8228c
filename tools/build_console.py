"""Builds the console's bundle into build/console, unless it is there already.

    python tools/build_console.py             what `make setup` runs
    python tools/build_console.py --check     types, catalogs, the typed client, licences, size

The bundle is named by its sources: a build that would make the same is left out, and needs no npm.
"""

import argparse
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONSOLE, BUNDLE = ROOT / "console", ROOT / "build" / "console"
SOURCES = ROOT / "build" / "console.sources"
"""The digest of what the bundle was built from."""

BUDGET = 70 * 1024
"""Bytes of JavaScript, gzipped, that a person in one language loads at most."""

LICENCES = {"MIT", "Apache-2.0", "ISC", "BSD-2-Clause", "BSD-3-Clause", "0BSD"}
"""Licences of what is shipped in the bundle."""


def digest() -> str:
    """The digest of everything that the bundle is made of."""
    found = hashlib.sha256()
    for path in sorted(CONSOLE.rglob("*")):
        inside = path.relative_to(CONSOLE)
        if path.is_file() and inside.parts[0] != "node_modules":
            found.update(f"{inside.as_posix()}\0".encode())
            found.update(path.read_bytes())
    return found.hexdigest()


def install() -> None:
    """Install what builds it, where the lock asks for something else than there is."""
    lock = (CONSOLE / "package-lock.json").read_bytes()
    mark = CONSOLE / "node_modules" / ".lock"
    wanted = hashlib.sha256(lock).hexdigest()
    if not mark.is_file() or mark.read_text() != wanted:
        run("npm", "ci", "--silent")
        mark.write_text(wanted)


def build() -> None:
    """Build the bundle, if its sources changed since it was built."""
    now = digest()
    if SOURCES.is_file() and SOURCES.read_text() == now and (BUNDLE / "index.html").is_file():
        return
    if shutil.which("npm") is None:
        raise SystemExit("Node 20 or later with npm is needed to build the console: install it")
    install()
    BUNDLE.mkdir(parents=True, exist_ok=True)
    run("npx", "--no-install", "vite", "build", "--logLevel", "warn")
    SOURCES.write_text(now)


def check() -> None:
    """Everything about the console that needs no browser.

    Raises:
        SystemExit: naming what is wrong.
    """
    build()
    install()
    run("npx", "--no-install", "tsc", "--noEmit")
    run("npx", "--no-install", "vitest", "run", "--reporter", "dot")
    _check_client()
    _check_licences()
    _check_size()


def _check_client() -> None:
    kept = CONSOLE / "src" / "api" / "schema.d.ts"
    made = ROOT / "build" / "schema.d.ts"
    run("npm", "run", "--silent", "client", OUTPUT=str(made))
    if made.read_text() != kept.read_text():
        raise SystemExit(
            "console/src/api/schema.d.ts is not that of docs/openapi.json: "
            "run `npm run client` in console/"
        )


def _check_licences() -> None:
    lock = json.loads((CONSOLE / "package-lock.json").read_text())
    for name, package in lock["packages"].items():
        shipped = name and not package.get("dev") and not package.get("devOptional")
        if shipped and package.get("license") not in LICENCES:
            raise SystemExit(
                f"{name} has the licence {package.get('license')!r}: not to be shipped"
            )


def _check_size() -> None:
    """A reader loads the entry, and one language beside English."""
    sizes = {
        path.name: len(gzip.compress(path.read_bytes(), 9))
        for path in (BUNDLE / "assets").glob("*.js")
    }
    languages = [size for name, size in sizes.items() if name.startswith(("zh-", "pl-"))]
    loaded = sum(sizes.values()) - sum(languages) + max(languages, default=0)
    if loaded > BUDGET:
        raise SystemExit(f"the bundle has {loaded} bytes of JavaScript gzipped, of {BUDGET}")


def run(*command: str, **variables: str) -> None:
    """Run a command of npm's in the console's folder, with ``variables`` in its environment."""
    around = {**os.environ, **variables}
    done = subprocess.run(
        command, cwd=CONSOLE, env=around, check=False, capture_output=True, text=True
    )
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        raise SystemExit(f"{' '.join(command)} failed")


def main() -> None:
    """Build it, or check it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true")
    (check if parser.parse_args().check else build)()


if __name__ == "__main__":
    main()
