"""The harvest on AWS does what it does in memory: files, keys counted once, metrics by bucket."""

import base64
import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from halftone.adapters.aws.cloudwatch_metrics import CloudWatchKeyMetrics
from halftone.adapters.aws.dynamodb.keys import KEPT, DynamoKeys
from halftone.adapters.aws.s3 import S3Files
from halftone.domain.errors import InvalidInput, Unavailable
from halftone.domain.insight.capture import KeyObservation
from halftone.domain.insight.sticky_keys import News
from halftone.entrypoints.log_delivery import log_delivery
from halftone.ports.capture import CapturePorts, Observation
from halftone.service.capture import Delivery, ingest
from halftone.testing import MemoryKeys
from tests.contract.adapters.conftest import REGION
from tests.contract.store.changes import create_table
from tests.support.harvest import delivery, line

AT = datetime(2026, 1, 1, 0, 0, 5, tzinfo=UTC)


def sighting(**changes: Any) -> KeyObservation:
    fields: dict[str, Any] = {
        "version": "2",
        "rollout": "fraud-r1",
        "stage": 0,
        "key": "0" * 16,
        "at": AT,
        "failed": False,
        "late": None,
    }
    return KeyObservation(**{**fields, **changes})


@pytest.fixture
def table(aws):
    client = aws("dynamodb")
    return client, create_table(client)


@pytest.fixture(params=["in memory", "on DynamoDB"])
def keys(request):
    if request.param == "in memory":
        return MemoryKeys()
    return DynamoKeys(*request.getfixturevalue("table"))


def test_a_key_is_news_once_and_its_failing_once_more(keys):
    def saw(batch, seconds=1, **what):
        return keys.see("fraud", sighting(at=AT + timedelta(seconds=seconds), **what), batch)

    assert keys.see("fraud", sighting(), "b1") == News(0, None, since=AT)
    assert saw("b2", late=False) == News(None, 0, since=AT)
    assert saw("b3") == News(None, None, since=AT)
    assert saw("b4", failed=True, seconds=300) == News(None, None, errors_later=1, since=AT)
    assert saw("b5", failed=True, late=True) == News(None, None, late_later=1, since=AT)
    assert not saw("b6")


def test_a_key_is_followed_for_five_minutes_and_no_longer(keys):
    keys.see("fraud", sighting(late=False), "b1")
    late = sighting(failed=True, late=True, at=AT + timedelta(seconds=301))
    assert not keys.see("fraud", late, "b2")
    sooner = sighting(failed=True, late=True, at=AT + timedelta(seconds=299))
    assert keys.see("fraud", sooner, "b3") == News(None, None, 1, 1, AT)


def test_a_key_noted_by_an_earlier_release_stays_as_counted(table):
    client, name = table
    keys = DynamoKeys(client, name)
    keys.see("fraud", sighting(), "b1")
    (item,) = client.scan(TableName=name)["Items"]
    body = json.loads(item["body"]["S"])
    del body["seen"]["since"]
    body["news"] = {"errors": 0, "late": None}
    client.put_item(TableName=name, Item={**item, "body": {"S": json.dumps(body)}})
    assert not keys.see("fraud", sighting(failed=True), "b2")


def test_a_batch_that_comes_again_is_told_the_same_news(keys):
    for _ in range(2):
        assert keys.see("fraud", sighting(failed=True), "b1") == News(1, None, since=AT)


@pytest.mark.parametrize(
    "changes", [{"stage": 1}, {"rollout": "fraud-r2"}, {"key": "1" * 16}, {"version": "3"}]
)
def test_another_stage_rollout_key_or_version_is_another_key(keys, changes):
    keys.see("fraud", sighting(), "b1")
    assert keys.see("fraud", sighting(**changes), "b2") == News(0, None, since=AT)


def test_a_batch_is_published_by_one_delivery_unless_it_failed(keys):
    assert keys.begin("fraud", "fraud-r1", 0, "b1")
    assert not keys.begin("fraud", "fraud-r1", 0, "b1")
    assert keys.begin("fraud", "fraud-r1", 0, "b2")
    keys.failed("fraud", "fraud-r1", 0, "b1")
    assert keys.begin("fraud", "fraud-r1", 0, "b1")
    assert not keys.begin("fraud", "fraud-r1", 0, "b1")


def test_all_items_expire(table):
    client, name = table
    keys = DynamoKeys(client, name)
    keys.see("fraud", sighting(), "b1")
    keys.begin("fraud", "fraud-r1", 0, "b1")
    items = client.scan(TableName=name)["Items"]
    assert {item["pk"]["S"] for item in items} == {"KEYS#fraud#fraud-r1#0"}
    assert {item["sk"]["S"] for item in items} == {f"2#{'0' * 16}", "BATCH#b1"}
    key = next(item for item in items if not item["sk"]["S"].startswith("BATCH#"))
    assert int(key["expires"]["N"]) == int((AT + KEPT).timestamp())
    assert all("expires" in item for item in items)


def test_a_whole_delivery_on_aws_and_again(aws, table):
    s3, cloudwatch = aws("s3"), aws("cloudwatch")
    s3.create_bucket(Bucket="captures", CreateBucketConfiguration={"LocationConstraint": REGION})
    ports = CapturePorts(
        S3Files(s3, "captures"), DynamoKeys(*table), CloudWatchKeyMetrics(cloudwatch)
    )
    now = datetime.now(UTC).replace(microsecond=0)
    at = int(now.timestamp() * 1000)
    lines = [
        line("capture", at=at),
        *[line("key", at=at, key=f"{n:016x}", errors=int(n < 3)) for n in range(10)],
    ]
    for _ in range(2):
        ingest(ports, delivery(*lines))
    contents = s3.list_objects_v2(Bucket="captures")["Contents"]
    assert len(contents) == 1
    body = gzip.decompress(s3.get_object(Bucket="captures", Key=contents[0]["Key"])["Body"].read())
    assert json.loads(body)["request"] == "r-1"
    statistics = cloudwatch.get_metric_statistics(
        Namespace="Halftone",
        MetricName="Errors",
        Dimensions=[
            {"Name": "Endpoint", "Value": "fraud"},
            {"Name": "Version", "Value": "2"},
            {"Name": "Cohort", "Value": "keys"},
        ],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=5),
        Period=3600,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    assert [(point["Sum"], point["SampleCount"]) for point in statistics] == [(3.0, 10.0)]


def test_metrics_are_sent_by_bucket_with_counts_of_values(stubbed):
    client, stubber = stubbed("cloudwatch")
    stubber.add_response(
        "put_metric_data",
        {},
        {
            "Namespace": "Halftone",
            "MetricData": [
                {
                    "MetricName": "Late",
                    "Dimensions": [
                        {"Name": "Endpoint", "Value": "fraud"},
                        {"Name": "Version", "Value": "2"},
                        {"Name": "Cohort", "Value": "keys"},
                    ],
                    "Timestamp": AT,
                    "Values": [0.0, 1.0],
                    "Counts": [7.0, 2.0],
                    "Unit": "Count",
                    "StorageResolution": 1,
                }
            ],
        },
    )
    counts = {Observation("2", AT, "Late"): {0.0: 7, 1.0: 2}}
    CloudWatchKeyMetrics(client).publish_keys("fraud", counts)


def test_what_aws_does_not_answer_is_unavailable(failing):
    error = ConnectTimeoutError(endpoint_url="https://aws")
    with pytest.raises(Unavailable, match="writing requests/x"):
        S3Files(failing("s3", error), "captures").put("requests/x", b"")
    with pytest.raises(Unavailable, match="note of a key"):
        DynamoKeys(failing("dynamodb", error), "t").see("fraud", sighting(), "b1")
    counts = {Observation("2", AT, "Late"): {0.0: 7}}
    with pytest.raises(Unavailable, match="keys of 'fraud'"):
        CloudWatchKeyMetrics(failing("cloudwatch", error)).publish_keys("fraud", counts)


def awslogs(**told: Any) -> dict[str, Any]:
    fields = {
        "messageType": "DATA_MESSAGE",
        "owner": "123456789012",
        "logGroup": "/aws/lambda/halftone-dev-fraud",
        "logStream": "2026/01/01/[2]abc",
        "subscriptionFilters": ["harvest"],
        "logEvents": [{"id": "1", "timestamp": 1, "message": "hello"}],
    }
    data = gzip.compress(json.dumps({**fields, **told}).encode())
    return {"awslogs": {"data": base64.b64encode(data).decode()}}


def test_a_delivery_says_which_endpoint_it_is_of():
    """As "Log group-level subscription filters" of the CloudWatch Logs user guide shows it:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
    """
    assert log_delivery(awslogs(), "dev") == Delivery("fraud", (("1", "hello"),))
    assert log_delivery(awslogs(messageType="CONTROL_MESSAGE", logEvents=[]), "dev") is None
    with pytest.raises(InvalidInput, match="logGroup"):
        log_delivery(awslogs(), "prod")
