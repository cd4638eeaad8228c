"""The harvest: lines of a model function's log become files of the inference table, and metrics.

A delivery may come again, in part or as a whole. Files are named by what is in the delivery, so
that the same one writes the same files. A key is taken note of before it is published, and what a
batch adds is published by one delivery only: should it end between the two, some keys are missing
from the evidence, on both sides alike, where counting them twice would make it stronger than it is.
"""

import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from halftone.domain.errors import Unavailable
from halftone.domain.insight.capture import KeyObservation, Row, read_line
from halftone.domain.insight.sticky_keys import News, together
from halftone.domain.rollout.border import bucket_start
from halftone.ports.capture import CapturePorts, Observation

_AT_ONCE = 8
"""Keys that are taken note of at the same time: each is a call or two."""


@dataclass(frozen=True)
class Delivery:
    """Lines of the log of an endpoint's model function, each with the id that the log gave it."""

    endpoint: str
    lines: tuple[tuple[str, str], ...]

    @property
    def batch(self) -> str:
        """Names exactly these lines."""
        names = "\n".join(name for name, _ in self.lines)
        return hashlib.blake2b(names.encode(), digest_size=12).hexdigest()


@dataclass(frozen=True)
class Ingested:
    """What became of a delivery: ``dropped`` lines had our mark and not what they must hold."""

    rows: int
    keys: int
    dropped: int


def ingest(ports: CapturePorts, delivery: Delivery) -> Ingested:
    """Write the files and publish the keys of one delivery.

    Raises:
        Unavailable: if a part of it could not be done; the rest was. A repetition does what is
            missing.
    """
    lines = [read_line(message) for _, message in delivery.lines]
    rows = [one for one in lines if isinstance(one, Row)]
    sightings = [
        one
        for one in lines
        # The log is the endpoint's own: it can't speak of another's rollouts.
        if isinstance(one, KeyObservation) and one.rollout.startswith(f"{delivery.endpoint}-")
    ]
    _all_of(
        [
            *[_write(ports, name, part) for name, part in _files(delivery, rows).items()],
            *[_count(ports, delivery, part) for part in _by_stage(together(sightings)).values()],
        ]
    )
    return Ingested(len(rows), len(sightings), len(lines) - len(rows) - len(sightings))


def _all_of(steps: Sequence[Callable[[], None]]) -> None:
    """Every step, whether or not one before it failed."""
    failures = []
    for step in steps:
        try:
            step()
        except Unavailable as error:
            failures.append(error)
    if failures:
        raise failures[0]


def file_name(table: str, endpoint: str, at: datetime, batch: str) -> str:
    """Where rows of one hour lie. The folders are the partitions of the table."""
    return f"{table}/endpoint={endpoint}/dt={at:%Y-%m-%d}/hour={at:%H}/{batch}.jsonl.gz"


def _files(delivery: Delivery, rows: Sequence[Row]) -> dict[str, list[Row]]:
    files: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        files[file_name(row.table, delivery.endpoint, row.at, delivery.batch)].append(row)
    return files


def _write(ports: CapturePorts, name: str, rows: Sequence[Row]) -> Callable[[], None]:
    lines = "".join(f"{json.dumps(row.values, separators=(',', ':'))}\n" for row in rows)
    # Without the time that a gzip file holds, so that the same rows are the same bytes.
    data = gzip.compress(lines.encode(), mtime=0)
    return lambda: ports.files.put(name, data)


def _by_stage(sightings: Sequence[KeyObservation]) -> dict[tuple[str, int], list[KeyObservation]]:
    stages: dict[tuple[str, int], list[KeyObservation]] = defaultdict(list)
    for one in sightings:
        stages[one.rollout, one.stage].append(one)
    return stages


def _count(
    ports: CapturePorts, delivery: Delivery, sightings: Sequence[KeyObservation]
) -> Callable[[], None]:
    endpoint, batch = delivery.endpoint, delivery.batch
    rollout, stage = sightings[0].rollout, sightings[0].stage

    def count() -> None:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            added = [*pool.map(lambda one: ports.keys.see(endpoint, one, batch), sightings)]
        counts = _counts(sightings, added)
        if not counts or not ports.keys.begin(endpoint, rollout, stage, batch):
            return
        try:
            ports.metrics.publish_keys(endpoint, counts)
        except Unavailable:
            ports.keys.failed(endpoint, rollout, stage, batch)
            raise

    return count


def _counts(
    sightings: Sequence[KeyObservation], added: Sequence[News]
) -> dict[Observation, dict[float, int]]:
    counts: dict[Observation, dict[float, int]] = defaultdict(lambda: defaultdict(int))
    for one, what in zip(sightings, added, strict=True):
        if what.since is None:
            continue
        bucket, keys = bucket_start(what.since), {"Errors": what.errors, "Late": what.late}
        later = {"ErrorsLater": what.errors_later, "LateLater": what.late_later}
        observed = {**keys, **{metric: 1 for metric, count in later.items() if count}}
        for metric, value in observed.items():
            if value is not None:
                counts[Observation(one.version, bucket, metric)][float(value)] += 1
    return {where: dict(values) for where, values in counts.items()}
