"""Port ``Keys`` on DynamoDB: what is known of each key of a sticky rollout.

| pk                                 | sk              | what                                     |
| ---------------------------------- | --------------- | ---------------------------------------- |
| KEYS#<endpoint>#<rollout>#<stage>  | <version>#<key> | what is known of a key, and since when   |
| KEYS#<endpoint>#<rollout>#<stage>  | BATCH#<batch>   | that a batch's news are being published  |

``expires`` (seconds since 1970) lets DynamoDB delete these items when no stage lasts that long.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from halftone.adapters.aws.clients import error_code, translated
from halftone.adapters.aws.dynamodb.table import key
from halftone.domain.errors import Unavailable
from halftone.domain.insight.sticky_keys import FOLLOWED, News, Seen, news, seen_in

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from halftone.domain.insight.capture import KeyObservation


KEPT = timedelta(days=60)
"""How long a key is remembered: no stage of a plan lasts longer."""

_RACES = 5


class DynamoKeys:
    """Port ``Keys`` on DynamoDB."""

    def __init__(
        self, client: DynamoDBClient, table: str, *, followed: timedelta = FOLLOWED
    ) -> None:
        self._dynamodb = client
        self._table = table
        self._followed = followed

    def see(self, endpoint: str, sighting: KeyObservation, batch: str) -> News:
        """See the port. One call for a new key, two or three for one that is known."""
        pk = _stage_key(endpoint, sighting.rollout, sighting.stage)
        sk = f"{sighting.version}#{sighting.key}"
        expires = sighting.at + KEPT
        first = news(None, sighting)
        if self._put(pk, sk, expires, None, _Known(seen_in(sighting), batch, first)):
            return first
        for _ in range(_RACES):
            item = self._get(pk, sk)
            if item is None:
                break
            if item.batch == batch:
                return item.news
            now = item.seen.and_then(seen_in(sighting))
            added = news(item.seen, sighting, followed=self._followed)
            if not added or self._put(pk, sk, expires, item, _Known(now, batch, added)):
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
            answer = self._dynamodb.get_item(
                TableName=self._table, Key=key(pk, sk), ConsistentRead=True
            )
        item = answer.get("Item")
        return msgspec.json.decode(item["body"]["S"], type=_Known) if item else None


class _Known(msgspec.Struct, frozen=True):
    """What is known of a key, and which batch added what."""

    seen: Seen
    batch: str
    news: News


def _text(key: _Known) -> str:
    return msgspec.json.encode(key, order="sorted").decode()


def _stage_key(endpoint: str, rollout: str, stage: int) -> str:
    return f"KEYS#{endpoint}#{rollout}#{stage}"


def _expires(moment: datetime) -> dict[str, Any]:
    return {"expires": {"N": str(int(moment.timestamp()))}}


def _now() -> datetime:
    return datetime.now(UTC)
