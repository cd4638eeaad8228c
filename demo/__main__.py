"""``make demo``: from nothing to a rolled-back model, leaving nothing running."""

import os
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from demo.cloud import ROOT, Cloud
from demo.console import start_console
from demo.story import ENDPOINT, Progress, Story, ended_as
from demo.traffic import Traffic, bodies
from halftone.domain.errors import HalftoneError
from halftone.domain.rollout.phase import Phase
from halftone_local import supervisor

CONSOLE = os.environ.get("CONSOLE") == "1"
"""Whether to open the console beside the story, and to leave it open after it."""


def main() -> None:
    """Run the story; exit with 1 and one line if it does not go as told."""
    console = Console()
    started = time.monotonic()
    (ROOT / ".local").mkdir(exist_ok=True)
    try:
        console.print("[bold]Starting AWS on this machine[/]")
        with tempfile.TemporaryDirectory(dir=ROOT / ".local", prefix="demo-") as home:
            aws = supervisor.start()
            try:
                _tell(console, Cloud(aws, Path(home), Progress(console)))
                if CONSOLE:
                    console.input("\nThe console stays open until you press Enter.")
            finally:
                aws.stop()
    except (HalftoneError, TimeoutError, RuntimeError) as error:
        console.print(f"[red]The demo stopped:[/] {error}")
        sys.exit(1)
    console.print(f"\nDone in {time.monotonic() - started:.0f} s; nothing is left running.")


def _tell(console: Console, cloud: Cloud) -> None:
    cloud.activate()
    story = Story(cloud, console, cloud.copy_example(ENDPOINT))
    console.print("[bold]cdk bootstrap, cdk deploy: platform, endpoint, and its first model[/]")
    cloud.bootstrap()
    cloud.deploy()
    if CONSOLE:
        console.print(f"Open the console: {start_console(cloud.aws.port)}", markup=False)
    ports = cloud.ports()
    story.tell(ports.store.audit(ENDPOINT))
    requests = bodies(cloud.endpoints / ENDPOINT / "traffic.jsonl")
    with Traffic(cloud.url(ENDPOINT), requests, rate=60) as traffic:
        console.print("Clients now send 60 requests a second.")
        story.release("challenger")
        ended_as(story.follow(ports), Phase.PROMOTED)
        story.release("bad")
        ended_as(story.follow(ports), Phase.ROLLED_BACK)
        time.sleep(2)  # what the clients see after the rollback belongs to the story
    console.print()
    console.print(story.summary(ports, traffic))


if __name__ == "__main__":
    main()
