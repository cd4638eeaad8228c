"""The log of an invocation holds exactly the lines that it wrote.

AWS: what a function writes to standard output and error until it answers is logged with that
invocation, between its START and END lines. "Sending Lambda function logs to CloudWatch Logs",
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html

ministack collects lines until none came for a while: it waits 50 ms for a function that writes
nothing, and on a busy machine it gives late lines, metrics among them, to the next invocation.
Here the Python worker writes a mark after each invocation, and the log ends at the mark.
"""

import queue
import time
from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime

from halftone_local.seams import need, replace_text, wrap

MARK = "\x1ehalftone-end-of-invocation"
LONGEST_SECONDS = 2.0

_ANSWERED = """        _real_stdout.flush()

run()
"""
_MARKED = f"""        sys.stderr.write({MARK!r} + "\\n")
        sys.stderr.flush()
{_ANSWERED}"""


def apply() -> None:
    replace_text(lambda_runtime, "_PYTHON_WORKER_SCRIPT", _ANSWERED, _MARKED)
    wrap(need(lambda_runtime, "Worker"), "_drain_stderr_bounded", _up_to_mark)


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
