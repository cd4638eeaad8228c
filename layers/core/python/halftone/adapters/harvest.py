"""The harvest's ports on AWS: files on S3, keys in the table, their metrics on CloudWatch.

| pk                                 | sk              | what                                     |
| ---------------------------------- | --------------- | ---------------------------------------- |
| KEYS#<endpoint>#<rollout>#<stage>  | <version>#<key> | what is known of a key, and since when   |
| KEYS#<endpoint>#<rollout>#<stage>  | BATCH#<batch>   | that a batch's news are being published  |

``expires`` (seconds since 1970) lets DynamoDB delete these items when no stage lasts that long.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from halftone.adapters.aws import error_code, translated
from halftone.adapters.table import key
from halftone.domain.errors import InvalidInput, Unavailable
from halftone.domain.names import NAMESPACE, log_group_name
from halftone.domain.sighting import News, Seen, news, seen_in
from halftone.service.harvest import Delivery

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

    from halftone.domain.capture import Sighting
    from halftone.service.harvest_ports import Observation

KEPT = timedelta(days=60)
"""How long a key is remembered: no stage of a plan lasts longer."""

COHORT = "keys"
"""The cohort of metrics that count keys."""

_RACES = 5
_MOST_DATA = 500  # AWS takes 1,000 of them, and 1 MB


def log_delivery(event: dict[str, Any], stage: str) -> Delivery | None:
    """What CloudWatch Logs hands to a subscriber; None for its test of the connection.

    Raises:
        InvalidInput: if the log group is no model function's of this stage.
    """
    told = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    if told["messageType"] != "DATA_MESSAGE":
        return None
    group, prefix = told["logGroup"], log_group_name(stage, "")
    if not group.startswith(prefix):
        raise InvalidInput("logGroup", group, f"the log of a model function, {prefix}...")
    lines = tuple((line["id"], line["message"]) for line in told["logEvents"])
    return Delivery(group.removeprefix(prefix), lines)


class S3Files:
    """Port ``Files`` on S3."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._s3 = client
        self._bucket = bucket

    def put(self, name: str, data: bytes) -> None:
        """See the port. One call."""
        with translated(f"writing {name}"):
            self._s3.put_object(
                Bucket=self._bucket, Key=name, Body=data, ContentType="application/gzip"
            )


class DynamoKeys:
    """Port ``Keys`` on DynamoDB."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._dynamodb = client
        self._table = table

    def see(self, endpoint: str, sighting: Sighting, batch: str) -> News:
        """See the port. One call for a new key, two or three for one that is known."""
        pk = _stage_key(endpoint, sighting.rollout, sighting.stage)
        sk = f"{sighting.version}#{sighting.key}"
        expires = sighting.at + KEPT
        first = news(None, seen_in(sighting))
        if self._put(pk, sk, expires, None, _Known(seen_in(sighting), batch, first)):
            return first
        for _ in range(_RACES):
            found = self._get(pk, sk)
            if found is None:
                break
            if found.batch == batch:
                return found.news
            now = found.seen.and_then(seen_in(sighting))
            added = news(found.seen, now)
            if not added or self._put(pk, sk, expires, found, _Known(now, batch, added)):
                return added
        raise Unavailable(f"the record of a key of {endpoint!r} changed {_RACES} times in a row")

    def begin(self, endpoint: str, rollout: str, stage: int, batch: str) -> bool:
        """See the port. One call."""
        pk = _stage_key(endpoint, rollout, stage)
        return self._write(
            {**key(pk, f"BATCH#{batch}"), "outcome": {"S": "begun"}, **_expires(_now() + KEPT)},
            "attribute_not_exists(pk) OR outcome = :failed",
            {":failed": {"S": "failed"}},
        )

    def failed(self, endpoint: str, rollout: str, stage: int, batch: str) -> None:
        """See the port. One call."""
        pk = _stage_key(endpoint, rollout, stage)
        self._write(
            {**key(pk, f"BATCH#{batch}"), "outcome": {"S": "failed"}, **_expires(_now() + KEPT)},
            "attribute_exists(pk)",
            {},
        )

    def _put(self, pk: str, sk: str, expires: datetime, before: _Known | None, now: _Known) -> bool:
        item = {**key(pk, sk), "body": {"S": _text(now)}, **_expires(expires)}
        if before is None:
            return self._write(item, "attribute_not_exists(pk)", {})
        return self._write(item, "body = :before", {":before": {"S": _text(before)}})

    def _write(self, item: dict[str, Any], condition: str, values: dict[str, Any]) -> bool:
        """Whether the condition held, and the item was written."""
        more: Any = {"ExpressionAttributeValues": values} if values else {}
        with translated("taking note of a key"):
            try:
                self._dynamodb.put_item(
                    TableName=self._table, Item=item, ConditionExpression=condition, **more
                )
            except ClientError as error:
                if error_code(error) == "ConditionalCheckFailedException":
                    return False
                raise
        return True

    def _get(self, pk: str, sk: str) -> _Known | None:
        with translated("reading what is known of a key"):
            found = self._dynamodb.get_item(
                TableName=self._table, Key=key(pk, sk), ConsistentRead=True
            )
        item = found.get("Item")
        return msgspec.json.decode(item["body"]["S"], type=_Known) if item else None


class CloudWatchKeyMetrics:
    """Port ``KeyMetrics`` on CloudWatch."""

    def __init__(self, client: CloudWatchClient) -> None:
        self._cloudwatch = client

    def publish_keys(
        self, endpoint: str, counts: Mapping[Observation, Mapping[float, int]]
    ) -> None:
        """See the port. One call for each 500 metrics and buckets."""
        data: list[Any] = [
            {
                "MetricName": where.metric,
                "Dimensions": [
                    {"Name": "Endpoint", "Value": endpoint},
                    {"Name": "Version", "Value": where.version},
                    {"Name": "Cohort", "Value": COHORT},
                ],
                "Timestamp": where.bucket,
                "Values": [*values],
                "Counts": [float(count) for count in values.values()],
                "Unit": "Count",
                "StorageResolution": 1,
            }
            for where, values in counts.items()
        ]
        with translated(f"publishing the keys of {endpoint!r}"):
            for start in range(0, len(data), _MOST_DATA):
                self._cloudwatch.put_metric_data(
                    Namespace=NAMESPACE, MetricData=data[start : start + _MOST_DATA]
                )


class _Known(msgspec.Struct, frozen=True):
    """What is known of a key, and which batch added what."""

    seen: Seen
    batch: str
    news: News


def _text(known: _Known) -> str:
    return msgspec.json.encode(known, order="sorted").decode()


def _stage_key(endpoint: str, rollout: str, stage: int) -> str:
    return f"KEYS#{endpoint}#{rollout}#{stage}"


def _expires(moment: datetime) -> dict[str, Any]:
    return {"expires": {"N": str(int(moment.timestamp()))}}


def _now() -> datetime:
    return datetime.now(UTC)
