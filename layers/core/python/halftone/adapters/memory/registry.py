"""The registry in memory."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from halftone.domain.audit import AuditRecord
from halftone.domain.errors import ConcurrentWrite
from halftone.domain.model.registry import Model, ModelVersion
from halftone.ports.registry import ModelChange


@dataclass
class MemoryRegistry:
    """Ports ``Registry`` and ``RegistryPages``."""

    kept: dict[str, Model] = field(default_factory=dict)
    numbered: dict[str, dict[int, ModelVersion]] = field(default_factory=lambda: defaultdict(dict))
    records: dict[str, list[AuditRecord]] = field(default_factory=lambda: defaultdict(list))

    def copy(self) -> "MemoryRegistry":
        """The same contents, apart from this one's from now on."""
        copied = MemoryRegistry(dict(self.kept))
        copied.numbered.update({name: dict(numbers) for name, numbers in self.numbered.items()})
        copied.records.update({name: list(numbers) for name, numbers in self.records.items()})
        return copied

    def model(self, name: str) -> Model | None:
        """See ``Registry``."""
        return self.kept.get(name)

    def version(self, name: str, number: int) -> ModelVersion | None:
        """See ``Registry``."""
        return self.numbered.get(name, {}).get(number)

    def number_of(self, name: str, digest: str) -> int | None:
        """See ``Registry``."""
        numbers = self.numbered.get(name, {})
        return next((n for n, v in numbers.items() if v.package.digest == digest), None)

    def commit_model(self, change: ModelChange) -> None:
        """See ``Registry``."""
        name, version = change.after.name, change.version
        newest = self.kept.get(name)
        read = change.before.revision if change.before else None
        stale = ConcurrentWrite(f"model {name!r} changed since it was read")
        if (newest.revision if newest else None) != read:
            raise stale
        if change.record.seq <= len(self.records[name]):
            raise stale
        if version and change.registers and self.number_of(name, version.package.digest):
            raise stale
        self.kept[name] = change.after
        self.records[name].append(change.record)
        if version:
            self.numbered[name][version.number] = version

    def models(self, *, after: str = "", most: int) -> Sequence[Model]:
        """See ``RegistryPages``."""
        return tuple(self.kept[name] for name in sorted(self.kept) if name > after)[:most]

    def versions(
        self, name: str, *, before: int | None = None, most: int
    ) -> Sequence[ModelVersion]:
        """See ``RegistryPages``."""
        by_digest = self.numbered.get(name, {})
        numbers = sorted((n for n in by_digest if before is None or n < before), reverse=True)
        return tuple(by_digest[number] for number in numbers[:most])

    def model_audit(self, name: str, *, after: int = 0) -> Iterable[AuditRecord]:
        """See ``RegistryPages``."""
        return tuple(r for r in self.records.get(name, ()) if r.seq > after)
