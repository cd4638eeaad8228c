"""From requests to SQL: what real model servers log, harvested, and read by DuckDB."""

import json
from pathlib import Path

import duckdb
import pytest

from halftone.domain.endpoint.route_table import Experiment, RouteConfig
from halftone.domain.endpoint.state import Placed
from halftone.domain.insight.capture import FEEDBACK, REQUESTS
from halftone.domain.traffic.policy import (
    Capture,
    KeySource,
    Mirror,
    Mode,
    StickyKey,
    TrafficPolicy,
)
from halftone.service.capture import Ingested, ingest
from halftone.testing import InMemoryCapture
from tests.support.fleet import Fleet
from tests.support.harvest import as_view, delivery

PLACED = (Placed("1", "1"), Placed("3", "green"))


def louder(instances):
    return [{"y": 3 * one["x"], "label": "high"} for one in instances]


def served(trial: Experiment | None = None, **serving: object) -> Fleet:
    traffic_policy = TrafficPolicy(
        mode=Mode.GUARDED, label="label", capture=Capture(100.0, ("x",)), **serving
    )
    dispatch = RouteConfig("double", 3, "1", PLACED, traffic_policy, trial)
    return Fleet(dispatch, {"2": louder, "3": louder})


def harvested(stage: Fleet) -> tuple[InMemoryCapture, Ingested]:
    """What the subscription lets through, harvested."""
    world = InMemoryCapture()
    marked = [line for line in stage.log if "halftone" in json.loads(line)]
    return world, ingest(world.ports(), delivery(*marked, endpoint="double"))


@pytest.fixture
def tables(tmp_path: Path):
    """tables(world): a connection with the views over the files that are there."""
    connection = duckdb.connect()

    def views(world: InMemoryCapture) -> duckdb.DuckDBPyConnection:
        for name, data in world.files.kept.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(data)
        for table, columns in (("requests", REQUESTS), ("feedback", FEEDBACK)):
            if (tmp_path / table).exists():
                connection.execute(as_view(tmp_path, table, columns))
        return connection

    yield views
    connection.close()


def test_answers_shadows_and_feedback_are_one_table(tables):
    stage = served(mirror=Mirror("3", 100.0)).signing()
    answers = [stage.ask_x(x) for x in (1.0, 20.0)]
    for answer, message in zip(answers, ({"label": "high"}, {"reward": 1}), strict=True):
        body = {"request_id": answer.headers["x-request-id"], **message}
        reply = stage.post(body, path="/endpoints/double/feedback")
        assert reply.status < 300, reply
    world, done = harvested(stage)
    assert (done.rows, done.dropped) == (6, 0)
    rows = tables(world).execute(
        """
        SELECT a.request, a.version, s.version, a.label, s.label, s.changed, f.bad, f.reward,
               json_extract_string(a.input, '$.instances[0].x')
        FROM requests a
        JOIN requests s ON (s.request, s.kind) = (a.request, 'shadow')
        JOIN feedback f ON f.request = a.request
        WHERE a.kind = 'answer' ORDER BY a.request
        """
    )
    ids = [answer.headers["x-request-id"].split(".")[0] for answer in answers]
    assert rows.fetchall() == [
        (ids[0], "1", "3", "low", "high", True, True, None, "[redacted]"),
        (ids[1], "1", "3", "high", "high", False, False, 1.0, "[redacted]"),
    ]


def test_keys_of_a_sticky_rollout_are_observed_in_both_arms():
    trial = Experiment("double-r1", "2", 0, Mode.GUARDED, share=50.0)
    stage = served(trial, key=StickyKey(KeySource.HEADER, "x-user"))
    for _ in range(3):
        for user in range(20):
            stage.ask_x(1.0, x_user=f"user-{user}")
    world, done = harvested(stage)
    assert done.dropped == 0
    counted = {(w.version, w.metric): v for (_, w), v in world.metrics.counted.items()}
    errors = {
        version: sum(v.values()) for (version, metric), v in counted.items() if metric == "Errors"
    }
    assert {*errors} == {"1", "2"}
    assert sum(errors.values()) == 20


def test_without_capture_no_body_is_in_any_line():
    stage = served(trial=None)
    stage.change(RouteConfig("double", 4, "1", PLACED, TrafficPolicy(mode=Mode.GUARDED)))
    stage.ask_x(1234.5)
    _, done = harvested(stage)
    assert done == Ingested(0, 0, 0)
    assert "1234.5" not in "".join(stage.log)
