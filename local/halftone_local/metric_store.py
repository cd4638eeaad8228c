"""Reads and writes the metrics that ministack keeps: the one place that knows their form.

ministack's store maps (namespace, name, dimensions as text) to a list of points, per account and
region of the current request. Writing floors a time to the metric's storage resolution, as
CloudWatch does; reading gives ``Sample``s.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ministack.services import cloudwatch

from halftone_local.metric_statistics import Sample
from halftone_local.seams import need

Point = Mapping[str, Any]


def write(
    namespace: str,
    name: str,
    dimensions: Mapping[str, str],
    *,
    unit: str,
    time: float,
    values: Sequence[float],
    resolution: int = 60,
) -> None:
    """Add values to a metric of the current account and region."""
    store = need(cloudwatch, "_store_datum")
    floored = time // resolution * resolution
    store(namespace, name, dict(dimensions), floored, unit, None, list(values), None, None)


def read(
    namespace: str,
    name: str,
    dimensions: Sequence[Mapping[str, str]],
    *,
    start: float,
    end: float,
    unit: str | None = None,
) -> list[Sample]:
    """The samples of exactly this metric with start <= time < end, in any order.

    Dimensions are part of a metric's name: none means the metric published without any.
    ``dimensions`` has the form of the API, a list of Name and Value.
    """
    named = {pair["Name"]: pair["Value"] for pair in dimensions}
    key = (namespace, name, need(cloudwatch, "_dims_key")(named))
    points: Sequence[Point] = need(cloudwatch, "_metrics").get(key, ())
    return [
        _sample(point)
        for point in list(points)
        if start <= point["Timestamp"] < end and unit in {None, point["Unit"]}
    ]


def _sample(point: Point) -> Sample:
    time: float = point["Timestamp"]
    published = point.get("_stat")
    if published is None:
        return Sample.of(time, float(point["Value"]), float(point.get("Count", 1)))
    return Sample(
        time,
        float(published["SampleCount"]),
        float(published["Sum"]),
        float(published["Minimum"]),
        float(published["Maximum"]),
    )
