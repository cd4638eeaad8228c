"""The server half: checks the release, applies the patches, then hands over to ministack.

Run by the interpreter of ``.local/venv`` with ``local/`` on its path and with the environment that
``supervisor`` prepares; it reads the environment only to find the processes it belongs to.
"""

import logging
import os
import sys
import threading
import time
from importlib.metadata import PackageNotFoundError, version

from halftone_local.pins import MINISTACK_VERSION


def main() -> None:
    """Serve until SIGTERM; end the function workers on the way out."""
    _require_pinned_release()
    # Workers inherit this process' environment: they must not find the tools' packages through it.
    os.environ.pop("PYTHONPATH", None)
    if "HALFTONE_LOCAL_FOLLOWS_PARENT" in os.environ:
        del os.environ["HALFTONE_LOCAL_FOLLOWS_PARENT"]
        threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()

    # Imported only now: the release is checked first, and the logging that app sets up comes next.
    from ministack import app  # noqa: PLC0415
    from ministack.core import lambda_runtime  # noqa: PLC0415

    from halftone_local import patches  # noqa: PLC0415

    names = patches.apply_all()
    log = logging.getLogger(__name__)
    log.info("ministack %s patched: %s", MINISTACK_VERSION, ", ".join(names))

    sys.argv = sys.argv[:1]  # ministack reads options of its own from the command line
    try:
        app.main()
    finally:
        lambda_runtime.reset()


def _require_pinned_release() -> None:
    try:
        installed = version("ministack")
    except PackageNotFoundError:
        installed = "none"
    if installed != MINISTACK_VERSION:
        raise SystemExit(
            f"ministack {MINISTACK_VERSION} is required, the interpreter {sys.executable} has "
            f"{installed}. The patches replace internals of exactly that release: run `make setup`."
        )


def _end_with_parent(parent: int) -> None:
    """Leave when the process that started this one is gone, however it ended."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), 15)


if __name__ == "__main__":
    main()
