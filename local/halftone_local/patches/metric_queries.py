"""GetMetricData and GetMetricStatistics as CloudWatch answers them.

AWS: each combination of dimensions is a metric of its own, and a query without dimensions means the
metric that was published without any; GetMetricData lists the newest datapoint first unless ScanBy
says otherwise, and labels a result by its metric; a start time is rounded down to the period where
that is below a minute, else to the minute; an unknown statistic is refused; TC and PR count values
in a range. The API reference of GetMetricData and GetMetricStatistics,
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html

Replaced for the protocols that boto3 and the CLI speak (CBOR and JSON). Metric math stays
unsupported, and says so as before, in ministack's own answer.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import cloudwatch

from halftone_local import metric_store
from halftone_local.metric_statistics import Sample, statistic
from halftone_local.seams import need, wrap

Handler = Callable[..., Any]
SUB_MINUTE_PERIODS = (1, 5, 10, 20, 30)


def apply() -> None:
    wrap(cloudwatch, "_get_metric_data", _refusing(_metric_data))
    wrap(cloudwatch, "_get_metric_statistics", _refusing(_metric_statistics))


def _refusing(answer: Callable[[Mapping[str, Any], bool], Any]) -> Callable[[Handler], Handler]:
    """Answer with ``answer``, and with a 400 where it raises ValueError."""

    def wrapper(original: Handler) -> Handler:
        def handle(
            params: Mapping[str, Any],
            data: Mapping[str, Any],
            is_cbor: bool,
            is_json: bool = False,
        ) -> Any:
            math = any(query.get("Expression") for query in data.get("MetricDataQueries", []))
            if math or not (is_cbor or is_json):
                return original(params, data, is_cbor, is_json)
            try:
                return answer(data, is_cbor)
            except ValueError as error:
                refuse = need(cloudwatch, "_error")
                return refuse("ValidationError", str(error), 400, is_json, is_cbor)

        return handle

    return wrapper


def _metric_data(data: Mapping[str, Any], is_cbor: bool) -> Any:
    start, end = _span(data)
    results = [
        _result(query, start, end, newest_first=data.get("ScanBy") != "TimestampAscending")
        for query in data["MetricDataQueries"]
        if query.get("ReturnData", True)
    ]
    if is_cbor:
        encode = need(cloudwatch, "_cbor_metric_data_result")
        return need(cloudwatch, "_cbor_ok")({"MetricDataResults": [encode(r) for r in results]})
    return need(cloudwatch, "_json_ok")({"MetricDataResults": results})


def _result(
    query: Mapping[str, Any], start: float, end: float, *, newest_first: bool
) -> dict[str, Any]:
    stat = query["MetricStat"]
    metric, name = stat["Metric"], stat["Stat"]
    buckets = _buckets(metric, int(stat["Period"]), start, end, stat.get("Unit"))
    values = [(time, statistic(name, buckets[time])) for time in sorted(buckets)]
    points = [(time, value) for time, value in values if value is not None]
    if newest_first:
        points.reverse()
    if not points:
        statistic(name, [])  # refuses an unknown statistic even where there is no data
    return {
        "Id": query["Id"],
        "Label": query.get("Label", metric["MetricName"]),
        "Timestamps": [time for time, _ in points],
        "Values": [value for _, value in points],
        "StatusCode": "Complete",
    }


def _metric_statistics(data: Mapping[str, Any], is_cbor: bool) -> Any:
    start, end = _span(data)
    buckets = _buckets(data, int(data["Period"]), start, end, data.get("Unit"))
    plain, extended = data.get("Statistics", []), data.get("ExtendedStatistics", [])
    if not plain and not extended:
        raise ValueError("Must specify either Statistics or ExtendedStatistics")
    datapoints = []
    for time in sorted(buckets):
        point: dict[str, Any] = {"Timestamp": time, "Unit": data.get("Unit", "None")}
        point |= {name: statistic(name, buckets[time]) for name in plain}
        more = {name: statistic(name, buckets[time]) for name in extended}
        if more:
            point["ExtendedStatistics"] = more
        datapoints.append(point)
    label = data["MetricName"]
    if is_cbor:
        encode = need(cloudwatch, "_cbor_datapoint")
        body = {"Datapoints": [encode(point) for point in datapoints], "Label": label}
        return need(cloudwatch, "_cbor_ok")(body)
    return need(cloudwatch, "_json_ok")({"Datapoints": datapoints, "Label": label})


def _span(data: Mapping[str, Any]) -> tuple[float, float]:
    parse = need(cloudwatch, "_parse_ts")
    start, end = parse(data["StartTime"]), parse(data["EndTime"])
    if start >= end:
        raise ValueError("The parameter StartTime must be less than the parameter EndTime.")
    return start, end


def _buckets(
    metric: Mapping[str, Any], period: int, start: float, end: float, unit: str | None
) -> dict[int, list[Sample]]:
    """Samples by the start of their period, in seconds since 1970."""
    if period not in SUB_MINUTE_PERIODS and (period < 60 or period % 60):
        raise ValueError(f"Period {period} is not 1, 5, 10, 20, 30 or a multiple of 60")
    rounded = start // min(period, 60) * min(period, 60)
    samples = metric_store.read(
        metric["Namespace"],
        metric["MetricName"],
        metric.get("Dimensions", []),
        start=rounded,
        end=end,
        unit=unit,
    )
    buckets: dict[int, list[Sample]] = defaultdict(list)
    for sample in samples:
        buckets[int(sample.time // period) * period].append(sample)
    return buckets
