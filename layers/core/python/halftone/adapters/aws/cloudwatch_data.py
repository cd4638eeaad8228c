"""Reading what CloudWatch counted of an endpoint's versions: all that was asked for, or nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from halftone.adapters.aws.clients import translated
from halftone.domain.errors import Unavailable
from halftone.domain.names import NAMESPACE

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import DimensionTypeDef, MetricDataQueryTypeDef

Points = dict[str, list[tuple[datetime, float]]]
"""The points of each query by its id, oldest first, in UTC."""


def read(
    client: CloudWatchClient,
    queries: Sequence[MetricDataQueryTypeDef],
    *,
    since: datetime,
    until: datetime,
    what: str,
    endpoint: str,
) -> Points:
    """The points of ``queries``, every one of them, from ``since`` to ``until``.

    ``what`` completes "AWS did not answer while reading the ...". One call for each
    100,000 values; CloudWatch takes 500 queries at most.

    Raises:
        Unavailable: if any query was not answered in full.
    """
    pages = client.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, StartTime=since, EndTime=until, ScanBy="TimestampAscending"
    )
    points: Points = defaultdict(list)
    complete: dict[str, str] = {}
    with translated(f"reading the {what} of {endpoint!r}"):
        for page in pages:
            for result in page["MetricDataResults"]:
                moments = [moment.astimezone(UTC) for moment in result["Timestamps"]]
                points[result["Id"]] += zip(moments, result["Values"], strict=True)
                complete[result["Id"]] = result["StatusCode"]
    # A call may succeed while one of its queries does not. Requests without their errors would
    # pass for healthy ones.
    for query in queries:
        status = complete.get(query["Id"], "no answer")
        if status != "Complete":
            raise Unavailable(f"CloudWatch gave {status} for {query['Id']} of {endpoint!r}")
    return points


def query(
    name: str,
    endpoint: str,
    version: str,
    metric: str,
    statistic: str,
    *,
    period: timedelta,
    cohort: str = "",
) -> MetricDataQueryTypeDef:
    """The query called ``name`` for one statistic of one metric of a version."""
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {
                "Namespace": NAMESPACE,
                "MetricName": metric,
                "Dimensions": dimensions(endpoint, version, cohort),
            },
            "Period": int(period.total_seconds()),
            "Stat": statistic,
        },
    }


def dimensions(endpoint: str, version: str, cohort: str = "") -> list[DimensionTypeDef]:
    """What tells a version's metrics apart, and among them those of a cohort."""
    values = {"Endpoint": endpoint, "Version": version} | ({"Cohort": cohort} if cohort else {})
    return [{"Name": name, "Value": value} for name, value in values.items()]
