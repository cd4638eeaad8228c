"""Capture on real parts: requests and feedback become files that DuckDB reads, and metrics."""

import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pytest

from halftone.domain.audit import Author
from halftone.domain.insight.capture import FEEDBACK, REQUESTS, Column
from halftone.service.endpoints import policy
from tests.e2e.support import Stage

NAME = "captured"
BEN = {"author": Author("ben", "to look at what it is asked")}
REQUESTED = 6


@pytest.fixture
def records(stage: Stage) -> list[dict[str, Any]]:
    lines = (stage.cloud.endpoints / NAME / "traffic.jsonl").read_text().splitlines()
    return [{"instances": [json.loads(line)["instance"]]} for line in lines[:REQUESTED]]


def post(url: str, body: object) -> tuple[str, Any]:
    """The id and the body of the answer to one request."""
    data = json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.headers["x-request-id"], json.loads(answer.read())


def rows(
    stage: Stage, folder: Path, table: str, columns: tuple[Column, ...], endpoint: str = NAME
) -> list[Any]:
    """What DuckDB reads of the files that are there by now."""
    s3, bucket = boto3.client("s3"), stage.cloud.outputs()["CaptureBucket"]
    prefix = f"{table}/endpoint={endpoint}/"
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    names = [one["Key"] for page in pages for one in page.get("Contents", [])]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, name, str(folder / name))
    if not names:
        return []
    kinds = ", ".join(f"'{column.name}': '{column.kind}'" for column in columns)
    files = f"{folder}/{table}/endpoint={endpoint}/*/*/*.jsonl.gz"
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT * FROM read_json('{files}', format='newline_delimited', "  # noqa: S608
            f'hive_partitioning=true, columns={{{kinds}}}) ORDER BY "at"'
        )
        heads = [head[0] for head in rows.description or ()]
        return [dict(zip(heads, row, strict=True)) for row in rows.fetchall()]


@pytest.fixture
def capturing(stage: Stage, records: list[dict[str, Any]]) -> Iterator[None]:
    """Capture of everything, switched on while the endpoint serves, and off again."""
    url = stage.cloud.url(NAME)
    body = {"capture": {"share": 100, "redact": ["mean_radius"]}, "label": "diagnosis"}
    policy.set_serving(stage.ports, NAME, body, **BEN)
    # The label is in the id of an answer from when the model server knows of the change.
    stage.until("the settings in force", lambda: post(url, records[0])[0].count(".") == 4, 60)
    yield
    policy.set_capture(stage.ports, NAME, 0, **BEN)


def test_requests_and_feedback_become_a_table_and_a_metric(
    stage: Stage, tmp_path: Path, records: list[dict[str, Any]], capturing: None
) -> None:
    url = stage.cloud.url(NAME)
    answers = [post(url, record) for record in records]
    feedback = url.replace("/invocations", "/feedback")
    for number, (request, answer) in enumerate(answers):
        label = answer["predictions"][0]["diagnosis"]
        fields = {"reward": 1} if number else {"label": f"not {label}"}
        post(feedback, {"request_id": request, **fields})

    ids = [request.split(".")[0] for request, _ in answers]

    def kept(table: str, columns: tuple[Column, ...]) -> list[Any]:
        return [row for row in rows(stage, tmp_path, table, columns) if row["request"] in ids]

    stage.until("all requests in files", lambda: len(kept("requests", REQUESTS)) >= REQUESTED)
    stage.until("all feedback in files", lambda: len(kept("feedback", FEEDBACK)) >= REQUESTED)
    requests, judged = kept("requests", REQUESTS), kept("feedback", FEEDBACK)
    assert len(requests) == len(judged) == REQUESTED
    assert [row["request"] for row in requests] == ids
    for row, record, (_, answer) in zip(requests, records, answers, strict=True):
        assert (row["kind"], row["version"], row["status"]) == ("answer", "1", 200)
        assert row["label"] == answer["predictions"][0]["diagnosis"]
        instance = json.loads(row["input"])["instances"][0]
        assert instance.pop("mean_radius") != record["instances"][0]["mean_radius"]
        assert instance.items() <= record["instances"][0].items()
        assert json.loads(row["output"])["predictions"] == answer["predictions"]
    bad = {row["request"]: row["bad"] for row in judged}
    assert bad == {name: number == 0 for number, name in enumerate(ids)}

    def rewards() -> tuple[float, float]:
        now = datetime.now(UTC)
        datapoints = boto3.client("cloudwatch").get_metric_statistics(
            Namespace="Halftone",
            MetricName="Reward",
            Dimensions=[{"Name": "Endpoint", "Value": NAME}, {"Name": "Version", "Value": "1"}],
            StartTime=now - timedelta(minutes=10),
            EndTime=now + timedelta(minutes=1),
            Period=60,
            Statistics=["Sum", "SampleCount"],
        )["Datapoints"]
        return sum(p["Sum"] for p in datapoints), sum(p["SampleCount"] for p in datapoints)

    stage.until("the rewards in the metric", lambda: rewards() == (REQUESTED - 1, REQUESTED - 1))


def test_athena_finds_the_same_tables_in_the_catalogue(stage: Stage) -> None:
    bucket = stage.cloud.outputs()["CaptureBucket"]
    for name, columns in (("requests", REQUESTS), ("feedback", FEEDBACK)):
        table = boto3.client("glue").get_table(DatabaseName="halftone_local", Name=name)["Table"]
        pairs = [(c["Name"], c["Type"]) for c in table["StorageDescriptor"]["Columns"]]
        assert pairs == [(column.name, column.kind) for column in columns]
        assert table["StorageDescriptor"]["Location"] == f"s3://{bucket}/{name}/"
