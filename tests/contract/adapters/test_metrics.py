"""Buckets as CloudWatch counts them: on moto what moto can count, else answers as CloudWatch's.

moto knows sums and sample counts, but neither percentiles nor trimmed counts.
"""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import boto3
import pytest

from halftone.adapters.aws.cloudwatch_metrics import CloudWatchMetrics
from halftone.domain.errors import Unavailable
from halftone.domain.rollout.evidence import BUCKET, Arm, Bucket, bucket_start
from tests.contract.adapters.conftest import REGION

# CloudWatch takes no metrics of the distant past.
START = bucket_start(datetime.now(UTC)) - timedelta(minutes=10)
ASKED = {"challenger": "2", "champion": "1"}


def dimensions(version, endpoint="fraud", cohort=""):
    fields = {"Endpoint": endpoint, "Version": version} | ({"Cohort": cohort} if cohort else {})
    return [{"Name": name, "Value": value} for name, value in fields.items()]


def emit(client, metric, version, values, at, *, endpoint="fraud", cohort=""):
    """What the model server emits of requests at that moment, one value each."""
    client.put_metric_data(
        Namespace="Halftone",
        MetricData=[
            {
                "MetricName": metric,
                "Dimensions": dimensions(version, endpoint, cohort),
                "Timestamp": at,
                "Value": value,
                "StorageResolution": 1,
            }
            for value in values
        ],
    )


@pytest.fixture
def cloudwatch(aws):
    return aws("cloudwatch")


def test_requests_are_counted_by_bucket_and_by_version(cloudwatch):
    last = START + BUCKET - timedelta(seconds=1)
    emit(cloudwatch, "Errors", "2", [0, 1, 0], START)
    emit(cloudwatch, "Errors", "2", [1], last)
    emit(cloudwatch, "Late", "2", [0, 1], last)
    emit(cloudwatch, "Bad", "2", [1, 1, 0], last)
    emit(cloudwatch, "Errors", "1", [0] * 7 + [1], START)
    emit(cloudwatch, "Errors", "1", [0, 0], START + 2 * BUCKET)
    buckets = CloudWatchMetrics(cloudwatch).buckets(
        "fraud", **ASKED, since=START, until=START + 3 * BUCKET
    )
    assert list(buckets) == [
        Bucket(
            START,
            challenger=Arm(requests=4, errors=2, timed=2, late=1, judged=3, bad=2),
            champion=Arm(requests=8, errors=1),
        ),
        Bucket(START + 2 * BUCKET, champion=Arm(requests=2)),
    ]


def test_what_others_did_before_and_after_is_left_out(cloudwatch):
    emit(cloudwatch, "Errors", "2", [1], START - timedelta(seconds=1))
    emit(cloudwatch, "Errors", "2", [0], START)
    emit(cloudwatch, "Errors", "2", [1], START + BUCKET)
    emit(cloudwatch, "Errors", "3", [1], START)
    emit(cloudwatch, "Errors", "2", [1], START, endpoint="spam")
    buckets = CloudWatchMetrics(cloudwatch).buckets(
        "fraud", **ASKED, since=START, until=START + BUCKET
    )
    assert list(buckets) == [Bucket(START, challenger=Arm(requests=1))]


def test_each_arm_is_counted_in_its_cohort(cloudwatch):
    emit(cloudwatch, "Errors", "2", [1, 1], START)
    emit(cloudwatch, "Errors", "2", [0, 1, 0], START, cohort="mirror")
    emit(cloudwatch, "Changed", "2", [0, 1, 1], START, cohort="mirror")
    emit(cloudwatch, "Errors", "1", [0] * 9, START)
    emit(cloudwatch, "Errors", "1", [0] * 4, START, cohort="trial")
    metrics, span = CloudWatchMetrics(cloudwatch), {"since": START, "until": START + BUCKET}
    [bucket] = metrics.buckets("fraud", **ASKED, **span, cohorts=("mirror", "trial"))
    assert bucket.challenger == Arm(requests=3, errors=1, paired=3, changed=2)
    assert bucket.champion == Arm(requests=4)


def test_totals_are_what_each_version_answered_clients(cloudwatch):
    minute = START.replace(second=0)
    emit(cloudwatch, "Errors", "2", [1, 0, 0, 0, 0], minute)
    emit(cloudwatch, "Errors", "2", [0, 0], minute, cohort="mirror")  # scored, and in the above
    emit(cloudwatch, "Late", "2", [1, 0], minute + timedelta(minutes=1))
    emit(cloudwatch, "Errors", "1", [0] * 3, minute + timedelta(seconds=119))
    emit(cloudwatch, "Errors", "1", [0] * 4, minute + timedelta(minutes=2))  # after it
    emit(cloudwatch, "Errors", "1", [0] * 4, minute - timedelta(seconds=1))  # before it
    totals = CloudWatchMetrics(cloudwatch).totals(
        "fraud", ["1", "2", "7"], since=minute, until=minute + timedelta(minutes=2)
    )
    assert totals == {
        "1": Arm(requests=3),
        "2": Arm(requests=3, errors=1, timed=2, late=1),
        "7": Arm(),
    }


def test_the_totals_of_many_versions_take_few_calls():
    calls = []

    def paginate(**asked):
        calls.append(len(asked["MetricDataQueries"]))
        results = [
            {"Id": each["Id"], "StatusCode": "Complete", "Timestamps": [], "Values": []}
            for each in asked["MetricDataQueries"]
        ]
        return [{"MetricDataResults": results}]

    client = SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=paginate))
    versions = [str(number) for number in range(100)]
    totals = CloudWatchMetrics(client).totals(
        "fraud", versions, since=START, until=START + timedelta(hours=1)
    )
    assert (list(totals), max(calls), len(calls)) == (versions, 496, 2)


def test_feedback_is_counted_in_a_cohort_of_its_own(cloudwatch):
    emit(cloudwatch, "Errors", "2", [1, 1], START)
    emit(cloudwatch, "Bad", "2", [1, 1, 1], START)  # on requests that nobody drew, or long ago
    emit(cloudwatch, "Bad", "2", [0, 1], START, cohort="feedback-1")
    emit(cloudwatch, "Bad", "2", [1], START, cohort="feedback-0")
    metrics, span = CloudWatchMetrics(cloudwatch), {"since": START, "until": START + BUCKET}
    [bucket] = metrics.buckets("fraud", **ASKED, **span, feedback="feedback-1")
    assert bucket.challenger == Arm(requests=2, errors=2, judged=2, bad=1)


def test_a_key_that_fails_later_is_a_failure_more_and_no_key(cloudwatch):
    emit(cloudwatch, "Errors", "2", [0, 1, 0], START, cohort="keys")
    emit(cloudwatch, "ErrorsLater", "2", [1], START, cohort="keys")
    emit(cloudwatch, "Late", "2", [0, 0], START, cohort="keys")
    emit(cloudwatch, "LateLater", "2", [1, 1], START, cohort="keys")
    metrics, span = CloudWatchMetrics(cloudwatch), {"since": START, "until": START + BUCKET}
    [bucket] = metrics.buckets("fraud", **ASKED, **span, cohorts=("keys", "keys"))
    assert bucket.challenger == Arm(requests=3, errors=2, timed=2, late=2)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 0.5])
@pytest.mark.parametrize("statistic", ["Sum", "SampleCount"])
def test_what_is_no_count_is_told_as_such_and_raises_nothing(value, statistic):
    counts = {
        ("Errors", "SampleCount", "2"): [(START, 3.0)],
        ("Errors", "Sum", "2"): [(START, 1.0)],
    }
    counts["Errors", statistic, "2"] = [(START, value)]
    metrics = CloudWatchMetrics(Answered(counts).client)
    [bucket] = metrics.buckets("fraud", **ASKED, since=START, until=START + BUCKET)
    assert bucket.impossible(keyed=False).endswith("is no count")


def test_nobody_asked_is_no_bucket(cloudwatch):
    metrics = CloudWatchMetrics(cloudwatch)
    assert not metrics.buckets("fraud", **ASKED, since=START, until=START + 5 * BUCKET)
    assert not metrics.buckets("fraud", **ASKED, since=START, until=START)


def test_the_proof_is_published_where_the_versions_alarm_looks(cloudwatch):
    CloudWatchMetrics(cloudwatch).publish("fraud", "2", 0.25, START)
    (datapoint,) = cloudwatch.get_metric_statistics(
        Namespace="Halftone",
        MetricName="ProofOfRegression",
        Dimensions=dimensions("2"),
        StartTime=START,
        EndTime=START + BUCKET,
        Period=10,
        Statistics=["Maximum"],
    )["Datapoints"]
    assert datapoint["Maximum"] == 0.25


class Answered:
    """A CloudWatch that gives the points put in, page by page, and keeps what it was asked.

    ``points`` are by metric, statistic and version; each page takes one point of each.
    """

    def __init__(self, points, statuses=None, left_out=()):
        self.points, self.statuses, self.left_out = points, statuses or {}, left_out
        self.asked = []
        self.client = boto3.client(
            "cloudwatch", region_name=REGION, aws_access_key_id="t", aws_secret_access_key="t"
        )
        events = self.client.meta.events
        events.register(
            "provide-client-params.cloudwatch.GetMetricData",
            lambda params, **_: self.asked.append(params),
        )
        events.register("before-call.cloudwatch.GetMetricData", self.answer)

    def answer(self, **_):
        request = self.asked[-1]
        page = int(request.get("NextToken", 0))
        results, more = [], False
        for query in request["MetricDataQueries"]:
            stat = query["MetricStat"]
            version = stat["Metric"]["Dimensions"][1]["Value"]
            key = (stat["Metric"]["MetricName"], stat["Stat"], version)
            if key in self.left_out:
                continue
            points = self.points.get(key, [])
            more = more or page + 1 < len(points)
            results.append(
                {
                    "Id": query["Id"],
                    "Timestamps": [moment for moment, _ in points[page : page + 1]],
                    "Values": [value for _, value in points[page : page + 1]],
                    "StatusCode": self.statuses.get(
                        key, "PartialData" if page + 1 < len(points) else "Complete"
                    ),
                }
            )
        parsed = {"MetricDataResults": results}
        return SimpleNamespace(status_code=200), parsed | (
            {"NextToken": str(page + 1)} if more else {}
        )

    def buckets(self, **changes):
        fields = {**ASKED, "since": START, "until": START + 2 * BUCKET, **changes}
        return list(CloudWatchMetrics(self.client).buckets("fraud", **fields))


ONE = [(START, 4.0), (START + BUCKET, 6.0)]


def test_slow_requests_are_counted_above_each_limit():
    aws = Answered(
        {
            ("Late", "SampleCount", "2"): ONE,
            ("Latency", "TC(12.5:)", "2"): [(START, 3.0)],
            ("Latency", "TC(80:)", "2"): [(START, 1.0)],
            ("Late", "SampleCount", "1"): [(START, 90.0)],
            ("Latency", "TC(12.5:)", "1"): [(START, 40.0)],
        }
    )
    assert aws.buckets(limits=(12.5, 80.0)) == [
        Bucket(START, Arm(timed=4, over=(3, 1)), Arm(timed=90, over=(40, 0))),
        Bucket(START + BUCKET, Arm(timed=6, over=(0, 0)), Arm(over=(0, 0))),
    ]


def test_every_page_is_read_and_periods_are_ten_seconds():
    aws = Answered({("Errors", "SampleCount", "2"): ONE, ("Errors", "Sum", "2"): [(START, 1.0)]})
    assert [bucket.challenger for bucket in aws.buckets()] == [Arm(4, 1), Arm(6, 0)]
    assert [request.get("NextToken") for request in aws.asked] == [None, "1"]
    assert {q["MetricStat"]["Period"] for q in aws.asked[0]["MetricDataQueries"]} == {10}


@pytest.mark.parametrize("status", ["InternalError", "Forbidden", "PartialData"])
def test_requests_without_their_errors_are_no_evidence(status):
    errors = ("Errors", "Sum", "2")
    aws = Answered({("Errors", "SampleCount", "2"): ONE}, statuses={errors: status})
    with pytest.raises(Unavailable, match=f"{status} for challenger_errors of 'fraud'"):
        aws.buckets()


def test_a_query_that_was_not_answered_is_no_evidence():
    aws = Answered({}, left_out=[("Errors", "Sum", "1")])
    with pytest.raises(Unavailable, match="no answer for champion_errors"):
        aws.buckets()


def quantiles(count):
    aws = Answered(
        {
            ("Latency", "SampleCount", "1"): [(START, count)],
            ("Latency", "p50", "1"): [(START, 12.5)],
            ("Latency", "p90", "1"): [(START, 40.0)],
            ("Latency", "p99", "1"): [(START, 95.5)],
        }
    )
    return tuple(CloudWatchMetrics(aws.client).quantiles("fraud", "1", until=START)), aws.asked


def test_quantiles_are_those_of_the_last_three_hours():
    result, (request,) = quantiles(200.0)
    assert result == (12.5, 40.0, 95.5)
    assert (request["StartTime"], request["EndTime"]) == (START - timedelta(hours=3), START)


def test_there_are_no_quantiles_of_a_few_requests():
    assert quantiles(199.0)[0] == ()
    assert tuple(CloudWatchMetrics(Answered({}).client).quantiles("fraud", "1", until=START)) == ()


def test_metrics_that_cannot_be_read_or_written_are_unavailable(stubbed):
    client, stubber = stubbed("cloudwatch")
    metrics = CloudWatchMetrics(client)
    stubber.add_client_error("get_metric_data", "ThrottlingException")
    with pytest.raises(Unavailable, match="reading the metrics of 'fraud'"):
        metrics.buckets("fraud", **ASKED, since=START, until=START + BUCKET)
    stubber.add_client_error("put_metric_data", "InternalServiceFault")
    with pytest.raises(Unavailable, match="publishing the evidence on 'fraud'"):
        metrics.publish("fraud", "2", 1.0, START)
