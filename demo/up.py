"""``make up``: the examples deployed on a local AWS that stays."""

import json
import shlex

from rich.console import Console

from demo.cloud import ROOT, Cloud
from demo.story import Progress
from demo.traffic import bodies
from halftone.domain.errors import HalftoneError
from halftone_local import supervisor

PORT = 4566


def main() -> None:
    """Start, deploy, and say how to call and how to stop it."""
    console = Console(soft_wrap=True, highlight=False)
    aws = supervisor.running(PORT) or supervisor.start(PORT, detached=True)
    cloud = Cloud(aws, ROOT / ".local" / "up", Progress(console))
    cloud.activate()
    names = sorted(path.parent.name for path in (ROOT / "examples").glob("*/endpoint.yaml"))
    for name in names:
        cloud.copy_example(name)
    try:
        cloud.bootstrap()
        cloud.deploy()
    except HalftoneError as error:
        console.print(f"[red]{error}[/]")
        raise SystemExit(1) from None
    console.print("\nIt serves. Call it:\n")
    for name in names:
        body = json.loads(bodies(ROOT / "examples" / name / "traffic.jsonl")[0])
        console.print(
            f"curl -i {shlex.quote(cloud.url(name))} -H 'content-type: application/json' "
            f"-d {shlex.quote(json.dumps(body, separators=(',', ':')))}\n",
            markup=False,
        )
    console.print("See it:   .venv/bin/halftone --local status\nStop it:  make down")


if __name__ == "__main__":
    main()
