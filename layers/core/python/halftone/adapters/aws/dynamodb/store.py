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
| REQUEST#<id>    | CHANGED                   | that a request changed a state              |

How an item holds its value, and how writes are made conditional, is told in ``table``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from halftone.adapters.aws.dynamodb.table import Table
from halftone.domain.audit import AuditRecord
from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.route_table import route_config_of
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.rollout.evidence import Bucket, Evidence
from halftone.ports.state import Change

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoStore:
    """Ports ``Store``, ``EvidenceLog`` and ``Catalogue`` on DynamoDB."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._table = Table(client, table)

    def load(self, endpoint: str) -> EndpointState | None:
        """See ``Store``. One call: GetItem, strongly consistent."""
        return self._table.get(_pk(endpoint), "STATE", EndpointState)

    def commit(self, change: Change) -> None:
        """See ``Store``. One call: TransactWriteItems."""
        state, table = change.after, self._table
        pk = _pk(state.endpoint)
        read = change.before.revision if change.before else None
        writes = [
            table.put(pk, "STATE", state, revision=(read, state.revision)),
            table.put(pk, f"AUDIT#{change.record.seq:012d}", change.record),
            table.put(f"SERVING#{state.endpoint}", "DISPATCH", route_config_of(state), new=False),
        ]
        if change.deployment:
            sk = f"DEPLOYMENT#{int(change.deployment.version):012d}"
            writes.append(table.put(pk, sk, change.deployment, new=False))
        if change.before is None:
            writes.append(table.put("ENDPOINTS", state.endpoint, new=False))
        if change.request:
            writes.append(table.put(f"REQUEST#{change.request}", "CHANGED", new=False))
        table.write(f"the state of {state.endpoint!r}", writes)

    def deployments(self, endpoint: str) -> Sequence[Deployment]:
        """See ``Store``. One call a page."""
        return tuple(self._table.values(_pk(endpoint), Deployment, prefix="DEPLOYMENT#"))

    def audit(self, endpoint: str, *, after: int = 0) -> Iterator[AuditRecord]:
        """See ``Store``. One call a page, as far as the records are taken."""
        return self._table.values(
            _pk(endpoint), AuditRecord, prefix="AUDIT#", after=f"AUDIT#{after:012d}"
        )

    def endpoints(self) -> Sequence[str]:
        """See ``Catalogue``. One call a page."""
        return tuple(item["sk"]["S"] for item in self._table.items("ENDPOINTS"))

    def load_evidence(self, endpoint: str, rollout: str) -> Evidence | None:
        """See ``EvidenceLog``. One call: GetItem."""
        return self._table.get(_pk(endpoint), f"EVIDENCE#{rollout}", Evidence)

    def keep_evidence(
        self,
        endpoint: str,
        evidence: Evidence,
        buckets: Sequence[Bucket],
        *,
        previous: datetime | None,
    ) -> None:
        """See ``EvidenceLog``. One call: TransactWriteItems."""
        pk, until = _pk(endpoint), evidence.until.isoformat()
        write = self._table.put(pk, f"EVIDENCE#{evidence.rollout}", evidence)
        put: Any = write["Put"]
        put["Item"]["until"] = {"S": until}
        if previous is not None:
            put["ConditionExpression"] = "#until = :previous"
            put["ExpressionAttributeNames"] = {"#until": "until"}
            put["ExpressionAttributeValues"] = {":previous": {"S": previous.isoformat()}}
        writes = [write]
        if buckets:
            sk = f"BUCKETS#{evidence.rollout}#{until}"
            writes.append(self._table.put(pk, sk, tuple(buckets)))
        self._table.write(f"the evidence of {endpoint!r}", writes)


def _pk(endpoint: str) -> str:
    return f"ENDPOINT#{endpoint}"
