"""State, audit, deployments and evidence in one DynamoDB table.

| pk              | sk                        | what                                        |
| --------------- | ------------------------- | ------------------------------------------- |
| ENDPOINT#<name> | STATE                     | EndpointState; its revision as an attribute |
| ENDPOINT#<name> | AUDIT#<number>            | one AuditRecord, never written twice        |
| ENDPOINT#<name> | DEPLOYMENT#<version>      | one Deployment                              |
| ENDPOINT#<name> | EVIDENCE#<rollout>        | the folded Evidence; its watermark likewise |
| ENDPOINT#<name> | BUCKETS#<rollout>#<until> | the buckets that one look added             |
| ENDPOINTS       | <name>                    | that the endpoint exists, for listing       |
| SERVING#<name>  | DISPATCH                  | the Dispatch, for the model servers alone   |

Each item holds its value as one JSON text in ``body``: what is hashed, what is stored and what is
read back are then the same bytes, and conditions need no more than the attributes beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from botocore.exceptions import ClientError

from halftone.adapters.aws import error_code, translated
from halftone.domain.audit import AuditRecord
from halftone.domain.deployment import Deployment
from halftone.domain.dispatch import dispatch_of
from halftone.domain.endpoint import EndpointState
from halftone.domain.errors import StaleWrite
from halftone.domain.evidence import Bucket, Evidence
from halftone.service.ports import Change

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef


_T = TypeVar("_T")
_ABSENT = "attribute_not_exists(pk)"


class DynamoStore:
    """Ports ``Store``, ``EvidenceLog`` and ``Catalogue`` on DynamoDB."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._dynamodb = client
        self._table = table

    def load(self, endpoint: str) -> EndpointState | None:
        """See ``Store``. One call: GetItem, strongly consistent."""
        return self._get(endpoint, "STATE", EndpointState)

    def commit(self, change: Change) -> None:
        """See ``Store``. One call: TransactWriteItems."""
        state = change.after
        writes = [
            self._put_state(change),
            self._put(state.endpoint, f"AUDIT#{change.record.seq:012d}", change.record),
            self._put_dispatch(state),
        ]
        if change.deployment:
            sort = f"DEPLOYMENT#{int(change.deployment.version):012d}"
            writes.append(self._put(state.endpoint, sort, change.deployment, condition=None))
        if change.before is None:
            writes.append(
                {"Put": {"TableName": self._table, "Item": _key("ENDPOINTS", state.endpoint)}}
            )
        self._write(f"the state of {state.endpoint!r}", writes)

    def deployments(self, endpoint: str) -> Sequence[Deployment]:
        """See ``Store``. One call a page."""
        return tuple(self._query(f"ENDPOINT#{endpoint}", "DEPLOYMENT#", Deployment))

    def audit(self, endpoint: str, *, after: int = 0) -> Iterator[AuditRecord]:
        """See ``Store``. One call a page, as far as the records are taken."""
        return self._query(
            f"ENDPOINT#{endpoint}", "AUDIT#", AuditRecord, after=f"AUDIT#{after:012d}"
        )

    def endpoints(self) -> Sequence[str]:
        """See ``Catalogue``. One call a page."""
        items = self._pages("ENDPOINTS", "", "")
        return tuple(item["sk"]["S"] for item in items)

    def load_evidence(self, endpoint: str, rollout: str) -> Evidence | None:
        """See ``EvidenceLog``. One call: GetItem."""
        return self._get(endpoint, f"EVIDENCE#{rollout}", Evidence)

    def keep_evidence(
        self,
        endpoint: str,
        evidence: Evidence,
        buckets: Sequence[Bucket],
        *,
        previous: datetime | None,
    ) -> None:
        """See ``EvidenceLog``. One call: TransactWriteItems."""
        sort = f"EVIDENCE#{evidence.rollout}"
        write = self._put(endpoint, sort, evidence)
        put: Any = write["Put"]
        put["Item"]["until"] = {"S": evidence.until.isoformat()}
        if previous is not None:
            put["ConditionExpression"] = "#until = :previous"
            put["ExpressionAttributeNames"] = {"#until": "until"}
            put["ExpressionAttributeValues"] = {":previous": {"S": previous.isoformat()}}
        writes = [write]
        if buckets:
            sort = f"BUCKETS#{evidence.rollout}#{evidence.until.isoformat()}"
            writes.append(self._put(endpoint, sort, tuple(buckets)))
        self._write(f"the evidence of {endpoint!r}", writes)

    def _put_state(self, change: Change) -> TransactWriteItemTypeDef:
        write = self._put(change.after.endpoint, "STATE", change.after)
        put: Any = write["Put"]
        put["Item"]["revision"] = {"N": str(change.after.revision)}
        if change.before is not None:
            put["ConditionExpression"] = "revision = :read"
            put["ExpressionAttributeValues"] = {":read": {"N": str(change.before.revision)}}
        return write

    def _put_dispatch(self, state: EndpointState) -> TransactWriteItemTypeDef:
        item = _key(f"SERVING#{state.endpoint}", "DISPATCH")
        item["body"] = {"S": msgspec.json.encode(dispatch_of(state), order="sorted").decode()}
        return {"Put": {"TableName": self._table, "Item": item}}

    def _put(
        self, endpoint: str, sort: str, value: object, *, condition: str | None = _ABSENT
    ) -> TransactWriteItemTypeDef:
        item = _key(f"ENDPOINT#{endpoint}", sort)
        item["body"] = {"S": msgspec.json.encode(value, order="sorted").decode()}
        if condition is None:
            return {"Put": {"TableName": self._table, "Item": item}}
        return {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": condition}}

    def _write(self, what: str, writes: Sequence[TransactWriteItemTypeDef]) -> None:
        with translated(f"writing {what}"):
            try:
                self._dynamodb.transact_write_items(TransactItems=writes)
            except ClientError as error:
                if _lost_a_race(error):
                    raise StaleWrite(f"{what} changed since it was read") from error
                raise

    def _get(self, endpoint: str, sort: str, kind: type[_T]) -> _T | None:
        with translated(f"reading {sort} of {endpoint!r}"):
            found = self._dynamodb.get_item(
                TableName=self._table, Key=_key(f"ENDPOINT#{endpoint}", sort), ConsistentRead=True
            )
        item = found.get("Item")
        return msgspec.json.decode(item["body"]["S"], type=kind) if item else None

    def _query(self, pk: str, prefix: str, kind: type[_T], *, after: str = "") -> Iterator[_T]:
        for item in self._pages(pk, prefix, after):
            yield msgspec.json.decode(item["body"]["S"], type=kind)

    def _pages(self, pk: str, prefix: str, after: str) -> Iterator[dict[str, Any]]:
        values = {":pk": {"S": pk}}
        condition = "pk = :pk"
        if prefix:
            # "~" sorts after every character that our sort keys have.
            low, high = after or prefix, f"{prefix}~"
            values |= {":low": {"S": low}, ":high": {"S": high}}
            condition += " AND sk BETWEEN :low AND :high"
        with translated(f"reading {prefix or pk} of the table"):
            for page in self._dynamodb.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                ConsistentRead=True,
            ):
                for item in page["Items"]:
                    if item["sk"]["S"] != after:
                        yield item


def _lost_a_race(error: ClientError) -> bool:
    """Whether a condition failed or another transaction was in the way; throttling is neither."""
    reasons: Any = error.response.get("CancellationReasons", [])
    codes = {reason.get("Code") for reason in reasons} - {"None", None}
    return error_code(error) == "TransactionCanceledException" and codes <= {
        "ConditionalCheckFailed",
        "TransactionConflict",
    }


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}
