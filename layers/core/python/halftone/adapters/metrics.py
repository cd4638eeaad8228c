"""What the versions did, from the high-resolution metrics that the model server emits.

``Errors`` and ``Late`` are 0 or 1 for each request, so that their sum counts events and their
sample count the requests they are counted of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from halftone.adapters.aws import translated
from halftone.domain.errors import Unavailable
from halftone.domain.evidence import BUCKET, Arm, Bucket
from halftone.domain.names import NAMESPACE, PROOF

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import DimensionTypeDef, MetricDataQueryTypeDef


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
    ) -> Sequence[Bucket]:
        """See the port. One call for each 100,000 values."""
        if until <= since:
            return ()
        fields = dict(_FIELDS)
        fields |= {f"over{i}": ("Latency", f"TC({limit:g}:)") for i, limit in enumerate(limits)}
        arms = {"challenger": (challenger, cohorts[0]), "champion": (champion, cohorts[1])}
        queries = [
            _query(f"{arm}_{field}", endpoint, version, metric, statistic, cohort=cohort)
            for arm, (version, cohort) in arms.items()
            for field, (metric, statistic) in fields.items()
        ]
        counts: dict[datetime, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
        for name, points in self._read(endpoint, queries, since, until).items():
            arm, field = name.split("_")
            for moment, value in points:
                counts[moment][arm][field] = round(value)
        return tuple(
            Bucket(
                start,
                _arm(counts[start]["challenger"], len(limits)),
                _arm(counts[start]["champion"], len(limits)),
            )
            for start in sorted(counts)
            if since <= start < until
        )

    def quantiles(self, endpoint: str, version: str, *, until: datetime) -> Sequence[float]:
        """See the port. One call."""
        period = int(_HIGH_RESOLUTION.total_seconds())
        queries = [
            _query(name, endpoint, version, "Latency", statistic, period=period)
            for name, statistic in (("count", "SampleCount"), *((q, q) for q in _QUANTILES))
        ]
        found = self._read(endpoint, queries, until - _HIGH_RESOLUTION, until)
        counts = dict(found.get("count", ()))
        # CloudWatch aligns periods to the clock: three hours may lie in two of them.
        fullest = max(counts, key=lambda moment: counts[moment], default=None)
        if fullest is None or counts[fullest] < _ENOUGH:
            return ()
        return tuple(dict(found[quantile])[fullest] for quantile in _QUANTILES)

    def publish(self, endpoint: str, version: str, proof: float, at: datetime) -> None:
        """See the port. One call."""
        with translated(f"publishing the evidence on {endpoint!r}"):
            self._cloudwatch.put_metric_data(
                Namespace=NAMESPACE,
                MetricData=[
                    {
                        "MetricName": PROOF,
                        "Dimensions": _dimensions(endpoint, version),
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
    ) -> dict[str, list[tuple[datetime, float]]]:
        """The points of each query, oldest first.

        Raises:
            Unavailable: if any query was not answered in full.
        """
        pages = self._cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries, StartTime=since, EndTime=until, ScanBy="TimestampAscending"
        )
        found: dict[str, list[tuple[datetime, float]]] = defaultdict(list)
        complete: dict[str, str] = {}
        with translated(f"reading the metrics of {endpoint!r}"):
            for page in pages:
                for result in page["MetricDataResults"]:
                    moments = [moment.astimezone(UTC) for moment in result["Timestamps"]]
                    found[result["Id"]] += zip(moments, result["Values"], strict=True)
                    complete[result["Id"]] = result["StatusCode"]
        # A call may succeed while one of its queries does not. Requests without their errors would
        # pass for healthy ones.
        for query in queries:
            status = complete.get(query["Id"], "no answer")
            if status != "Complete":
                raise Unavailable(f"CloudWatch gave {status} for {query['Id']} of {endpoint!r}")
        return found


def _arm(counts: Mapping[str, int], limits: int) -> Arm:
    over = tuple(counts.get(f"over{i}", 0) for i in range(limits))
    return Arm(**{field: counts.get(field, 0) for field in _FIELDS}, over=over)


def _dimensions(endpoint: str, version: str, cohort: str = "") -> list[DimensionTypeDef]:
    given = {"Endpoint": endpoint, "Version": version} | ({"Cohort": cohort} if cohort else {})
    return [{"Name": name, "Value": value} for name, value in given.items()]


def _query(
    name: str,
    endpoint: str,
    version: str,
    metric: str,
    statistic: str,
    *,
    period: int = int(BUCKET.total_seconds()),
    cohort: str = "",
) -> MetricDataQueryTypeDef:
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {
                "Namespace": NAMESPACE,
                "MetricName": metric,
                "Dimensions": _dimensions(endpoint, version, cohort),
            },
            "Period": period,
            "Stat": statistic,
        },
    }
