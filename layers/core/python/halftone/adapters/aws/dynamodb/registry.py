"""Models, their versions and their audit in the table of the state.

| pk           | sk               | what                                                |
| ------------ | ---------------- | --------------------------------------------------- |
| MODELS       | <name>           | Model; its revision as an attribute                 |
| MODEL#<name> | VERSION#<number> | one ModelVersion                                    |
| MODEL#<name> | DIGEST#<digest>  | the number of the version with that package         |
| MODEL#<name> | AUDIT#<number>   | one AuditRecord, never written twice                |

Every write presents the model's revision, so that two of one model never cross.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from halftone.adapters.aws.dynamodb.table import Table
from halftone.domain.audit import AuditRecord
from halftone.domain.model.registry import Model, ModelVersion
from halftone.ports.registry import ModelChange

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoRegistry:
    """Ports ``Registry`` and ``RegistryPages`` on DynamoDB."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._table = Table(client, table)

    def model(self, name: str) -> Model | None:
        """See ``Registry``. One call: GetItem."""
        return self._table.get("MODELS", name, Model)

    def version(self, name: str, number: int) -> ModelVersion | None:
        """See ``Registry``. One call: GetItem."""
        return self._table.get(_pk(name), _version(number), ModelVersion)

    def number_of(self, name: str, digest: str) -> int | None:
        """See ``Registry``. One call: GetItem."""
        return self._table.get(_pk(name), f"DIGEST#{digest}", int)

    def commit_model(self, change: ModelChange) -> None:
        """See ``Registry``. One call: TransactWriteItems."""
        model, version, table = change.after, change.version, self._table
        pk = _pk(model.name)
        read = change.before.revision if change.before else None
        writes = [
            table.put("MODELS", model.name, model, revision=(read, model.revision)),
            table.put(pk, f"AUDIT#{change.record.seq:012d}", change.record),
        ]
        if version:
            new = change.registers
            writes.append(table.put(pk, _version(version.number), version, new=new))
            if new:
                writes.append(table.put(pk, f"DIGEST#{version.package.digest}", version.number))
        table.write(f"model {model.name!r}", writes)

    def models(self, *, after: str = "", most: int) -> Sequence[Model]:
        """See ``RegistryPages``. One call."""
        return tuple(self._table.values("MODELS", Model, after=after, most=most))

    def versions(
        self, name: str, *, before: int | None = None, most: int
    ) -> Sequence[ModelVersion]:
        """See ``RegistryPages``. One call."""
        after = "" if before is None else _version(before)
        items = self._table.values(
            _pk(name), ModelVersion, prefix="VERSION#", after=after, newest_first=True, most=most
        )
        return tuple(items)

    def model_audit(self, name: str, *, after: int = 0) -> Iterator[AuditRecord]:
        """See ``RegistryPages``. One call a page, as far as the records are taken."""
        return self._table.values(
            _pk(name), AuditRecord, prefix="AUDIT#", after=f"AUDIT#{after:012d}"
        )


def _pk(name: str) -> str:
    return f"MODEL#{name}"


def _version(number: int) -> str:
    return f"VERSION#{number:012d}"
