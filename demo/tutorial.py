"""Records the tutorial: ``python -m demo.tutorial`` runs docs/tutorial.md on a local AWS of its own
and writes what each command printed into the page.
"""

import os
import sys
import tempfile
from pathlib import Path

from demo.cloud import ROOT, Cloud
from demo.page import Shell, blocks, recorded
from halftone_local import supervisor

PAGE = ROOT / "docs" / "tutorial.md"
_LINES = 14


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
            printed = {}
            for block in blocks(page):
                sys.stderr.write(f"{block.title}\n")
                printed[block.commands] = _shortened(shell.run(block).replace(str(ROOT), "…"))
    finally:
        aws.stop()
    PAGE.write_text(recorded(page, printed))


def _shortened(text: str) -> str:
    lines = [line.rstrip() for line in text.splitlines()]
    return "\n".join(lines if len(lines) <= _LINES else ["…", *lines[-_LINES:]])


if __name__ == "__main__":
    main()
