"""Subscriptions and undelivered notices in the table of the state.

| pk                 | sk                       | what                                            |
| ------------------ | ------------------------ | ----------------------------------------------- |
| SUBSCRIPTIONS      | <id>                     | Subscription; its revision as an attribute      |
| SUBSCRIPTION#<id>  | AUDIT#<number>           | one AuditRecord, never written twice            |
| UNDELIVERED#<id>   | <time of the record>#<id of the notice> | one Undelivered, for 90 days     |
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from halftone.adapters.aws.clients import translated
from halftone.adapters.aws.dynamodb.table import Table, key
from halftone.domain.audit import AuditRecord
from halftone.domain.notices.subscription import Subscription
from halftone.ports.notices import Undelivered

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEPT_FOR = timedelta(days=90)


class DynamoSubscriptions:
    """Ports ``Subscriptions`` and ``UndeliveredNotices`` on DynamoDB."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._dynamodb = client
        self._name = table
        self._table = Table(client, table)

    def subscriptions(self) -> Sequence[Subscription]:
        """See the port. One call a page."""
        return tuple(self._table.values("SUBSCRIPTIONS", Subscription))

    def commit_subscription(
        self,
        before: Subscription | None,
        after: Subscription,
        record: AuditRecord,
        *,
        request: str = "",
    ) -> None:
        """See the port. One call: TransactWriteItems."""
        table, read = self._table, before.revision if before else None
        audit_key = f"AUDIT#{record.seq:012d}"
        writes = [
            table.put("SUBSCRIPTIONS", after.id, after, revision=(read, after.revision)),
            table.put(f"SUBSCRIPTION#{after.id}", audit_key, record),
        ]
        if request:
            writes.append(table.put(f"REQUEST#{request}", "CHANGED", new=False))
        table.write(f"subscription {after.id!r}", writes)

    def subscription_audit(self, key: str) -> Iterable[AuditRecord]:
        """See the port. One call a page."""
        return self._table.values(f"SUBSCRIPTION#{key}", AuditRecord, prefix="AUDIT#")

    def keep_undelivered(self, entry: Undelivered) -> None:
        """See the port. One call: PutItem."""
        expires = entry.given_up_at + _KEPT_FOR
        sort_key = f"{entry.at.isoformat(timespec='microseconds')}#{entry.notice}"
        with translated(f"keeping that notice {entry.notice[:12]} was not delivered"):
            self._dynamodb.put_item(
                TableName=self._name,
                Item={
                    **key(f"UNDELIVERED#{entry.subscription}", sort_key),
                    "body": {"S": msgspec.json.encode(entry).decode()},
                    "expires": {"N": f"{expires.timestamp():.0f}"},
                },
            )

    def undelivered(self, subscription: str, *, most: int) -> Sequence[Undelivered]:
        """See the port. One call."""
        return tuple(
            self._table.values(
                f"UNDELIVERED#{subscription}", Undelivered, newest_first=True, most=most
            )
        )
