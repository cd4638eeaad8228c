"""The console on the seeded stage in memory: what the browser tests open, and developers look at.

    python -m tests.browser.serve             as ann, an admin, with a clock that goes on
    python -m tests.browser.serve --as vera   as a viewer

It is the server of ``halftone console`` with the control API in place of AWS.
"""

import argparse
import asyncio
import atexit
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

from halftone_cli.console import note, show
from halftone_cli.control.api import Reply, Request, Send
from halftone_cli.local.console.files import bundle
from halftone_cli.local.console.server import ConsoleStage, serving_console
from tests.browser.seeds import END, Town, stage_at, user
from tests.support.control import Api, event

Lock = AbstractContextManager[object]
_LOOP = asyncio.new_event_loop()
atexit.register(_LOOP.close)


def send_to(town: Town, who: Callable[[], str], lock: Lock) -> Send:
    """A ``Send`` straight into the API on ``town``, signed by whoever ``who`` names."""
    api = Api(town.stage.ports())

    def send(request: Request) -> Reply:
        body = request.body.decode() or None
        given = event(request.method, request.path, request.headers, body, who())
        with lock:
            asyncio.set_event_loop(_LOOP)  # this thread has none; the lock lets one in at a time
            reply = api.send(given)
        return Reply(reply.status, reply.headers, reply.text.encode())

    return send


def _go_on(town: Town, lock: Lock) -> None:
    """Let the stage live on from where its stories end."""
    begin = time.monotonic()
    while True:
        with lock:
            town.pass_until(END + timedelta(seconds=time.monotonic() - begin))
        time.sleep(2)


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--as", dest="person", default="ann")
    parser.add_argument("--still", action="store_true", help="let the clock stand still")
    arguments = parser.parse_args()
    town, lock = stage_at(), threading.Lock()
    if not arguments.still:
        threading.Thread(target=_go_on, args=(town, lock), daemon=True).start()
    send = send_to(town, lambda: user(arguments.person), lock)
    with serving_console(ConsoleStage("test", True, send), bundle(), arguments.port) as server:
        show(server.link)
        note("ctrl-C ends it")
        threading.Event().wait()


if __name__ == "__main__":
    main()
