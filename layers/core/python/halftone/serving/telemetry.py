"""What the model server tells the log: one metric line per prediction request, one line per fault.

The metric line is CloudWatch's embedded metric format, so that metrics need no network call. Only
five numbers change between two lines of one process, so the rest is made once. Nothing here ever
holds a request's body, headers or values: not even the message of a model's exception, which may
quote them.
"""

import json
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from halftone.domain.errors import InvalidInput
from halftone.domain.names import NAMESPACE

Write = Callable[[str], object]


def to_stdout(line: str) -> None:
    """One write per line, so that lines of a model's own threads do not mix with it."""
    sys.stdout.write(f"{line}\n")


class Telemetry:
    """The log of one model function. ``late_after_ms`` is what makes a request late."""

    def __init__(self, endpoint: str, late_after_ms: float, write: Write = to_stdout) -> None:
        self._endpoint = endpoint
        self._late_after_ms = late_after_ms
        self._write = write
        self._templates: dict[str, tuple[str, str]] = {}

    def request(self, version: str, *, latency_ms: float, failed: bool, cold: bool) -> None:
        """One prediction request answered by ``version``.

        A cold request says nothing of lateness and latency: they are the sandbox's, not the
        version's, and a version with little traffic has more of them.
        """
        templates = self._templates.get(version)
        if templates is None:
            templates = (
                _template(self._endpoint, version, warm=False),
                _template(self._endpoint, version, warm=True),
            )
            self._templates[version] = templates
        now = int(time.time() * 1000)
        if cold:
            self._write(templates[0] % (now, failed))
        else:
            late = latency_ms > self._late_after_ms
            self._write(templates[1] % (now, failed, late, latency_ms))

    def fault(self, what: str, error: BaseException, *, version: str, request_id: str) -> None:
        """A fault of a model in a request: its type and where, without what it says.

        Of an answer that does not fit, also what the signature expects, which is no request's data.
        """
        expected = {"expected": error.expected} if isinstance(error, InvalidInput) else {}
        self._log(what, error, version=version, request_id=request_id, **expected)

    def not_loaded(self, error: BaseException, reason: str) -> None:
        """A model that could not be loaded. No request is near, so the reason can be told."""
        self._log("model not loaded", error, reason=reason)

    def _log(self, what: str, error: BaseException, **more: str) -> None:
        frames = [
            f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)
        ]
        line = {
            "level": "ERROR",
            "event": what,
            "endpoint": self._endpoint,
            **more,
            "exception": type(error).__name__,
            "traceback": frames,
        }
        self._write(json.dumps(line))


def _template(endpoint: str, version: str, *, warm: bool) -> str:
    counts = ["Requests", "Errors", "ColdStart"] + (["Late"] if warm else [])
    metrics = [{"Name": name, "Unit": "Count", "StorageResolution": 1} for name in counts]
    if warm:
        metrics.append({"Name": "Latency", "Unit": "Milliseconds", "StorageResolution": 1})
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["Endpoint", "Version"]],
        "Metrics": metrics,
    }
    fixed = json.dumps([directive], separators=(",", ":")).replace("%", "%%")
    names = json.dumps({"Endpoint": endpoint, "Version": version}, separators=(",", ":"))[1:-1]
    changing = f'"Requests":1,"Errors":%d,"ColdStart":{int(not warm)}'
    changing += ',"Late":%d,"Latency":%.3f' if warm else ""
    return (
        f'{{"_aws":{{"Timestamp":%d,"CloudWatchMetrics":{fixed}}},'
        f"{names.replace('%', '%%')},{changing}}}"
    )
