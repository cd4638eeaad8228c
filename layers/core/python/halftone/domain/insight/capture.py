"""The inference table: what is kept of requests, of shadows' answers and of feedback.

A model server writes each of them as one log line, a JSON object with the field ``halftone``; the
harvest turns lines into rows. The fields of a line are the columns of its row, under the same
names, so that there is one schema: for the server that writes, for the files, for Athena and for
DuckDB.

=============  =====================================================================================
``halftone``   the line says
=============  =====================================================================================
``capture``    one request and its answer (``kind`` is ``answer``), or what a shadow made of the
               same request (``kind`` is ``shadow``): a row of ``REQUESTS``
``feedback``   what an earlier answer was worth: a row of ``FEEDBACK``
``key``        a key of sticky routing was seen for the first time in a stage, or failed for the
               first time: a ``KeyObservation``, which becomes a metric and no row
=============  =====================================================================================

Rows that belong together have the same ``request``: the id of the request, which is what the id
that a client reads in an answer has before its first dot. A line may give either.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeGuard

from halftone.domain.rollout.evidence import bucket_start

CAPTURE, FEEDBACK_LINE, KEY = "capture", "feedback", "key"


@dataclass(frozen=True)
class Column:
    """A column: ``kind`` is its type in Glue (DuckDB knows all of these under the same name)."""

    name: str
    kind: str
    comment: str


def _columns(text: str) -> tuple[Column, ...]:
    rows = (line.split(None, 2) for line in text.strip().splitlines())
    return tuple(Column(name, kind, comment) for name, kind, comment in rows)


REQUESTS = _columns("""
    request     string   Id of the request: its answer, its shadow's and its feedback share it
    kind        string   answer (a client got it) or shadow (nobody did)
    at          bigint   When it was answered, in ms since 1970 UTC
    version     string   The version that the request was assigned to
    answered_by string   The version that answered: the champion's where that stood in
    rollout     string   Rollout that the request took part in, or null
    stage       int      Stage of that rollout, or null
    client      string   Name of the client of a private endpoint, or null
    key         string   Digest (16 hex digits) of the key of sticky routing, or null
    pinned      boolean  Whether the request named its version
    status      int      HTTP status of the answer
    latency_ms  double   Milliseconds until it was answered
    cold        boolean  Whether it waited for a new sandbox
    fallback    boolean  Whether the champion answered in the challenger's place
    label       string   The answer's label, where the endpoint names the field of it
    changed     boolean  Shadow: whether its label is another than the client's, or null
    distance    double   Shadow: how far its answer is from the client's, or null
    input       string   Body of the request as JSON, without the fields that are redacted
    output      string   Body of the answer as JSON, without the fields that are redacted
    cut         boolean  Whether input or output was left out: too long, or not to be redacted
""")
"""The table ``requests``."""

FEEDBACK = _columns("""
    request string   Id of the request that the feedback is about
    at      bigint   When the feedback came, in ms since 1970 UTC
    version string   The version that the request was assigned to
    client  string   Name of the client that sent the feedback, or null
    reward  double   What the answer was worth, from 0 to 1, or null
    label   string   What the label should have been, or null
    bad     boolean  Whether the answer was wrong: its label is another, or the reward is below half
""")
"""The table ``feedback``."""

LONGEST_LINE = 200_000
"""Bytes that a line may have: CloudWatch Logs takes events of 256 KB, and Lambda adds to each."""

_VERSION = re.compile(r"[0-9]{1,10}")
_KEY = re.compile(r"[0-9a-f]{16}")
_ROLLOUT = re.compile(r"[a-z0-9-]{1,64}")
_LIMITS = {"int": 2**31, "bigint": 2**53}
_LATEST = 4_102_444_800_000  # 2100-01-01 in ms


@dataclass(frozen=True)
class Row:
    """A row of ``table`` (``requests`` or ``feedback``) and its time, which decides its file."""

    table: str
    at: datetime
    values: Mapping[str, object]


@dataclass(frozen=True)
class KeyObservation:
    """A key in a stage of a rollout: whether a request of it failed, and whether one was late.

    ``late`` is None where nothing is known of it, as after a cold start.
    """

    version: str
    rollout: str
    stage: int
    key: str
    at: datetime
    failed: bool
    late: bool | None

    @property
    def bucket(self) -> datetime:
        """The start of the ten seconds in which it was seen."""
        return bucket_start(self.at)


def read_line(message: str) -> Row | KeyObservation | None:
    """What a log line says; None if it is no line of ours or does not hold what it must.

    A model's own code can write to the same log, so nothing is taken on trust.
    """
    try:
        return _read(json.loads(message))
    except (ValueError, RecursionError):
        return None  # what is nested too deeply may be read, and not be written again


def _read(line: object) -> Row | KeyObservation | None:
    if not isinstance(line, dict):
        return None
    kind, at = line.get("halftone"), line.get("at")
    if not _is_whole(at) or not 0 <= at < _LATEST:
        return None
    moment = datetime.fromtimestamp(at / 1000, UTC)
    if kind == CAPTURE and line.get("kind") in ("answer", "shadow"):
        return _row("requests", REQUESTS, line, moment)
    if kind == FEEDBACK_LINE:
        return _row("feedback", FEEDBACK, line, moment)
    return _sighting(line, moment) if kind == KEY else None


def _row(
    table: str, columns: tuple[Column, ...], line: Mapping[str, object], at: datetime
) -> Row | None:
    request = line.get("request")
    if not isinstance(request, str) or not _fits(_VERSION, line.get("version")):
        return None
    named = _text(request.partition(".")[0])
    if not named:
        return None
    cells = {c.name: _cell(c.kind, line.get(c.name)) for c in columns}
    return Row(table, at, {**cells, "request": named})


def _cell(kind: str, value: object) -> object:
    """``value`` as a column of that type holds it; None for what does not fit."""
    if kind == "string":
        # Bodies and labels have a shape of their own at each endpoint: they are kept as JSON texts,
        # which SQL can look into, so that one table holds all of them.
        if value is None:
            return None
        is_text = isinstance(value, str)
        return _text(
            str(value) if is_text else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        )
    if kind == "boolean":
        return bool(value) if value in (0, 1, True, False) else None
    if kind == "double":
        real = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if real and abs(value) < 1e300 else None  # type: ignore[arg-type]
    # One number outside the column's type would make each query of the table fail.
    return value if _is_whole(value) and abs(value) < _LIMITS[kind] else None


def _text(value: str) -> str:
    """``value`` without halves of characters, which JSON can write and no file can hold."""
    return value.encode("utf-8", "replace").decode()


def _sighting(line: Mapping[str, object], at: datetime) -> KeyObservation | None:
    version, rollout, key = line.get("version"), line.get("rollout"), line.get("key")
    stage, failed, late = line.get("stage"), line.get("errors"), line.get("late")
    if not (_fits(_VERSION, version) and _fits(_ROLLOUT, rollout) and _fits(_KEY, key)):
        return None
    if not _is_whole(stage) or not 0 <= stage < 1000:
        return None
    if failed not in (0, 1) or late not in (None, 0, 1):
        return None
    return KeyObservation(
        version=str(version),
        rollout=str(rollout),
        stage=stage,
        key=str(key),
        at=at,
        failed=bool(failed),
        late=None if late is None else bool(late),
    )


def _fits(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
