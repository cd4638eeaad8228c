"""Asks a package its own samples, in a process that has nothing but a flavor's layer.

    python -I -S sample_check.py LAYER CORE ORDER

LAYER is the folder with the flavor's packages, CORE one that holds ``halftone``, and ORDER a JSON
file with ``artifacts``, ``digest``, ``endpoint``, ``seconds`` and ``max_body``. Started without
site packages, so that it imports nothing that Lambda does not have. The faults, a list of texts,
are written to ORDER in place of what it held: the standard streams belong to the model.
"""

import json
import sys
import threading
from pathlib import Path
from typing import Any


def main(layer: str, core: str, order: str) -> None:
    """Ask the samples, and write what is wrong."""
    # The core last: what a layer has is never hidden by it.
    sys.path[:0] = [layer, core]
    file = Path(order)
    faults = _faults(json.loads(file.read_text(encoding="utf-8")))
    file.write_text(json.dumps(faults), encoding="utf-8")


def _faults(order: dict[str, Any]) -> list[str]:
    from halftone.domain.model.manifest import Interface  # noqa: PLC0415 - after sys.path is set
    from halftone.domain.model.samples import AnySample, Sample  # noqa: PLC0415
    from halftone.domain.model.smoke_test import check_answer, smoke_event  # noqa: PLC0415
    from halftone.serving.app import start  # noqa: PLC0415
    from halftone.serving.inference.artifacts import FolderArtifacts  # noqa: PLC0415
    from halftone.serving.inference.install import install  # noqa: PLC0415
    from halftone.serving.settings import Settings  # noqa: PLC0415

    folder, endpoint = Path(order["artifacts"]), order["endpoint"]
    settings = Settings(
        endpoint=endpoint,
        artifacts=str(folder),
        late_after_ms=1000 * order["seconds"],
        max_body=order["max_body"],
        deployment="local",
        package=order["digest"],
    )
    artifacts, root = FolderArtifacts(folder), folder / "installed"
    server = start(settings, artifacts, root=root, write=lambda _: None)
    _, manifest = install(order["digest"], artifacts, root)
    late = {"errorMessage": f"the model took longer than {order['seconds']:g} s"}

    def check(name: str, sample: AnySample) -> str | None:
        why = check_answer(sample, _ask(server, smoke_event(endpoint, sample), order) or late)
        return why and f"{name}: {why}"

    count = len(manifest.samples)
    checks = [(f"sample {i} of {count}", s) for i, s in enumerate(manifest.samples, start=1)]
    faults = [fault for name, sample in checks if (fault := check(name, sample))]
    first = manifest.samples[0]
    if not faults and manifest.interface is Interface.RECORDS and isinstance(first, Sample):
        # A request may have any number of records, and a sample often has one.
        twice = Sample(first.instances * 2, None)
        faults = list(filter(None, [check("sample 1 sent twice in one request", twice)]))
    return faults


class _Context:
    """What Lambda hands to a function beside the event."""

    aws_request_id = "local"
    function_version = "local"

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        """The whole of the function's timeout."""
        return round(1000 * self._seconds)


def _ask(server: Any, event: dict[str, object], order: dict[str, Any]) -> dict[str, object] | None:
    """What the function answers; None if it takes longer than it may."""
    answers: list[dict[str, object]] = []
    context = _Context(order["seconds"])
    # A thread can't be ended: one that hangs is left behind, as a daemon, for the exit's sake.
    worker = threading.Thread(target=lambda: answers.append(server(event, context)), daemon=True)
    worker.start()
    worker.join(order["seconds"])
    return answers[0] if answers else None


if __name__ == "__main__":
    main(*sys.argv[1:])
