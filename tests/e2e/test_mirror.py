"""A mirror on real parts: a shadow that takes its time costs no client any, and it compares."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from benchmarks.mirror_clients import MIRROR_ALL, SHADOW_FACTOR, SHADOW_SECONDS, in_turns, slow
from halftone.domain.audit import Author
from halftone.domain.insight.capture import REQUESTS
from halftone.domain.rollout.phase import Phase
from halftone.service.endpoints.policy import set_serving
from halftone.service.rollouts.operate import abort
from tests.e2e.support import Stage
from tests.e2e.test_capture import rows

NAME = "mirrored"
ROUNDS, BLOCK = 8, 20
KINDS_OF_ROWS = ("answer", "shadow")
BY = {"author": Author("test", "end to end")}


def shadows(metric: str) -> tuple[float, float]:
    """Sum and count of a metric of what the shadow scored."""
    now = datetime.now(UTC)
    of = {"Endpoint": NAME, "Version": "2", "Cohort": "mirror"}
    datapoints = boto3.client("cloudwatch").get_metric_statistics(
        Namespace="Halftone",
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in of.items()],
        StartTime=now - timedelta(minutes=30),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    return sum(p["Sum"] for p in datapoints), sum(p["SampleCount"] for p in datapoints)


def test_a_mirror_of_everything_costs_no_time_and_compares_all(
    stage: Stage, tmp_path: Path
) -> None:
    stage.release(NAME, str(slow(tmp_path / "slow")), steps=[MIRROR_ALL])
    stage.until_phase(NAME, Phase.OBSERVING)
    lines = (stage.cloud.endpoints / NAME / "traffic.jsonl").read_text().splitlines()
    bodies = [json.dumps({"instances": [json.loads(x)["instance"]]}).encode() for x in lines]
    url = stage.cloud.url(NAME)
    stage.until(
        "the front mirrors",
        lambda: bool(in_turns(url, bodies[:1], rounds=1, block=1)) and shadows("Requests")[1] > 0,
    )
    before = shadows("Requests")[1]
    taken = in_turns(url, bodies, rounds=ROUNDS, block=BLOCK)
    plain, mirrored = taken["without"], taken["with"]
    figures = {
        percent: (plain.quantile(percent), mirrored.quantile(percent)) for percent in (50, 99)
    }

    assert mirrored.answers == plain.answers
    half = SHADOW_SECONDS * 1e3 / 2
    assert figures[50][1] < figures[50][0] + half, "the shadow's time is not the client's"
    assert figures[50][1] < 2 * figures[50][0], figures
    assert figures[99][1] < 3 * figures[99][0] + half, figures

    sent = before + ROUNDS * BLOCK
    stage.until("every pair is compared", lambda: shadows("Distance")[1] >= sent)
    assert shadows("Errors")[0] == shadows("Changed")[0] == 0
    relative, count = shadows("RelativeDistance")
    assert relative == pytest.approx(count * (1 - SHADOW_FACTOR))
    assert 0 < shadows("Distance")[0] < relative
    total, warm = shadows("Latency")
    assert total >= warm * SHADOW_SECONDS * 1e3 > 0

    # Dual run: the same input, both answers, and what lies between them.
    set_serving(stage.ports, NAME, {"capture": {"share": 100}, "label": "diagnosis"}, **BY)

    def pairs() -> list[tuple[Any, Any]]:
        in_turns(url, bodies[:2], rounds=1, block=2)
        stored = rows(stage, tmp_path, "requests", REQUESTS, NAME)
        by_kind = {k: {r["request"]: r for r in stored if r["kind"] == k} for k in KINDS_OF_ROWS}
        shared = by_kind["answer"].keys() & by_kind["shadow"].keys()
        return [(by_kind["answer"][one], by_kind["shadow"][one]) for one in shared]

    stage.until("pairs in files", lambda: len(pairs()) >= 2)
    for answer, shadow in pairs():
        assert (answer["version"], shadow["version"]) == ("1", "2")
        assert answer["input"] == shadow["input"]
        before, after = (json.loads(r["output"])["predictions"][0] for r in (answer, shadow))
        assert after["probability"] == before["probability"] * SHADOW_FACTOR
        assert shadow["distance"] == pytest.approx(before["probability"] - after["probability"])
        assert (shadow["label"], shadow["changed"]) == (answer["label"], False)
        assert shadow["latency_ms"] >= SHADOW_SECONDS * 1e3
    set_serving(stage.ports, NAME, {"capture": 0}, **BY)
    abort(stage.ports, NAME, **BY)
