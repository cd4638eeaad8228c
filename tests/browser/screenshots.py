"""Takes the documentation's screenshots from the running console: ``make screenshots``."""

import subprocess
import threading
from pathlib import Path

from halftone_cli.local.console.files import bundle
from halftone_cli.local.console.server import ConsoleStage, serving_console
from tests.browser.seeds import stage_at, user
from tests.browser.serve import send_to

HERE = Path(__file__).parent
FOLDER = HERE.parents[1] / "docs" / "console"


def main() -> None:
    """Take them all."""
    FOLDER.mkdir(exist_ok=True)
    send = send_to(stage_at(), lambda: user("ann"), threading.Lock())
    with serving_console(ConsoleStage("dev", False, send), bundle()) as server:
        command = ["node", str(HERE / "shoot.mjs"), server.link, str(FOLDER)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
