"""What the versions did, from the high-resolution metrics that the model server emits.

``Errors`` and ``Late`` are 0 or 1 for each request, so that their sum counts events and their
sample count the requests they are counted of.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from halftone.adapters.aws.clients import translated
from halftone.adapters.aws.cloudwatch_data import Points, dimensions, query, read
from halftone.domain.names import NAMESPACE, PROOF
from halftone.domain.rollout.evidence import BUCKET, NO_COUNT, Arm, Bucket
from halftone.domain.rollout.rollout import KEYS, MIRROR

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef

    from halftone.ports.capture import Observation


_FIELDS = {
    "requests": ("Errors", "SampleCount"),
    "errors": ("Errors", "Sum"),
    "timed": ("Late", "SampleCount"),
    "late": ("Late", "Sum"),
    "judged": ("Bad", "SampleCount"),
    "bad": ("Bad", "Sum"),
    "paired": ("Changed", "SampleCount"),
    "changed": ("Changed", "Sum"),
}

_ANSWERED = {field: _FIELDS[field] for field in ("requests", "errors", "timed", "late")}
_MOST_QUERIES = 496
"""GetMetricData takes 500; these are whole versions."""

_LATER = {"errorslater": ("ErrorsLater", "Sum"), "latelater": ("LateLater", "Sum")}
"""Of keys: events of those that were counted as sound in the same ten seconds."""

_QUANTILES = ("p50", "p90", "p99")

_ENOUGH = 200
"""Below that many requests a 99th percentile is the slowest one or two, and no limit."""

_HIGH_RESOLUTION = timedelta(hours=3)
"""How long CloudWatch keeps periods of less than a minute."""


class CloudWatchMetrics:
    """Port ``Metrics`` on CloudWatch. Ten-second buckets can be read for three hours."""

    def __init__(self, client: CloudWatchClient) -> None:
        self._cloudwatch = client

    def buckets(
        self,
        endpoint: str,
        *,
        challenger: str,
        champion: str,
        since: datetime,
        until: datetime,
        limits: Sequence[float] = (),
        cohorts: tuple[str, str] = ("", ""),
        feedback: str = "",
    ) -> Sequence[Bucket]:
        """See the port. One call for each 100,000 values."""
        if until <= since:
            return ()
        fields = dict(_FIELDS)
        fields |= {f"over{i}": ("Latency", f"TC({limit:g}:)") for i, limit in enumerate(limits)}
        arms = {"challenger": (challenger, cohorts[0]), "champion": (champion, cohorts[1])}
        queries = [
            query(
                f"{arm}_{field}",
                endpoint,
                version,
                metric,
                statistic,
                period=BUCKET,
                cohort=feedback if metric == "Bad" else cohort,
            )
            for arm, (version, cohort) in arms.items()
            for field, (metric, statistic) in (fields | (_LATER if cohort == KEYS else {})).items()
        ]
        counts: dict[datetime, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
        for name, points in self._read(endpoint, queries, since, until).items():
            arm, field = name.split("_")
            for moment, value in points:
                counts[moment][arm][field] = _count(value)
        return tuple(
            Bucket(
                start,
                _arm(counts[start]["challenger"], len(limits)),
                _arm(counts[start]["champion"], len(limits)),
            )
            for start in sorted(counts)
            if since <= start < until
        )

    def totals(
        self, endpoint: str, versions: Sequence[str], *, since: datetime, until: datetime
    ) -> Mapping[str, Arm]:
        """See the port. One call for each 62 versions or 100,000 values."""
        queries = [
            query(
                f"{cohort or 'all'}_{field}_{number}",
                endpoint,
                version,
                metric,
                statistic,
                period=BUCKET,
                cohort=cohort,
            )
            for number, version in enumerate(versions)
            for cohort in ("", MIRROR)
            for field, (metric, statistic) in _ANSWERED.items()
        ]
        sums: dict[str, int] = {}
        for first in range(0, len(queries), _MOST_QUERIES):
            some = queries[first : first + _MOST_QUERIES]
            for name, points in self._read(endpoint, some, since, until).items():
                values = [value for moment, value in points if since <= moment < until]
                sums[name] = sum(max(0, _count(value)) for value in values)

        def answered(field: str, number: int) -> int:
            scored = sums.get(f"{MIRROR}_{field}_{number}", 0)
            return max(0, sums.get(f"all_{field}_{number}", 0) - scored)

        return {
            version: Arm(
                answered("requests", number),
                answered("errors", number),
                answered("timed", number),
                answered("late", number),
            )
            for number, version in enumerate(versions)
        }

    def quantiles(self, endpoint: str, version: str, *, until: datetime) -> Sequence[float]:
        """See the port. One call."""
        queries = [
            query(name, endpoint, version, "Latency", statistic, period=_HIGH_RESOLUTION)
            for name, statistic in (("count", "SampleCount"), *((q, q) for q in _QUANTILES))
        ]
        points = self._read(endpoint, queries, until - _HIGH_RESOLUTION, until)
        counts = dict(points.get("count", ()))
        # CloudWatch aligns periods to the clock: three hours may lie in two of them.
        fullest = max(counts, key=lambda moment: counts[moment], default=None)
        if fullest is None or counts[fullest] < _ENOUGH:
            return ()
        return tuple(dict(points[quantile])[fullest] for quantile in _QUANTILES)

    def publish(self, endpoint: str, version: str, proof: float, at: datetime) -> None:
        """See the port. One call."""
        with translated(f"publishing the evidence on {endpoint!r}"):
            self._cloudwatch.put_metric_data(
                Namespace=NAMESPACE,
                MetricData=[
                    {
                        "MetricName": PROOF,
                        "Dimensions": dimensions(endpoint, version),
                        "Timestamp": at,
                        "Value": proof,
                        "StorageResolution": 1,
                    }
                ],
            )

    def _read(
        self,
        endpoint: str,
        queries: Sequence[MetricDataQueryTypeDef],
        since: datetime,
        until: datetime,
    ) -> Points:
        return read(
            self._cloudwatch, queries, since=since, until=until, what="metrics", endpoint=endpoint
        )


def _count(value: float) -> int:
    """A count as CloudWatch gives it, as a float; ``NO_COUNT`` where that is no whole number."""
    whole = math.isfinite(value) and value >= 0 and abs(value - round(value)) < 1e-6
    return round(value) if whole else NO_COUNT


def _sum(counts: Mapping[str, int], field: str) -> int:
    """A count with those that came later; none of them may be no count."""
    parts = (counts[field], counts.get(f"{field}later", 0))
    return NO_COUNT if NO_COUNT in parts else sum(parts)


def _arm(counts: Mapping[str, int], limits: int) -> Arm:
    counts = {field: _sum(counts, field) for field in counts}
    over = tuple(counts.get(f"over{i}", 0) for i in range(limits))
    return Arm(**{field: counts.get(field, 0) for field in _FIELDS}, over=over)


COHORT = "keys"
"""The cohort of metrics that count keys."""
_MOST_DATA = 500  # AWS takes 1,000 of them, and 1 MB


class CloudWatchKeyMetrics:
    """Port ``KeyMetrics`` on CloudWatch."""

    def __init__(self, client: CloudWatchClient) -> None:
        self._cloudwatch = client

    def publish_keys(
        self, endpoint: str, counts: Mapping[Observation, Mapping[float, int]]
    ) -> None:
        """See the port. One call for each 500 metrics and buckets."""
        data: list[Any] = [
            {
                "MetricName": where.metric,
                "Dimensions": [
                    {"Name": "Endpoint", "Value": endpoint},
                    {"Name": "Version", "Value": where.version},
                    {"Name": "Cohort", "Value": COHORT},
                ],
                "Timestamp": where.bucket,
                "Values": [*values],
                "Counts": [float(count) for count in values.values()],
                "Unit": "Count",
                "StorageResolution": 1,
            }
            for where, values in counts.items()
        ]
        with translated(f"publishing the keys of {endpoint!r}"):
            for start in range(0, len(data), _MOST_DATA):
                self._cloudwatch.put_metric_data(
                    Namespace=NAMESPACE, MetricData=data[start : start + _MOST_DATA]
                )
