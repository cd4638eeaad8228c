"""Figures over time in memory and on CloudWatch: the same counts in the same periods.

moto knows sums and sample counts; percentiles, pages and partial answers are CloudWatch's own, and
given to the adapter in its words.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ReadTimeoutError

from halftone.adapters.aws.cloudwatch_charts import CloudWatchCharts
from halftone.domain.errors import Unavailable
from halftone.domain.insight.charts import Window
from halftone.testing import MemoryCharts

MINUTE = timedelta(minutes=1)
# CloudWatch takes no metrics of the distant past.
START = datetime.now(UTC).replace(second=0, microsecond=0) - 10 * MINUTE
THREE = Window(START, MINUTE, 3)
UNCOUNTED = (None, None, None)


@pytest.fixture(params=["in memory", "on CloudWatch"])
def charts(request):
    """The port, and what counts one request of the endpoint ``fraud``."""
    if request.param == "in memory":
        memory = MemoryCharts()
        return memory, lambda version, at, **figures: memory.count("fraud", version, at, **figures)
    client = request.getfixturevalue("aws")("cloudwatch")

    def count(version, at, **figures):
        client.put_metric_data(
            Namespace="Halftone",
            MetricData=[
                {
                    "MetricName": name,
                    "Dimensions": [
                        {"Name": "Endpoint", "Value": "fraud"},
                        {"Name": "Version", "Value": version},
                    ],
                    "Timestamp": at,
                    "Value": value,
                    "StorageResolution": 1,
                }
                for name, value in figures.items()
            ],
        )

    return CloudWatchCharts(client), count


def test_requests_are_counted_in_the_period_of_their_answer(charts):
    port, count = charts
    for second, wrong in ((0, 0), (59, 1), (60, 0)):
        at = START + timedelta(seconds=second)
        count("2", at, Requests=1, Errors=wrong, ClientErrors=1 - wrong)
    count("2", START - timedelta(seconds=1), Requests=1, Errors=1)
    count("2", START + 3 * MINUTE, Requests=1, Errors=1)
    (figure,) = port.counted("fraud", ["2"], THREE)
    assert figure.requests == (2, 1, None)
    assert figure.server_errors == (1, 0, None)
    assert figure.client_errors == (1, 1, None)


def test_versions_and_endpoints_are_told_apart(charts):
    port, count = charts
    count("1", START, Requests=1)
    count("3", START + MINUTE, Requests=1)
    one, two, three = port.counted("fraud", ["1", "2", "3"], THREE)
    assert (one.requests, three.requests) == ((1, None, None), (None, 1, None))
    assert set(vars(two).values()) == {UNCOUNTED}
    (spam,) = port.counted("spam", ["1"], THREE)
    assert spam.requests == UNCOUNTED


def test_a_period_without_rewards_is_not_one_of_reward_0(charts):
    port, count = charts
    count("2", START, Reward=0.0)
    count("2", START, Reward=0.5)
    (figure,) = port.counted("fraud", ["2"], THREE)
    assert figure.judged == (2, None, None)
    assert figure.reward == (0.5, None, None)


def test_no_version_is_no_call(charts):
    assert list(charts[0].counted("fraud", [], THREE)) == []


FIELDS = (
    "requests", "server_errors", "client_errors",
    "latency_p50", "latency_p90", "latency_p99", "judged", "reward",
)  # fmt: skip


def answered(statuses=None, **points):
    """An answer of GetMetricData for version 0: values by field and number of the period."""
    return {
        "MetricDataResults": [
            {
                "Id": f"v0_{name}",
                "StatusCode": (statuses or {}).get(name, "Complete"),
                "Timestamps": [START + n * MINUTE for n in points.get(name, {})],
                "Values": list(points.get(name, {}).values()),
            }
            for name in FIELDS
        ]
    }


def test_percentiles_are_asked_for_and_put_into_their_periods(stubbed):
    client, stubber = stubbed("cloudwatch")
    requests = []
    client.meta.events.register(
        "provide-client-params.cloudwatch.GetMetricData",
        lambda params, **_: requests.append(params),
    )
    stubber.add_response(
        "get_metric_data", answered(latency_p50={0: 12.5, 2: 14.0}, latency_p99={2: 80.0})
    )
    (figure,) = CloudWatchCharts(client).counted("fraud", ["7"], THREE)
    assert figure.latency_p50 == (12.5, None, 14.0)
    assert figure.latency_p99 == (None, None, 80.0)
    (request,) = requests
    stats = {q["Id"]: q["MetricStat"]["Stat"] for q in request["MetricDataQueries"]}
    assert [stats[f"v0_latency_{p}"] for p in ("p50", "p90", "p99")] == ["p50", "p90", "p99"]
    assert {q["MetricStat"]["Period"] for q in request["MetricDataQueries"]} == {60}
    assert (request["StartTime"], request["EndTime"]) == (START, START + 3 * MINUTE)


def test_pages_are_put_together(stubbed):
    client, stubber = stubbed("cloudwatch")
    first = answered(dict.fromkeys(FIELDS, "PartialData"), requests={0: 5.0})
    stubber.add_response("get_metric_data", {**first, "NextToken": "more"})
    stubber.add_response("get_metric_data", answered(requests={1: 7.0}))
    (figure,) = CloudWatchCharts(client).counted("fraud", ["7"], THREE)
    assert figure.requests == (5.0, 7.0, None)


@pytest.mark.parametrize("status", ["PartialData", "InternalError", "Forbidden"])
def test_half_a_chart_is_none(stubbed, status):
    client, stubber = stubbed("cloudwatch")
    stubber.add_response("get_metric_data", answered({"server_errors": status}, requests={0: 5.0}))
    with pytest.raises(Unavailable, match=f"{status} for v0_server_errors"):
        CloudWatchCharts(client).counted("fraud", ["7"], THREE)


def test_more_versions_than_a_call_takes_are_asked_for_in_parts(stubbed):
    client, stubber = stubbed("cloudwatch")
    sizes = []

    def answer(params, **_):
        sizes.append(len(params["MetricDataQueries"]))
        results = [
            {"Id": q["Id"], "StatusCode": "Complete", "Timestamps": [], "Values": []}
            for q in params["MetricDataQueries"]
        ]
        stubber.add_response("get_metric_data", {"MetricDataResults": results})

    client.meta.events.register("provide-client-params.cloudwatch.GetMetricData", answer)
    many = [str(number) for number in range(70)]
    assert len(CloudWatchCharts(client).counted("fraud", many, replace(THREE, count=1))) == 70
    assert sizes == [496, 64]


@pytest.mark.parametrize("code", ["Throttling", "InternalServiceFault"])
def test_a_cloudwatch_that_is_throttled_or_out_is_unavailable(stubbed, code):
    client, stubber = stubbed("cloudwatch")
    stubber.add_client_error("get_metric_data", code)
    with pytest.raises(Unavailable, match=code):
        CloudWatchCharts(client).counted("fraud", ["7"], THREE)


def test_a_cloudwatch_that_does_not_answer_is_unavailable(failing):
    error = ReadTimeoutError(endpoint_url="https://monitoring.eu-central-1.amazonaws.com")
    with pytest.raises(Unavailable, match="did not answer while reading the figures of 'fraud'"):
        CloudWatchCharts(failing("cloudwatch", error)).counted("fraud", ["7"], THREE)
