"""What the control API keeps in the table: requests with their answers, and groups.

| pk           | sk             | what                                                           |
| ------------ | -------------- | -------------------------------------------------------------- |
| REQUEST#<id> | CLAIM          | one Claim, its fields as attributes; its answer stays for good |
| REQUEST#<id> | CHANGED        | that it changed something; written with it (``dynamodb`` too)  |
| REQUEST#<id> | SEEN           | what its author saw when it came first; never written twice    |
| GROUP#<name> | STATE          | one Group; its revision as an attribute                        |
| GROUP#<name> | AUDIT#<number> | one AuditRecord, never written twice                           |
| GROUPS       | <name>         | that the group exists, for listing                             |

Values stand in ``body`` as JSON, as in ``dynamodb``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from halftone.adapters.aws.clients import error_code, translated
from halftone.adapters.aws.dynamodb.table import Table, key
from halftone.domain.access import Group
from halftone.domain.audit import AuditRecord
from halftone.domain.errors import ConcurrentWrite
from halftone.ports.control import Claimed, IdempotencyRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_FREE = (
    "attribute_not_exists(pk) OR (attribute_not_exists(#answer) AND #until <= :now"
    " AND fingerprint = :fingerprint)"
)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class DynamoIdempotencyStore:
    """Port ``Claims`` on DynamoDB."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._dynamodb = client
        self._table = table

    def claim(self, wanted: IdempotencyRecord, now: datetime) -> Claimed:
        """See the port. One call: PutItem, which tells what stood there either way."""
        with translated(f"claiming request {wanted.id}"):
            try:
                done = self._dynamodb.put_item(
                    TableName=self._table,
                    Item=_item(wanted, wanted.until),
                    ConditionExpression=_FREE,
                    ExpressionAttributeNames={"#answer": "answer", "#until": "until"},
                    ExpressionAttributeValues={
                        ":now": {"S": now.isoformat(timespec="microseconds")},
                        ":fingerprint": {"S": wanted.fingerprint},
                    },
                    ReturnValues="ALL_OLD",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                return Claimed(mine=False, before=_claim(self._stood(error, wanted.id, "CLAIM")))
        old = done.get("Attributes")
        return Claimed(mine=True, before=_claim(old) if old else None)

    def settle(self, claim: IdempotencyRecord) -> None:
        """See the port. One call: PutItem."""
        until = claim.until if claim.answer is not None else _LONG_AGO
        with translated(f"answering request {claim.id}"):
            try:
                self._dynamodb.put_item(
                    TableName=self._table,
                    Item=_item(claim, until),
                    ConditionExpression="holder = :holder",
                    ExpressionAttributeValues={":holder": {"S": claim.holder}},
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                raise ConcurrentWrite(
                    f"request {claim.id} is carried out by another try"
                ) from error

    def has_changed(self, request: str) -> bool:
        """See the port. One call: GetItem."""
        with translated(f"reading request {request}"):
            answer = self._dynamodb.get_item(
                TableName=self._table, Key=key(f"REQUEST#{request}", "CHANGED"), ConsistentRead=True
            )
        return "Item" in answer

    def first_seen(self, request: str, seen: str) -> str:
        """See the port. One call: PutItem, which tells what stood there."""
        item: dict[str, Any] = {**key(f"REQUEST#{request}", "SEEN"), "seen": {"S": seen}}
        with translated(f"noting what request {request} was asked against"):
            try:
                self._dynamodb.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression="attribute_not_exists(pk)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                item = self._stood(error, request, "SEEN")
        return str(item["seen"]["S"])

    def _stood(self, error: ClientError, request: str, what: str) -> dict[str, Any]:
        """The item that a write was refused for; any other error goes on."""
        if error_code(error) != "ConditionalCheckFailedException":
            raise error
        stood: Any = error.response.get("Item")
        if stood:
            return dict(stood)
        answer = self._dynamodb.get_item(
            TableName=self._table, Key=key(f"REQUEST#{request}", what), ConsistentRead=True
        )
        return dict(answer["Item"])


class DynamoGroups:
    """Port ``Groups`` on DynamoDB."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._table = Table(client, table)

    def load_group(self, name: str) -> Group | None:
        """See the port. One call: GetItem."""
        return self._table.get(f"GROUP#{name}", "STATE", Group)

    def load_groups(self, names: Sequence[str]) -> Sequence[Group]:
        """See the port. One call a hundred: BatchGetItem, strongly consistent."""
        groups = self._table.get_many([(f"GROUP#{name}", "STATE") for name in names], Group)
        return tuple(groups.values())

    def commit_group(
        self, before: Group | None, after: Group, record: AuditRecord, *, request: str = ""
    ) -> None:
        """See the port. One call: TransactWriteItems."""
        pk, read = f"GROUP#{after.name}", before.revision if before else None
        table = self._table
        writes = [
            table.put(pk, "STATE", after, revision=(read, after.revision)),
            table.put(pk, f"AUDIT#{record.seq:012d}", record),
        ]
        if before is None:
            writes.append(table.put("GROUPS", after.name, new=False))
        if request:
            writes.append(table.put(f"REQUEST#{request}", "CHANGED", new=False))
        table.write(f"group {after.name!r}", writes)

    def groups(self) -> Sequence[str]:
        """See the port. One call a page."""
        return tuple(item["sk"]["S"] for item in self._table.items("GROUPS"))

    def group_audit(self, name: str, *, after: int = 0) -> Iterator[AuditRecord]:
        """See the port. One call a page."""
        return self._table.values(
            f"GROUP#{name}", AuditRecord, prefix="AUDIT#", after=f"AUDIT#{after:012d}"
        )


def _item(claim: IdempotencyRecord, until: datetime) -> dict[str, Any]:
    item = {
        **key(f"REQUEST#{claim.id}", "CLAIM"),
        "fingerprint": {"S": claim.fingerprint},
        "holder": {"S": claim.holder},
        "until": {"S": until.isoformat(timespec="microseconds")},
    }
    if claim.answer is not None:
        item["answer"] = {"S": claim.answer}
    return item


def _claim(item: dict[str, Any]) -> IdempotencyRecord:
    return IdempotencyRecord(
        id=item["pk"]["S"].partition("#")[2],
        fingerprint=item["fingerprint"]["S"],
        holder=item["holder"]["S"],
        until=datetime.fromisoformat(item["until"]["S"]),
        answer=item["answer"]["S"] if "answer" in item else None,
    )
