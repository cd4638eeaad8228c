"""The console beside the demo: ``halftone console`` on the local AWS, in a process of its own."""

import json
import os
import subprocess
import sys

from halftone.domain.errors import Unavailable
from halftone_cli.stage.place import LOCAL_PORT_VARIABLE


def start_console(port: int) -> str:
    """Start a console on the local AWS of ``port``; the link that opens it.

    It ends by itself when that AWS is stopped.

    Raises:
        Unavailable: if it does not start.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "halftone_cli", "--local", "console", "--json"],
        env={**os.environ, LOCAL_PORT_VARIABLE: str(port)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    )
    text = ""
    for line in process.stdout or ():
        text += line
        if line.startswith("}"):
            return str(json.loads(text)["url"])
    raise Unavailable("the console did not start: run `halftone --local console`")
