"""The model server in a process that has nothing but what the model has on Lambda.

    python -I -S worker.py LAYER CORE ORDER

LAYER is the folder with the flavor's packages, CORE one that holds ``halftone``, and ORDER a JSON
file with ``artifacts`` and the fields of the server's settings. It reads a line of JSON for each
invocation (``event``, ``context``) and writes one of ``answer``; before that, one of ``log`` for
each line of the function's log. What the model prints goes to stderr.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any, TextIO


def main(layer: str, core: str, order: str) -> None:
    """Answer invocations until there are no more."""
    # The core last: what a layer has is never hidden by it.
    sys.path[:0] = [layer, core]
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    _serve(json.loads(Path(order).read_text(encoding="utf-8")), answers)


def _serve(order: dict[str, Any], answers: TextIO) -> None:
    from halftone.serving.app import start  # noqa: PLC0415 - after sys.path is set
    from halftone.serving.inference.artifacts import FolderArtifacts  # noqa: PLC0415
    from halftone.serving.settings import Settings  # noqa: PLC0415

    def write(line: str) -> None:
        print(json.dumps({"log": line}), file=answers, flush=True)

    folder = Path(order.pop("folder"))
    settings = Settings(**order)
    server = start(settings, FolderArtifacts(folder), root=folder / "installed", write=write)
    for line in sys.stdin:
        asked = json.loads(line)
        answer = server(asked["event"], _Context(**asked["context"]))
        print(json.dumps({"answer": answer}), file=answers, flush=True)


class _Context:
    """What Lambda hands to a function beside the event."""

    def __init__(self, aws_request_id: str, function_version: str, milliseconds: int) -> None:
        self.aws_request_id = aws_request_id
        self.function_version = function_version
        self._milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        """The whole of the function's timeout."""
        return self._milliseconds


if __name__ == "__main__":
    main(*sys.argv[1:])
