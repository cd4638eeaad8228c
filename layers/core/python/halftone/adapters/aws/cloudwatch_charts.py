"""Figures over time from CloudWatch, as the model servers' metric lines made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from halftone.adapters.aws.cloudwatch_data import Points, query, read
from halftone.domain.insight.charts import Counted, Window
from halftone.ports.observability import Answered

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
_MOST_ANSWERED = 250
"""Versions of two queries each."""


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

    def answered(
        self, versions: Sequence[tuple[str, str]], *, since: datetime, until: datetime
    ) -> Mapping[tuple[str, str], Answered]:
        """See the port. One call for 250 versions: GetMetricData."""
        sums: dict[tuple[str, str], Answered] = {}
        for first in range(0, len(versions), _MOST_ANSWERED):
            asked = versions[first : first + _MOST_ANSWERED]
            queries = [
                query(f"{name}{i}", endpoint, version, metric, "Sum", period=until - since)
                for i, (endpoint, version) in enumerate(asked)
                for name, metric in (("r", "Requests"), ("e", "Errors"))
            ]
            points = read(
                self._cloudwatch, queries, since=since, until=until, what="rates", endpoint="stage"
            )
            for i, key in enumerate(asked):
                requests, errors = (
                    round(sum(value for _, value in points.get(f"{name}{i}", ()))) for name in "re"
                )
                if requests:
                    sums[key] = Answered(requests, errors)
        return sums
