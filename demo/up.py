"""``make up [PORT=...]``: the examples deployed on a local AWS that stays."""

import argparse
import json
import shlex

from rich.console import Console

from demo.cloud import ROOT, Cloud
from demo.console import start_console
from demo.story import Progress
from demo.traffic import bodies
from halftone.domain.errors import HalftoneError
from halftone_local import supervisor
from halftone_local.pins import DEFAULT_PORT


def main() -> None:
    """Start, deploy, and say how to call and how to stop it."""
    parser = argparse.ArgumentParser(prog="python -m demo.up", description=__doc__)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    port: int = parser.parse_args().port
    console = Console(soft_wrap=True, highlight=False)
    aws = supervisor.running(port) or supervisor.start(port, detached=True)
    cloud = Cloud(aws, ROOT / ".local" / f"up-{port}", Progress(console))
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
    usual = port == DEFAULT_PORT
    variable, option = ("", "") if usual else (f"HALFTONE_LOCAL_PORT={port} ", f" PORT={port}")
    console.print(f"See it:   {variable}.venv/bin/halftone --local status")
    console.print(f"Open it:  {start_console(port)}", markup=False)
    console.print(f"Stop it:  make down{option}")


if __name__ == "__main__":
    main()
