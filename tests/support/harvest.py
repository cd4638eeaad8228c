"""Lines as model functions log them, and deliveries of them."""

import json
from pathlib import Path
from typing import Any

from halftone.domain.insight.capture import Column
from halftone.service.capture import Delivery

AT = 1_767_225_605_500  # 2026-01-01 00:00:05.5 UTC
HOUR = 3_600_000


def line(kind: str, /, **fields: Any) -> str:
    """A line of that kind with what it must hold, and ``fields``."""
    base: dict[str, Any] = {"halftone": kind, "at": AT, "version": "2"}
    if kind == "key":
        base |= {"rollout": "fraud-r1", "stage": 0, "key": "0" * 16, "errors": 0, "late": 0}
    else:
        base |= {"request": "r-1"}
    if kind == "capture":
        base |= {"kind": "answer"}
    return json.dumps(base | fields)


def delivery(*messages: str, endpoint: str = "fraud", first: int = 0) -> Delivery:
    """A delivery of these lines; ``first`` is the id of the first one."""
    return Delivery(endpoint, tuple((str(first + i), m) for i, m in enumerate(messages)))


def as_view(folder: Path, table: str, columns: tuple[Column, ...]) -> str:
    """SQL for DuckDB: the table's view, with the catalogue's columns, and folders as partitions."""
    kinds = ", ".join(f"'{column.name}': '{column.kind}'" for column in columns)
    source = f"read_json('{folder}/{table}/*/*/*/*.jsonl.gz', format='newline_delimited', "
    return (
        f"CREATE VIEW {table} AS SELECT * FROM {source}hive_partitioning=true, "  # noqa: S608
        f"hive_types={{'endpoint': varchar, 'dt': varchar, 'hour': int}}, columns={{{kinds}}})"
    )
