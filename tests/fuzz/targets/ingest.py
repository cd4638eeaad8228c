"""The capture ingest: lines of a log, which may hold anything, become rows and keys."""

import gzip
import json

from halftone.domain.insight.capture import FEEDBACK, REQUESTS, Row, read_line
from halftone.service.capture import Delivery, ingest
from halftone.testing import InMemoryCapture
from halftone_local.emf import MAX_NUMBER, metrics_in

RANGES = {"int": 2**31, "bigint": 2**63}
TYPES = {"int": int, "bigint": int, "double": float, "boolean": bool, "string": str}


def check(data: bytes) -> None:
    """No line raises, and what is kept can be read by its column's type."""
    lines = data.decode("utf-8", "replace").split("\n")
    for line in lines:
        for metric in metrics_in(line):
            assert all(abs(value) <= MAX_NUMBER for value in metric.values)
        row = read_line(line)
        if isinstance(row, Row):
            _check_row(row)
    world = InMemoryCapture()
    delivery = Delivery("double", tuple((str(i), line) for i, line in enumerate(lines)))
    done = ingest(world.ports(), delivery)
    assert done.rows + done.keys + done.dropped == len(lines)
    for name, stored in world.files.kept.items():
        assert "/endpoint=double/" in name
        for line in gzip.decompress(stored).decode().splitlines():
            json.loads(line, parse_constant=_refuse)


def _check_row(row: Row) -> None:
    assert row.values["request"]
    for column in REQUESTS if row.table == "requests" else FEEDBACK:
        value = row.values[column.name]
        assert value is None or type(value) is TYPES[column.kind], (column, value)
        if column.kind in RANGES and isinstance(value, int):
            assert -RANGES[column.kind] <= value < RANGES[column.kind]
        if isinstance(value, str):
            value.encode()


def _refuse(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")
