"""The files as DuckDB reads them: the catalogue's schema, and the SQL of the docs."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from halftone.domain.insight.capture import FEEDBACK, REQUESTS
from halftone.service.capture import ingest
from halftone.testing import InMemoryCapture
from tests.support.checkout import ROOT
from tests.support.harvest import AT, HOUR, as_view, delivery, line


def answered(request: str, version: str, label: str, **more: object) -> list[str]:
    """A request's line, and its shadow's with another label."""
    both = {"at": AT, "request": request, "input": {"instances": [{"tenure": 12}]}, "status": 200}
    answer = {
        "request": f"{request}.{version}.ab12cd34",
        "version": version,
        "answered_by": version,
        "label": label,
        "latency_ms": 4.5,
        "output": {"predictions": [{"risk": 0.3}]},
    }
    shadow = {
        "kind": "shadow",
        "version": "3",
        "label": "high",
        "changed": True,
        "distance": 0.5,
        "latency_ms": 9.0,
    }
    at = {"at": more["at"]} if "at" in more else {}
    return [
        line("capture", **{**both, **answer, **more}),
        line("capture", **{**both, **shadow, **at}),
    ]


@pytest.fixture
def sql(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Files of three requests with shadows and feedback, and the views that the docs define."""
    world = InMemoryCapture()
    lines = [
        *answered("r-1", "1", "low"),
        *answered("r-2", "1", "low", at=AT + HOUR),
        *answered("r-3", "2", "high", fallback=1, answered_by="1"),
        line("feedback", request="r-1.1.ab12cd34", version="1", reward=1, label="low", bad=0),
        line("feedback", request="r-3.2", version="2", reward=0.25, bad=1),
    ]
    ingest(world.ports(), delivery(*lines))
    ingest(world.ports(), delivery(*answered("r-1", "1", "low"), endpoint="churn"))
    for name, data in world.files.kept.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    connection = duckdb.connect()
    for table, columns in (("requests", REQUESTS), ("feedback", FEEDBACK)):
        connection.execute(as_view(tmp_path, table, columns))
    yield connection
    connection.close()


def test_every_column_has_the_catalogues_type(sql):
    by_name = {name: kind for name, kind, *_ in sql.execute("DESCRIBE requests").fetchall()}
    in_duckdb = {
        "string": "VARCHAR",
        "bigint": "BIGINT",
        "int": "INTEGER",
        "boolean": "BOOLEAN",
        "double": "DOUBLE",
    }
    assert by_name == {column.name: in_duckdb[column.kind] for column in REQUESTS} | {
        "endpoint": "VARCHAR",
        "dt": "VARCHAR",
        "hour": "INTEGER",
    }


def test_requests_shadows_and_feedback_join_by_their_request(sql):
    joined = sql.execute(
        """
        SELECT a.request, a.version, a.label, s.label, s.changed, f.reward
        FROM requests a
        JOIN requests s ON (s.endpoint, s.request, s.kind) = (a.endpoint, a.request, 'shadow')
        LEFT JOIN feedback f ON (f.endpoint, f.request) = (a.endpoint, a.request)
        WHERE a.endpoint = 'fraud' AND a.kind = 'answer' ORDER BY a.request
        """
    ).fetchall()
    assert joined == [
        ("r-1", "1", "low", "high", True, 1.0),
        ("r-2", "1", "low", "high", True, None),
        ("r-3", "2", "high", "high", True, 0.25),
    ]


def test_partitions_and_bodies_can_be_looked_into(sql):
    hours = sql.execute(
        "SELECT hour, count(*) FROM requests WHERE endpoint = 'fraud' AND dt = '2026-01-01' "
        "GROUP BY hour ORDER BY hour"
    ).fetchall()
    assert hours == [(0, 4), (1, 2)]
    tenure = sql.execute(
        "SELECT DISTINCT CAST(json_extract(input, '$.instances[0].tenure') AS INTEGER) "
        "FROM requests"
    ).fetchall()
    assert tenure == [(12,)]


PAGE = (ROOT / "docs" / "inference-table.md").read_text()
EXAMPLES = re.findall(r"```sql\n(.*?)```\n+```json\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize(("query", "answer"), EXAMPLES, ids=lambda text: text[:40])
def test_the_examples_of_the_docs_answer_what_they_say(sql, query, answer):
    columns = [column[0] for column in sql.execute(query).description]
    rows = [dict(zip(columns, row, strict=True)) for row in sql.fetchall()]
    assert rows == json.loads(answer)


def test_the_docs_have_examples():
    assert len(EXAMPLES) >= 3


@pytest.mark.parametrize(("table", "columns"), [("requests", REQUESTS), ("feedback", FEEDBACK)])
def test_the_docs_tell_of_every_column(table, columns):
    part = PAGE.split(f"<!-- columns of {table} -->")[1].split("\n\n")[0]
    written = [f"| `{column.name}` | {column.kind} | {column.comment} |" for column in columns]
    assert part.strip().splitlines()[2:] == written
