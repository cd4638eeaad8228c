"""State, audit, deployments and evidence in one DynamoDB table.

| pk              | sk                        | what                                        |
| --------------- | ------------------------- | ------------------------------------------- |
| ENDPOINT#<name> | STATE                     | EndpointState; its revision as an attribute |
| ENDPOINT#<name> | AUDIT#<number>            | one AuditRecord, never written twice        |
| ENDPOINT#<name> | DEPLOYMENT#<version>      | one Deployment                              |
| ENDPOINT#<name> | EVIDENCE#<rollout>        | the folded Evidence; its watermark likewise |
| ENDPOINT#<name> | BUCKETS#<rollout>#<until> | the buckets that one look added             |
| ENDPOINT#<name> | LOOK#<rollout>#<until>    | what that look saw: one Look                |
| ENDPOINT#<name> | ROLLOUT#<rollout>         | the RolloutSnapshot: as it began, or ended  |
| ENDPOINTS       | <name>                    | that the endpoint exists, for listing       |
| SERVING#<name>  | DISPATCH                  | the Dispatch, for the model servers alone   |
| REQUEST#<id>    | CHANGED                   | that a request changed a state              |

How an item holds its value, and how writes are made conditional, is told in ``table``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from halftone.adapters.aws.dynamodb.table import Table
from halftone.domain.audit import AuditRecord
from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.route_table import route_config_of
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.rollout.evidence import Bucket, Evidence
from halftone.domain.rollout.looks import Look, RolloutSnapshot
from halftone.ports.state import Change

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoStore:
    """Ports ``Store``, ``EvidenceLog``, ``RolloutHistory`` and ``Catalogue`` on DynamoDB."""

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
        if change.snapshot:
            sk = f"ROLLOUT#{change.snapshot.rollout.id}"
            writes.append(table.put(pk, sk, change.snapshot, new=False))
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

    def load_states(self, names: Sequence[str]) -> Sequence[EndpointState]:
        """See ``Catalogue``. One call a hundred: BatchGetItem, strongly consistent."""
        states = self._table.get_many([(_pk(name), "STATE") for name in names], EndpointState)
        return tuple(states[key] for name in names if (key := (_pk(name), "STATE")) in states)

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
        look: Look | None = None,
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
        if look is not None:
            # An item of its own: a picture of a week reads no buckets.
            sk = f"LOOK#{evidence.rollout}#{until}"
            writes.append(self._table.put(pk, sk, look, new=False))
        self._table.write(f"the evidence of {endpoint!r}", writes)

    def looks(
        self, endpoint: str, rollout: str, *, since: datetime | None = None
    ) -> Iterator[Look]:
        """See ``RolloutHistory``. One call a page, as far as they are taken."""
        prefix = f"LOOK#{rollout}#"
        after = f"{prefix}{since.isoformat()}" if since else ""
        return self._table.values(_pk(endpoint), Look, prefix=prefix, after=after)

    def last_look(self, endpoint: str, rollout: str) -> Look | None:
        """See ``RolloutHistory``. One call."""
        newest = self._table.values(
            _pk(endpoint), Look, prefix=f"LOOK#{rollout}#", newest_first=True, most=1
        )
        return next(newest, None)

    def snapshot(self, endpoint: str, rollout: str) -> RolloutSnapshot | None:
        """See ``RolloutHistory``. One call: GetItem."""
        return self._table.get(_pk(endpoint), f"ROLLOUT#{rollout}", RolloutSnapshot)

    def ended(self, rollouts: Sequence[tuple[str, str]]) -> Mapping[str, datetime]:
        """See ``RolloutHistory``. One call a hundred: BatchGetItem."""
        keys = [(_pk(endpoint), f"ROLLOUT#{rollout}") for endpoint, rollout in rollouts]
        kept = self._table.get_many(keys, RolloutSnapshot).values()
        return {one.rollout.id: one.ended_at for one in kept if one.ended_at}

    def evidence_of(self, rollouts: Sequence[tuple[str, str]]) -> Mapping[str, Evidence]:
        """See ``RolloutHistory``. One call a hundred: BatchGetItem."""
        keys = [(_pk(endpoint), f"EVIDENCE#{rollout}") for endpoint, rollout in rollouts]
        return {one.rollout: one for one in self._table.get_many(keys, Evidence).values()}


def _pk(endpoint: str) -> str:
    return f"ENDPOINT#{endpoint}"
