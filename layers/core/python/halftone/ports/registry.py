"""What the registry's use cases need of the world; the contract tests hold both kinds of parts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from halftone.domain.audit import AuditRecord
from halftone.domain.model.registry import Model, ModelVersion


@dataclass(frozen=True)
class ModelChange:
    """One change of a model, with its one audit record.

    ``before`` is the model as it was read (None: it is new), ``after`` the next one, with
    ``revision`` one higher and ``audit`` at the record. ``version`` is the version that changes
    along, if one does; it is a new one if ``after.newest`` is its number and ``before``'s was not.
    """

    before: Model | None
    after: Model
    record: AuditRecord
    version: ModelVersion | None = None

    @property
    def registers(self) -> bool:
        """Whether ``version`` is new."""
        newest = self.before.newest if self.before else 0
        return self.version is not None and self.version.number > newest


class Registry(Protocol):
    """Models and their versions."""

    def model(self, name: str) -> Model | None:
        """The newest state of a model, strongly consistent."""
        ...

    def version(self, name: str, number: int) -> ModelVersion | None:
        """One version, strongly consistent."""
        ...

    def number_of(self, name: str, digest: str) -> int | None:
        """The number under which a package is registered, strongly consistent."""
        ...

    def commit_model(self, change: ModelChange) -> None:
        """Write all of ``change`` or nothing.

        Raises:
            ConcurrentWrite: if ``change.before`` is not the newest state any more.
        """
        ...


class RegistryPages(Protocol):
    """The registry, a page at a time."""

    def models(self, *, after: str = "", most: int) -> Sequence[Model]:
        """Models by name, those after the name ``after``."""
        ...

    def versions(
        self, name: str, *, before: int | None = None, most: int
    ) -> Sequence[ModelVersion]:
        """Versions of a model, newest first, those below the number ``before``."""
        ...

    def model_audit(self, name: str, *, after: int = 0) -> Iterable[AuditRecord]:
        """The records after number ``after``, oldest first."""
        ...
