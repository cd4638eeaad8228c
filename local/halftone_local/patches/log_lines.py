"""The log of an invocation holds exactly the lines that it wrote.

AWS: what a function writes to standard output and error until it answers is logged with that
invocation, between its START and END lines. "Sending Lambda function logs to CloudWatch Logs",
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html

ministack collects lines until none came for a while: it waits 50 ms for a function that writes
nothing, and on a busy machine it gives late lines, metrics among them, to the next invocation.
Here the Python worker writes a mark after each invocation, and the log ends at the mark.

AWS: a line ends with a line feed and nothing else, and whatever is written to file descriptor 1 or
2 is in the log. ministack ends lines at a carriage return, too, and splits the log at all
separators that Python knows; and file descriptor 1 is where its worker answers, so that a function
that writes there speaks in the place of its answer.
"""

import queue
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from halftone_local.seams import need, replace_text, wrap

MARK = "\x1ehalftone-end-of-invocation"
LONGEST_SECONDS = 2.0

_ANSWERED = """        _real_stdout.flush()

run()
"""
_MARKED = f"""        sys.stderr.flush()
        os.write(_log, ({MARK!r} + "\\n").encode())
{_ANSWERED}"""
_STREAMS = """    _real_stdout = sys.stdout
    sys.stdout = sys.stderr
"""
# A handler may have its own stderr by the time of a mark.
_OWN_STREAMS = """    _log = os.dup(2)
    _real_stdout = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
"""


class Log(str):
    """The log of an invocation, whose lines end with a line feed and nothing else."""

    __slots__ = ()

    def splitlines(self, keepends: bool = False) -> list[str]:
        """See str."""
        del keepends  # ministack asks for none
        return self.removesuffix("\n").split("\n") if self else []


def apply() -> None:
    replace_text(lambda_runtime, "_PYTHON_WORKER_SCRIPT", _ANSWERED, _MARKED)
    replace_text(lambda_runtime, "_PYTHON_WORKER_SCRIPT", _STREAMS, _OWN_STREAMS)
    worker = need(lambda_runtime, "Worker")
    wrap(worker, "_drain_stderr_bounded", _up_to_mark)
    wrap(worker, "_read_stderr", lambda _original: _read)
    wrap(lambda_svc, "_emit_lambda_logs", _by_line_feeds)


def _read(worker: Any) -> None:
    """Lines of the worker into its queue, until it ends."""
    with suppress(OSError, ValueError):  # it is closed
        for line in worker._proc.stderr.buffer:  # noqa: SLF001
            worker._stderr_queue.put(line.decode(errors="replace").removesuffix("\n"))  # noqa: SLF001


def _by_line_feeds(original: Callable[..., None]) -> Callable[..., None]:
    def emit(func: Any, request_id: str, log_text: str, *args: Any, **kwargs: Any) -> None:
        original(func, request_id, Log(log_text or ""), *args, **kwargs)

    return emit


def _up_to_mark(original: Callable[..., str]) -> Callable[..., str]:
    def drain(worker: Any) -> str:
        # The process is gone after a crash or an ended worker: no mark will come.
        if worker._proc is None or not worker.config["Runtime"].startswith("python"):  # noqa: SLF001
            return original(worker).replace(f"{MARK}\n", "").removesuffix(MARK)
        lines: list[str] = []
        deadline = time.monotonic() + LONGEST_SECONDS
        while True:
            try:
                line = worker._stderr_queue.get(timeout=max(0, deadline - time.monotonic()))  # noqa: SLF001
            except queue.Empty:
                return "\n".join(lines)
            if line.endswith(MARK):
                return "\n".join([*lines, *filter(None, [line.removesuffix(MARK)])])
            lines.append(line)

    return drain
