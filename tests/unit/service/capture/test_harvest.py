"""Deliveries of log lines: which files and which metrics come of them, however often they come."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from halftone.domain.errors import Unavailable
from halftone.ports.capture import Observation
from halftone.service.capture import Ingested, ingest
from halftone.testing import InMemoryCapture
from tests.support.harvest import AT, HOUR, delivery, line

BUCKET = datetime(2026, 1, 1, tzinfo=UTC)
ERRORS = ("fraud", Observation("2", BUCKET, "Errors"))
LATE = ("fraud", Observation("2", BUCKET, "Late"))
FIRST, SECOND = "0" * 16, "1" * 16


def counted(world: InMemoryCapture) -> dict[object, dict[float, int]]:
    return {where: dict(values) for where, values in world.metrics.counted.items()}


def test_rows_lie_by_table_endpoint_day_and_hour():
    world = InMemoryCapture()
    lines = [
        line("capture", request="r-1"),
        line("capture", request="r-1", kind="shadow"),
        line("capture", request="r-2", at=AT + HOUR),
        line("feedback", request="r-1", reward=1),
        '{"halftone": "capture"}',
    ]
    done = ingest(world.ports(), delivery(*lines))
    assert done == Ingested(rows=4, keys=0, dropped=1)
    by_name = {
        name.rpartition("/")[0]: gzip.decompress(data) for name, data in world.files.kept.items()
    }
    where = "endpoint=fraud/dt=2026-01-01/hour="
    assert {name: data.count(b"\n") for name, data in by_name.items()} == {
        f"requests/{where}00": 2,
        f"requests/{where}01": 1,
        f"feedback/{where}00": 1,
    }
    row = json.loads(by_name[f"feedback/{where}00"])
    assert (row["request"], row["reward"]) == ("r-1", 1.0)


def test_the_same_delivery_writes_the_same_files():
    world = InMemoryCapture()
    once = delivery(line("capture"))
    ingest(world.ports(), once)
    before = dict(world.files.kept)
    ingest(world.ports(), once)
    assert world.files.kept == before
    ingest(world.ports(), delivery(line("capture"), first=1))
    assert len(world.files.kept) == 2


def test_each_key_is_observed_once_in_a_stage():
    world = InMemoryCapture()
    lines = [line("key", key=FIRST), line("key", key=SECOND, errors=1, late=None)]
    ingest(world.ports(), delivery(*lines))
    assert counted(world) == {ERRORS: {0.0: 1, 1.0: 1}, LATE: {0.0: 1}}
    ingest(world.ports(), delivery(*lines, first=9))
    assert counted(world) == {ERRORS: {0.0: 1, 1.0: 1}, LATE: {0.0: 1}}
    ingest(world.ports(), delivery(line("key", key=FIRST, stage=1), first=20))
    assert counted(world) == {ERRORS: {0.0: 2, 1.0: 1}, LATE: {0.0: 2}}


def test_a_key_that_fails_in_the_same_delivery_was_never_sound():
    world = InMemoryCapture()
    lines = [line("key", late=None), line("key", errors=1, at=AT + 20_000)]
    ingest(world.ports(), delivery(*lines))
    assert counted(world) == {ERRORS: {1.0: 1}, LATE: {0.0: 1}}


def test_a_key_that_fails_later_adds_to_its_failures_alone():
    world = InMemoryCapture()
    ingest(world.ports(), delivery(line("key")))
    failing = line("key", errors=1, late=1, at=AT + 20_000)
    ingest(world.ports(), delivery(failing, first=1))
    ingest(world.ports(), delivery(failing, first=2))
    assert counted(world) == {
        ERRORS: {0.0: 1},
        LATE: {0.0: 1},
        ("fraud", replace(ERRORS[1], metric="ErrorsLater")): {1.0: 1},
        ("fraud", replace(ERRORS[1], metric="LateLater")): {1.0: 1},
    }


def test_one_that_fails_after_it_was_followed_adds_nothing():
    world = InMemoryCapture()
    ingest(world.ports(), delivery(line("key")))
    ingest(world.ports(), delivery(line("key", errors=1, late=1, at=AT + 301_000), first=1))
    assert counted(world) == {ERRORS: {0.0: 1}, LATE: {0.0: 1}}


def test_a_delivery_that_comes_again_changes_nothing():
    world = InMemoryCapture()
    lines = [line("key", key=FIRST), line("key", key=SECOND, errors=1), line("capture")]
    for _ in range(3):
        ingest(world.ports(), delivery(*lines))
    assert counted(world) == {ERRORS: {0.0: 1, 1.0: 1}, LATE: {0.0: 2}}
    assert len(world.files.kept) == 1


def test_a_log_does_not_speak_of_another_endpoints_rollouts():
    world = InMemoryCapture()
    done = ingest(world.ports(), delivery(line("key", rollout="churn-r1")))
    assert done == Ingested(rows=0, keys=0, dropped=1)
    assert counted(world) == {}


@dataclass
class Failing:
    """Files and metrics that fail as often as told before they work."""

    inner: InMemoryCapture
    files: int = 0
    metrics: int = 0
    tried: list[str] = field(default_factory=list)

    def put(self, name: str, data: bytes) -> None:
        self.tried.append("file")
        self.files -= 1
        if self.files >= 0:
            raise Unavailable("S3 did not answer")
        self.inner.files.put(name, data)

    def publish_keys(
        self, endpoint: str, counts: Mapping[Observation, Mapping[float, int]]
    ) -> None:
        self.tried.append("metrics")
        self.metrics -= 1
        if self.metrics >= 0:
            raise Unavailable("CloudWatch did not answer")
        self.inner.metrics.publish_keys(endpoint, counts)


@pytest.mark.parametrize("faults", [{"files": 1}, {"metrics": 1}, {"files": 1, "metrics": 2}])
def test_what_failed_is_done_by_the_repetition(faults):
    world = InMemoryCapture()
    failing = Failing(world, **faults)
    ports = replace(world.ports(), files=failing, metrics=failing)
    value = delivery(line("capture"), line("key", errors=1))
    for _ in range(max(faults.values())):
        with pytest.raises(Unavailable, match="did not answer"):
            ingest(ports, value)
        assert {*failing.tried} == {"file", "metrics"}
    ingest(ports, value)
    ingest(ports, value)
    assert counted(world) == {ERRORS: {1.0: 1}, LATE: {0.0: 1}}
    assert len(world.files.kept) == 1


def test_a_delivery_that_dies_is_published_by_the_next():
    world = InMemoryCapture()

    class Dies:
        def publish_keys(self, *_: object) -> None:
            raise Unavailable("the function was killed")

    value = delivery(line("key", errors=1))
    with pytest.raises(Unavailable):
        ingest(replace(world.ports(), metrics=Dies()), value)
    ingest(world.ports(), value)
    assert counted(world) == {ERRORS: {1.0: 1}, LATE: {0.0: 1}}
