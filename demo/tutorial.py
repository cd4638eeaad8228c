"""Records the tutorial: ``python -m demo.tutorial`` runs docs/tutorial.md on a local AWS of its own
and writes what each command printed into the page.
"""

import os
import re
import sys
import tempfile
from pathlib import Path

from demo.cloud import ROOT, Cloud
from demo.page import Shell, blocks, recorded
from halftone_local import supervisor

PAGE = ROOT / "docs" / "tutorial.md"
_LINES = 24
_RECORD = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ ")


def environment(port: int) -> dict[str, str]:
    """What whoever follows the page has: the tools on their path, and one local AWS."""
    tools = f"{ROOT / '.venv' / 'bin'}:{ROOT / 'node_modules' / '.bin'}"
    return {
        **os.environ,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "HALFTONE_LOCAL_PORT": str(port),
        "COLUMNS": "110",
    }


def main() -> None:
    """Run every block of the page, and write down what it printed."""
    page = PAGE.read_text()
    aws = supervisor.start()
    try:
        with tempfile.TemporaryDirectory(dir=ROOT / ".local") as home:
            cloud = Cloud(aws, Path(home))
            cloud.activate()
            cloud.copy_example("breast-cancer")
            cloud.bootstrap()
            cloud.deploy()
            shell = Shell(ROOT, environment(aws.port))
            printed: dict[str, str] = {}
            shown: set[str] = set()
            for block in blocks(page):
                sys.stderr.write(f"{block.title}\n")
                text = shell.run(block).replace(f"{ROOT}/", "")
                printed[block.commands] = _shortened(text.replace(f":{aws.port}/", ":4566/"), shown)
    finally:
        aws.stop()
    PAGE.write_text(recorded(page, printed))


def _shortened(text: str, printed: set[str]) -> str:
    """The end of ``text``, with ``…`` where lines are left out.

    A rollout is told from its beginning whenever it is watched: the lines in ``told``, which stand
    further up on the page, are left out, too.
    """
    lines: list[str] = []
    for line in map(str.rstrip, text.splitlines()):
        if line not in printed:
            lines.append(line)
        elif lines[-1:] != ["…"]:
            lines.append("…")
        if _RECORD.match(line):
            printed.add(line)
    return "\n".join(lines if len(lines) <= _LINES else ["…", *lines[-_LINES:]])


if __name__ == "__main__":
    main()
