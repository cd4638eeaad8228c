"""How the code is laid out, in figures: of this checkout, or of any revision beside it.

``python -m benchmarks.house [REVISION ...]`` prints a column for each revision and one for the
working tree; ``--write`` keeps the table in docs/architecture.md. A revision is unpacked into a
temporary folder, and a prediction is traced by that revision's own code.
"""

import argparse
import ast
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
PRODUCT = (
    "layers/core/python/halftone",
    "cli/halftone_cli",
    "infra",
    "local/halftone_local",
    "functions",
)
WORDS = ("settings", "serving", "answer")
_MARKS = "<!-- house -->", "<!-- /house -->"

# Serves one request by the model server of the code on PYTHONPATH, and prints the files of it that
# the second request (nothing is imported any more) crosses, in the order of their first call.
TRACED = """
import importlib, json, os, pathlib, sys, tempfile
def first(name, *modules):
    for module in modules:
        try:
            return getattr(importlib.import_module(module), name)
        except ImportError:
            pass
    raise SystemExit(f"{name} is in none of {modules}")
build = first("build_package", "halftone.packaging.folder", "halftone.adapters.folder")
homes = "halftone.serving.inference.artifacts", "halftone.serving.artifacts"
Store = first("FolderArtifacts", *homes)
from halftone.domain.names import package_key
from halftone.serving.app import start
from halftone.serving.settings import Settings
root = pathlib.Path(tempfile.mkdtemp())
package = build(pathlib.Path(sys.argv[1]))
place = root / package_key(package.digest)
place.parent.mkdir(parents=True)
place.write_bytes(package.data)
settings = Settings("e", "bucket", 1000.0, 1000000, "d", package.digest, version="1")
server = start(settings, Store(root), root=root / "unpacked", write=lambda line: None)
sample = package.manifest.samples[0]
body = json.dumps({"instances": [dict(record) for record in sample.instances]})
event = {"version": "2.0", "rawPath": "/endpoints/e/invocations", "rawQueryString": "",
         "headers": {"content-type": "application/json"}, "body": body, "isBase64Encoded": False,
         "requestContext": {"http": {"method": "POST", "path": "/endpoints/e/invocations",
                                     "sourceIp": "127.0.0.1"}}}
class Context:
    aws_request_id = "r"
    function_version = "1"
    def get_remaining_time_in_millis(self):
        return 5000
assert server(event, Context())["statusCode"] == 200
files, calls = [], 0
def seen(frame, kind, _):
    global calls
    name = frame.f_code.co_filename
    if kind == "call" and f"{os.sep}halftone{os.sep}" in name:
        calls += 1
        files.append(name.split(f"{os.sep}halftone{os.sep}", 1)[1])
sys.setprofile(seen)
server(event, Context())
sys.setprofile(None)
print(json.dumps({"files": list(dict.fromkeys(files)), "calls": calls}))
"""


def python_files(root: Path) -> list[Path]:
    """The product's modules below ``root``."""
    return [
        path
        for part in PRODUCT
        for path in sorted((root / part).rglob("*.py"))
        if "__pycache__" not in path.parts
    ]


def folders(root: Path) -> dict[str, int]:
    """Modules in each folder, without those that are packages."""
    counts: dict[str, int] = {}
    for path in python_files(root):
        if path.name != "__init__.py":
            name = str(path.parent.relative_to(root))
            counts[name] = counts.get(name, 0) + 1
    return counts


def meanings(root: Path, word: str) -> int:
    """How many modules, classes, functions and methods are called ``word``, whatever its case."""
    return sum(name.lower() == word for path in python_files(root) for name in _defined(path))


def prediction(root: Path) -> tuple[list[str], int]:
    """The files that one plain prediction crosses, and its calls, of the code below ``root``."""
    example = root / "examples" / "breast-cancer" / "models" / "challenger"
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", TRACED, str(example)],
        env={**os.environ, "PYTHONPATH": str(root / "layers" / "core" / "python")},
        capture_output=True,
        text=True,
        check=True,
    )
    traced = json.loads(done.stdout.splitlines()[-1])
    return traced["files"], traced["calls"]


def figures(root: Path) -> dict[str, str]:
    """Everything that the table says of the code below ``root``."""
    counts = folders(root)
    files, calls = prediction(root)
    largest = sorted(counts.values(), reverse=True)
    found = {
        "product modules": f"{sum(counts.values())}",
        "product lines": f"{sum(len(p.read_text().splitlines()) for p in python_files(root)):,}",
        "folders": f"{len(counts)}",
        "modules in the largest folders": ", ".join(map(str, largest[:5])),
        "folders of more than 15 modules": f"{sum(n > 15 for n in largest)}",
        "files that a plain prediction crosses": f"{len(files)}",
        "rooms that it crosses": f"{len({str(Path(name).parent) for name in files})}",
        "its calls": f"{calls}",
    }
    for word in WORDS:
        found[f"things called “{word}”"] = f"{meanings(root, word)}"
    return found


def unpacked(revision: str, folder: Path) -> Path:
    """The tree of ``revision`` in ``folder``."""
    data = subprocess.run(  # noqa: S603
        ["git", "archive", revision, *PRODUCT, "examples"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def main() -> None:
    """Print the table, and keep it where ``--write`` says so."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revisions", nargs="*")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--walk", action="store_true", help="list the files of a prediction")
    wanted = parser.parse_args()
    if wanted.walk:
        print("\n".join(prediction(ROOT)[0]))
        return
    columns: dict[str, dict[str, str]] = {}
    for revision in wanted.revisions:
        with tempfile.TemporaryDirectory() as folder:
            columns[f"`{revision[:7]}`"] = figures(unpacked(revision, Path(folder)))
    columns["now"] = figures(ROOT)
    rows = [f"| | {' | '.join(columns)} |", f"|---|{'---:|' * len(columns)}"]
    rows += [
        f"| {name} | {' | '.join(each[name] for each in columns.values())} |"
        for name in columns["now"]
    ]
    table = "\n".join(rows)
    print(table)
    if wanted.write:
        start, end = _MARKS
        pattern = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
        page = PAGE.read_text()
        if not pattern.search(page):
            sys.exit(f"{PAGE} has no place for the table: {start} {end}")
        PAGE.write_text(pattern.sub(f"{start}\n\n{table}\n\n{end}", page))


def _defined(path: Path) -> Iterator[str]:
    yield path.stem
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


if __name__ == "__main__":
    main()
