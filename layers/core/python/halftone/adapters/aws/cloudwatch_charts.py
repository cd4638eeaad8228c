"""Figures over time from CloudWatch, as the model servers' metric lines made them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from halftone.adapters.aws.cloudwatch_data import Points, query, read
from halftone.domain.insight.charts import Counted, Window

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

_FIELDS = {
    "requests": ("Requests", "Sum"),
    "server_errors": ("Errors", "Sum"),
    "client_errors": ("ClientErrors", "Sum"),
    "latency_p50": ("Latency", "p50"),
    "latency_p90": ("Latency", "p90"),
    "latency_p99": ("Latency", "p99"),
    "judged": ("Reward", "SampleCount"),
    "reward": ("Reward", "Sum"),
}
_MOST_QUERIES = 496
"""GetMetricData takes 500; these are whole versions."""


class CloudWatchCharts:
    """Port ``Charts`` on CloudWatch."""

    def __init__(self, client: CloudWatchClient) -> None:
        self._cloudwatch = client

    def counted(self, endpoint: str, versions: Sequence[str], window: Window) -> Sequence[Counted]:
        """See the port. One call for each 62 versions or 100,000 values."""
        queries = [
            query(f"v{i}_{field}", endpoint, version, metric, statistic, period=window.period)
            for i, version in enumerate(versions)
            for field, (metric, statistic) in _FIELDS.items()
        ]
        by_version: Points = {}
        for first in range(0, len(queries), _MOST_QUERIES):
            by_version |= read(
                self._cloudwatch,
                queries[first : first + _MOST_QUERIES],
                since=window.start,
                until=window.end,
                what="figures",
                endpoint=endpoint,
            )
        values = {
            name: {(moment - window.start) // window.period: value for moment, value in points}
            for name, points in by_version.items()
        }

        def series(name: str) -> tuple[float | None, ...]:
            return tuple(values.get(name, {}).get(n) for n in range(window.count))

        return tuple(
            Counted(**{field: series(f"v{i}_{field}") for field in _FIELDS})
            for i in range(len(versions))
        )
