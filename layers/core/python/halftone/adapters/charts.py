"""Figures over time from CloudWatch, as the model servers' metric lines made them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC
from typing import TYPE_CHECKING

from halftone.adapters.aws import translated
from halftone.domain.charts import Counted, Window
from halftone.domain.errors import Unavailable
from halftone.domain.names import NAMESPACE

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef

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
            _query(f"v{i}_{field}", (endpoint, version), what, window)
            for i, version in enumerate(versions)
            for field, what in _FIELDS.items()
        ]
        found: dict[str, dict[int, float]] = {}
        for first in range(0, len(queries), _MOST_QUERIES):
            found |= self._read(endpoint, queries[first : first + _MOST_QUERIES], window)
        return tuple(
            Counted(
                **{
                    field: tuple(found[f"v{i}_{field}"].get(n) for n in range(window.count))
                    for field in _FIELDS
                }
            )
            for i in range(len(versions))
        )

    def _read(
        self, endpoint: str, queries: Sequence[MetricDataQueryTypeDef], window: Window
    ) -> dict[str, dict[int, float]]:
        """The values of each query by the number of their period."""
        pages = self._cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries,
            StartTime=window.start,
            EndTime=window.end,
            ScanBy="TimestampAscending",
        )
        found: dict[str, dict[int, float]] = defaultdict(dict)
        complete: dict[str, str] = {}
        with translated(f"reading the figures of {endpoint!r}"):
            for page in pages:
                for result in page["MetricDataResults"]:
                    complete[result["Id"]] = result["StatusCode"]
                    for moment, value in zip(result["Timestamps"], result["Values"], strict=True):
                        period = (moment.astimezone(UTC) - window.start) // window.period
                        found[result["Id"]][period] = value
        for query in queries:
            status = complete.get(query["Id"], "no answer")
            if status != "Complete":
                raise Unavailable(f"CloudWatch gave {status} for {query['Id']} of {endpoint!r}")
        return {query["Id"]: found[query["Id"]] for query in queries}


def _query(
    name: str, whose: tuple[str, str], what: tuple[str, str], window: Window
) -> MetricDataQueryTypeDef:
    (endpoint, version), (metric, statistic) = whose, what
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {
                "Namespace": NAMESPACE,
                "MetricName": metric,
                "Dimensions": [
                    {"Name": "Endpoint", "Value": endpoint},
                    {"Name": "Version", "Value": version},
                ],
            },
            "Period": int(window.period.total_seconds()),
            "Stat": statistic,
        },
    }
