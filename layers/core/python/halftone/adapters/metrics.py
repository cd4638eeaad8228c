"""What the versions did, from the high-resolution metrics that the model server emits.

``Errors`` and ``Late`` are 0 or 1 for each request, so that their sum counts events and their
sample count the requests they are counted of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from halftone.adapters.aws import translated
from halftone.domain.evidence import BUCKET, Arm, Bucket
from halftone.domain.names import NAMESPACE

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef


_FIELDS = {
    "requests": ("Errors", "SampleCount"),
    "errors": ("Errors", "Sum"),
    "timed": ("Late", "SampleCount"),
    "late": ("Late", "Sum"),
}


class CloudWatchMetrics:
    """Port ``Metrics`` on CloudWatch. Ten-second buckets can be read for three hours."""

    def __init__(self, client: CloudWatchClient) -> None:
        self._cloudwatch = client

    def buckets(
        self, endpoint: str, *, challenger: str, champion: str, since: datetime, until: datetime
    ) -> Sequence[Bucket]:
        """See the port. One call for each 100,000 values."""
        if until <= since:
            return ()
        arms = {"challenger": challenger, "champion": champion}
        queries = [
            _query(endpoint, arm, version, field)
            for arm, version in arms.items()
            for field in _FIELDS
        ]
        counts: dict[datetime, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
        pages = self._cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries, StartTime=since, EndTime=until, ScanBy="TimestampAscending"
        )
        with translated(f"reading the metrics of {endpoint!r}"):
            for page in pages:
                for result in page["MetricDataResults"]:
                    arm, field = result["Id"].split("_")
                    for moment, value in zip(result["Timestamps"], result["Values"], strict=True):
                        counts[moment.astimezone(UTC)][arm][field] = round(value)
        return tuple(
            Bucket(start, Arm(**counts[start]["challenger"]), Arm(**counts[start]["champion"]))
            for start in sorted(counts)
            if since <= start < until
        )


def _query(endpoint: str, arm: str, version: str, field: str) -> MetricDataQueryTypeDef:
    metric, statistic = _FIELDS[field]
    return {
        "Id": f"{arm}_{field}",
        "MetricStat": {
            "Metric": {
                "Namespace": NAMESPACE,
                "MetricName": metric,
                "Dimensions": [
                    {"Name": "Endpoint", "Value": endpoint},
                    {"Name": "Version", "Value": version},
                ],
            },
            "Period": int(BUCKET.total_seconds()),
            "Stat": statistic,
        },
    }
