"""What the model server tells the log: one metric line per prediction request, one line per fault.

The metric line is CloudWatch's embedded metric format, so that metrics need no network call. Only a
few numbers change between two lines of one process, so the rest is made once. Nothing here ever
holds a request's body, headers or values: not even the message of a model's exception, which may
quote them. (What is captured has lines of its own: ``capturing``.)

Dimensions: endpoint and version, and who takes part in a rollout a second time under the cohort
``trial``, so that both arms of it can be compared. Pinned requests are not clients' traffic by
chance and stand under the cohort ``pinned`` alone; what a shadow scores stands under ``mirror``,
too. The version is that of the arm that a request was assigned to, whoever answered it.
"""

import json
import math
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

from halftone.domain.errors import InvalidInput, Unavailable
from halftone.domain.insight.capture import KEY
from halftone.domain.names import NAMESPACE
from halftone.serving.routing.router import PINNED

Write = Callable[[str], object]
_Counts = tuple[tuple[str, ...], tuple[int, ...]]
"""Metrics that are 0 or 1: their names and values."""

_COLD = ("Requests", "Errors", "ClientErrors", "ColdStart")
_WARM = (*_COLD, "Late")
_LATENCY = ("Latency",)
_LARGEST, _SMALLEST = 2.0**360, 2.0**-360
"""The range of a value besides 0: "MetricDatum" in the API reference of CloudWatch."""
_FORMATS: Mapping[str, str] = {
    "Latency": "%.3f",
    "Distance": "%.9g",
    "RelativeDistance": "%.9g",
    "Reward": "%.9g",
}


def to_stdout(line: str) -> None:
    """One write per line, so that lines of a model's own threads do not mix with it."""
    sys.stdout.write(f"{line}\n")


class Telemetry:
    """The log of one model function. ``late_after_ms`` is what makes a request late."""

    def __init__(self, endpoint: str, late_after_ms: float, write: Write = to_stdout) -> None:
        self._endpoint = endpoint
        self._late_after_ms = late_after_ms
        self._write = write
        self._lines: dict[tuple[str, str, _Counts, tuple[str, ...]], tuple[str, str]] = {}

    def request(
        self,
        version: str,
        *,
        latency_ms: float,
        status: int,
        cold: bool,
        cohort: str = "",
        more: Mapping[str, float] | None = None,
    ) -> None:
        """One prediction request answered by ``version`` with ``status``. ``more`` are metrics
        beside the usual ones.

        A cold request says nothing of lateness and latency: they are the sandbox's, not the
        version's, and a version with little traffic has more of them.
        """
        failed, refused = status >= 500, 400 <= status < 500
        counts: _Counts = (_COLD, (1, failed, refused, 1))
        measures: tuple[str, ...] = ()
        values: tuple[float, ...] = ()
        if not cold:
            counts = (_WARM, (1, failed, refused, 0, latency_ms > self._late_after_ms))
            measures, values = _LATENCY, (latency_ms,)
        if more:
            measures, values = (*measures, *more), (*values, *more.values())
        self._emit(version, cohort, counts, measures, values)

    def is_late(self, latency_ms: float) -> bool:
        """Whether that is late."""
        return latency_ms > self._late_after_ms

    def fallback(self, version: str, *, cohort: str) -> None:
        """A request of ``version`` that failed there and was answered in its place."""
        self._emit(version, cohort, ((*_COLD, "Fallback"), (1, 1, 0, 0, 1)))

    def started(self, version: str, *, cohort: str) -> None:
        """A request of ``version`` that was answered in its place while a sandbox of it started."""
        self._emit(version, cohort, (("ColdStart", "Fallback"), (1, 1)))

    def skipped(self, version: str, *, cohort: str) -> None:
        """A request of ``version`` that was answered in its place without asking it."""
        self._emit(version, cohort, (("Fallback",), (1,)))

    def refused(self, version: str) -> None:
        """A prediction request that was refused before it was assigned to any version."""
        self._emit(version, "", (("ClientErrors",), (1,)))

    def feedback(
        self,
        version: str,
        *,
        reward: float | None,
        bad: bool | None,
        cohort: str = "",
        late: bool = False,
    ) -> None:
        """What an earlier answer of ``version`` was worth (0 to 1), and whether it was wrong.

        ``late`` is whether it came too late to count for the stage that its request belongs to.
        """
        given = {"Reward": reward, "Bad": bad, "FeedbackLate": 1.0 if late else None}
        known = {name: value for name, value in given.items() if value is not None}
        self._emit(version, cohort, ((), ()), tuple(known), tuple(known.values()))

    def dropped(self, version: str) -> None:
        """A request that ``version`` should have scored unseen, and that was not sent to it."""
        self._emit(version, "", (("MirrorDropped",), (1,)))

    def key(
        self, version: str, rollout: str, stage: int, key: str, *, failed: bool, late: bool | None
    ) -> None:
        """A key of sticky routing that was seen for the first time in a stage, or worse than
        before; ``key`` is its digest.
        """
        line = {
            "halftone": KEY,
            "endpoint": self._endpoint,
            "version": version,
            "rollout": rollout,
            "stage": stage,
            "key": key,
            "errors": int(failed),
            "late": None if late is None else int(late),
            "at": int(time.time() * 1000),
        }
        self._write(json.dumps(line, separators=(",", ":")))

    def line(self, values: Mapping[str, object]) -> None:
        """A line of the inference table; ``halftone.domain.insight.capture`` says what it holds."""
        self._write(json.dumps(values, separators=(",", ":"), allow_nan=False))

    def fault(self, what: str, error: BaseException, *, version: str, request_id: str) -> None:
        """A fault of a model in a request: its type and where, without what it says.

        Of an answer that does not fit, also what the signature expects, which is no request's data.
        """
        expected = {"expected": error.expected} if isinstance(error, InvalidInput) else {}
        self._log(what, error, version=version, request_id=request_id, **expected)

    def hop_failed(self, version: str, why: str, *, request_id: str) -> None:
        """A version that another one asked, and that failed: ``why`` is the fault's type."""
        line = {
            "level": "WARNING",
            "event": "hop failed",
            "endpoint": self._endpoint,
            "version": version,
            "request_id": request_id,
            "why": why[:200],
        }
        self._write(json.dumps(line))

    def dispatch_not_read(self, error: Unavailable) -> None:
        """What routing and access hang on could not be read again; the last one holds for now."""
        line = {
            "level": "WARNING",
            "event": "dispatch not read",
            "endpoint": self._endpoint,
            "why": str(error)[:200],
        }
        self._write(json.dumps(line))

    def not_loaded(self, error: BaseException, reason: str) -> None:
        """A model that could not be loaded. No request is near, so the reason can be told."""
        self._log("model not loaded", error, reason=reason)

    def _emit(
        self,
        version: str,
        cohort: str,
        counts: _Counts,
        measures: tuple[str, ...] = (),
        values: tuple[float, ...] = (),
    ) -> None:
        """One line. ``counts`` are few combinations of 0 and 1, for each of which the line is made
        once; ``values`` of the ``measures`` are others each time.
        """
        made = (version, cohort, counts, measures)
        parts = self._lines.get(made)
        if parts is None:
            parts = self._lines[made] = _line(self._endpoint, *made)
        changing, fixed = parts
        if measures and measures != _LATENCY:
            values = tuple(map(_taken, values))
        self._write(changing % (*values, int(time.time() * 1000)) + fixed)

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


def _taken(value: float) -> float:
    """``value`` as CloudWatch takes it: one that it does not take would cost the whole line."""
    size = abs(value)
    if size > _LARGEST:
        return math.copysign(_LARGEST, value)
    return value if size >= _SMALLEST else 0.0


def _line(
    endpoint: str, version: str, cohort: str, counts: _Counts, measures: tuple[str, ...]
) -> tuple[str, str]:
    """A line in two parts: a template for the values of ``measures`` and the time in milliseconds,
    and the rest, which is longer.
    """
    names, numbers = counts
    metrics = [
        {
            "Name": name,
            "Unit": "Milliseconds" if name == "Latency" else "Count",
            "StorageResolution": 1,
        }
        for name in (*names, *measures)
    ]
    dimensions = [] if cohort == PINNED else [["Endpoint", "Version"]]
    of = {"Endpoint": endpoint, "Version": version}
    if cohort:
        dimensions.append(["Endpoint", "Version", "Cohort"])
        of["Cohort"] = cohort
    directive = {"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": metrics}
    values = [f'"{name}":{number:d}' for name, number in zip(names, numbers, strict=True)]
    values += [f'"{name}":{_FORMATS.get(name, "%d")}' for name in measures]
    told = json.dumps([directive], separators=(",", ":"))
    fields = json.dumps(of, separators=(",", ":"))[1:]
    changing = f'{{{",".join(values)},"_aws":{{"Timestamp":%d'
    return changing, f',"CloudWatchMetrics":{told}}},{fields}'
