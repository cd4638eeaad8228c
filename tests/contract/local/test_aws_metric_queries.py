"""Reading metrics: the API reference of PutMetricData, GetMetricData and GetMetricStatistics."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

DIMENSIONS = [{"Name": "endpoint", "Value": "fraud"}]
# Any full minute that lies a little back.
START = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=5)


@pytest.fixture
def namespace(client, unique):
    """A high-resolution metric with the values 1 to 12, five seconds apart, from START on."""
    name = unique("Metrics")
    client("cloudwatch").put_metric_data(
        Namespace=name,
        MetricData=[
            {
                "MetricName": "Latency",
                "Dimensions": DIMENSIONS,
                "Timestamp": START + timedelta(seconds=5 * step, milliseconds=700),
                "Value": step + 1,
                "Unit": "Milliseconds",
                "StorageResolution": 1,
            }
            for step in range(12)
        ],
    )
    return name


def query(namespace, stat, *, period=10, dimensions=DIMENSIONS, id_="q", **more):
    metric = {"Namespace": namespace, "MetricName": "Latency", "Dimensions": dimensions}
    return {"Id": id_, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}, **more}


@pytest.fixture
def read(client):
    def get(*queries, **options):
        window = {"StartTime": START, "EndTime": START + timedelta(minutes=1)}
        answer = client("cloudwatch").get_metric_data(
            MetricDataQueries=list(queries), **(window | options)
        )
        return {result["Id"]: result for result in answer["MetricDataResults"]}

    return get


def test_periods_start_at_even_tens_and_come_newest_first(namespace, read):
    result = read(query(namespace, "Sum"))["q"]
    starts = [START + timedelta(seconds=10 * step) for step in range(6)]
    assert result["Timestamps"] == starts[::-1]
    assert result["Values"] == [23, 19, 15, 11, 7, 3]
    assert result["Label"] == "Latency"
    assert result["StatusCode"] == "Complete"


def test_several_queries_in_one_call_each_get_their_statistic(namespace, read):
    stats = ["Average", "SampleCount", "Minimum", "Maximum", "p50", "p90", "TC(3:6)", "PR(:6)"]
    queries = [query(namespace, stat, period=60, id_=f"q{n}") for n, stat in enumerate(stats)]
    answers = read(*queries)
    values = [answers[f"q{n}"]["Values"][0] for n in range(len(stats))]
    assert values == pytest.approx([6.5, 12, 1, 12, 6.5, 10.9, 3, 50])


def test_a_start_inside_a_period_is_rounded_down(namespace, read):
    result = read(
        query(namespace, "Sum"),
        ScanBy="TimestampAscending",
        StartTime=START + timedelta(seconds=27),
    )["q"]
    assert result["Timestamps"][0] == START + timedelta(seconds=20)
    assert result["Values"] == [11, 15, 19, 23]


def test_a_query_without_dimensions_means_the_metric_with_none(namespace, read):
    assert read(query(namespace, "Sum", dimensions=[]))["q"]["Values"] == []


def test_a_query_whose_data_is_not_returned_is_left_out(namespace, read):
    answers = read(query(namespace, "Sum", ReturnData=False), query(namespace, "Sum", id_="shown"))
    assert set(answers) == {"shown"}


def test_values_with_counts_weigh_as_often_as_they_were_seen(client, unique, read):
    namespace = unique("Counts")
    client("cloudwatch").put_metric_data(
        Namespace=namespace,
        MetricData=[
            {
                "MetricName": "Latency",
                "Dimensions": DIMENSIONS,
                "Timestamp": START,
                "Values": [1.0, 100.0],
                "Counts": [99.0, 1.0],
                "StorageResolution": 1,
            }
        ],
    )
    answers = read(query(namespace, "SampleCount"), query(namespace, "p50", id_="median"))
    assert answers["q"]["Values"] == [100]
    assert answers["median"]["Values"] == [1]


def test_a_metric_of_standard_resolution_keeps_the_minute_only(client, unique, read):
    namespace = unique("Standard")
    client("cloudwatch").put_metric_data(
        Namespace=namespace,
        MetricData=[
            {
                "MetricName": "Latency",
                "Dimensions": DIMENSIONS,
                "Timestamp": START + timedelta(seconds=42),
                "Value": 1,
            }
        ],
    )
    assert read(query(namespace, "Sum"))["q"]["Timestamps"] == [START]


@pytest.mark.parametrize(("stat", "period"), [("p101", 60), ("Median", 60), ("Sum", 7)])
def test_an_unknown_statistic_or_period_is_refused(namespace, read, stat, period):
    with pytest.raises(ClientError) as refused:
        read(query(namespace, stat, period=period))
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    assert str(period if period == 7 else stat) in str(refused.value)


def test_metric_statistics_answer_alike(client, namespace):
    answer = client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName="Latency",
        Dimensions=DIMENSIONS,
        StartTime=START,
        EndTime=START + timedelta(minutes=1),
        Period=10,
        Statistics=["Sum", "SampleCount"],
    )
    points = sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])
    assert [point["Sum"] for point in points] == [3, 7, 11, 15, 19, 23]
    assert {point["SampleCount"] for point in points} == {2}
    percentile = client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName="Latency",
        Dimensions=DIMENSIONS,
        StartTime=START,
        EndTime=START + timedelta(minutes=1),
        Period=60,
        ExtendedStatistics=["p50"],
    )
    assert percentile["Datapoints"][0]["ExtendedStatistics"] == {"p50": 6.5}
