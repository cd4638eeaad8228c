"""One DynamoDB table of items with a partition key, a sort key, and their value as JSON text.

Each item holds its value as one JSON text in ``body``: what is hashed, what is stored and what is
read back are then the same bytes, and conditions need no more than the attributes beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from botocore.exceptions import ClientError

from halftone.adapters.aws.clients import error_code, translated
from halftone.domain.errors import ConcurrentWrite

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef


_T = TypeVar("_T")
_BATCH = 100
"""Items that BatchGetItem reads at once, at most."""
_LAST = "~"
"""Sorts after every character that our sort keys have."""


class Table:
    """Reads and transactions on one table, in the terms of its keys."""

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self._dynamodb = client
        self._name = name

    def put(
        self,
        pk: str,
        sk: str,
        value: object = None,
        *,
        new: bool = True,
        revision: tuple[int | None, int] | None = None,
    ) -> TransactWriteItemTypeDef:
        """A write of one item. ``new``: only if there is none of those keys.

        ``revision`` are the one that was read (None: there was no item) and the one to write: the
        write fails if the item has moved on. ``new`` means nothing then.
        """
        put: dict[str, Any] = {"TableName": self._name, "Item": key(pk, sk)}
        if value is not None:
            put["Item"]["body"] = {"S": msgspec.json.encode(value, order="sorted").decode()}
        read, following = revision or (None, None)
        if following is not None:
            put["Item"]["revision"] = {"N": str(following)}
        if read is not None:
            put["ConditionExpression"] = "revision = :read"
            put["ExpressionAttributeValues"] = {":read": {"N": str(read)}}
        elif new or revision:
            put["ConditionExpression"] = "attribute_not_exists(pk)"
        return {"Put": put}  # type: ignore[typeddict-item]

    def write(self, what: str, writes: Sequence[TransactWriteItemTypeDef]) -> None:
        """All of ``writes`` or nothing. One call: TransactWriteItems.

        Raises:
            ConcurrentWrite: if a condition failed, or another transaction was in the way.
        """
        with translated(f"writing {what}"):
            try:
                self._dynamodb.transact_write_items(TransactItems=writes)
            except ClientError as error:
                if _lost_a_race(error):
                    raise ConcurrentWrite(f"{what} changed since it was read") from error
                raise

    def get(self, pk: str, sk: str, kind: type[_T]) -> _T | None:
        """The value of one item, strongly consistent. One call: GetItem."""
        with translated(f"reading {sk} of {pk}"):
            answer = self._dynamodb.get_item(
                TableName=self._name, Key=key(pk, sk), ConsistentRead=True
            )
        item = answer.get("Item")
        return msgspec.json.decode(item["body"]["S"], type=kind) if item else None

    def get_many(
        self, keys: Sequence[tuple[str, str]], kind: type[_T]
    ) -> Mapping[tuple[str, str], _T]:
        """The values of those items that there are, by their keys. One call a hundred.

        BatchGetItem answers at most 16 MB: what it left out is asked for again.
        """
        values: dict[tuple[str, str], _T] = {}
        waiting = list(dict.fromkeys(keys))
        with translated(f"reading {len(waiting)} items of the table"):
            while waiting:
                batch, waiting = waiting[:_BATCH], waiting[_BATCH:]
                answer: Any = self._dynamodb.batch_get_item(
                    RequestItems={
                        self._name: {"Keys": [key(*each) for each in batch], "ConsistentRead": True}
                    }
                )
                for item in answer["Responses"].get(self._name, ()):
                    value = msgspec.json.decode(item["body"]["S"], type=kind)
                    values[item["pk"]["S"], item["sk"]["S"]] = value
                left = answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", ())
                waiting += [(each["pk"]["S"], each["sk"]["S"]) for each in left]
        return values

    def values(
        self,
        pk: str,
        kind: type[_T],
        *,
        prefix: str = "",
        after: str = "",
        newest_first: bool = False,
        most: int | None = None,
    ) -> Iterator[_T]:
        """The values of a partition whose sort keys begin with ``prefix``; see ``items``."""
        for item in self.items(
            pk, prefix=prefix, after=after, newest_first=newest_first, most=most
        ):
            yield msgspec.json.decode(item["body"]["S"], type=kind)

    def items(
        self,
        pk: str,
        *,
        prefix: str = "",
        after: str = "",
        newest_first: bool = False,
        most: int | None = None,
    ) -> Iterator[Mapping[str, Any]]:
        """The items of a partition in the order of their sort keys, or backwards.

        They begin with ``prefix`` and come after the key ``after`` in that order. One call a page,
        as far as they are taken; ``most`` is how many will be.
        """
        values = {":pk": {"S": pk}}
        condition = "pk = :pk"
        if prefix or after:
            low, high = prefix or " ", f"{prefix}{_LAST}"
            low, high = (low, after or high) if newest_first else (after or low, high)
            if low > high:
                return  # nothing comes after it, and the table would take the question for an error
            values |= {":low": {"S": low}, ":high": {"S": high}}
            condition += " AND sk BETWEEN :low AND :high"
        limit = {} if most is None else {"Limit": most + bool(after)}
        taken = 0
        with translated(f"reading {prefix or pk} of the table"):
            for page in self._dynamodb.get_paginator("query").paginate(
                TableName=self._name,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                ConsistentRead=True,
                ScanIndexForward=not newest_first,
                **limit,  # type: ignore[arg-type]
            ):
                for item in page["Items"]:
                    if item["sk"]["S"] != after and taken != most:
                        taken += 1
                        yield item
                if taken == most:
                    return


def _lost_a_race(error: ClientError) -> bool:
    """Whether a condition failed or another transaction was in the way; throttling is neither."""
    reasons: Any = error.response.get("CancellationReasons", [])
    codes = {reason.get("Code") for reason in reasons} - {"None", None}
    return error_code(error) == "TransactionCanceledException" and codes <= {
        "ConditionalCheckFailed",
        "TransactionConflict",
    }


def key(pk: str, sk: str) -> dict[str, Any]:
    """An item's key as boto3 takes it."""
    return {"pk": {"S": pk}, "sk": {"S": sk}}
