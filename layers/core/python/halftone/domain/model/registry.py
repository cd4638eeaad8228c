"""The model registry: numbered versions of named models, and aliases that point at them.

A model is named by its packages' manifests, a version is one package (by digest) with its number
within that name. What a version *is* never changes; what is *said* of it (tags, parameters,
metrics, metadata) and which alias points at it does, each change with its audit record.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from halftone.domain.audit import AuditHead
from halftone.domain.errors import InvalidInput
from halftone.domain.model.manifest import PackageRef
from halftone.domain.names import checked_name


class ModelAlias(StrEnum):
    """The names that stand for a number: what serves, and what is to be judged against it."""

    CHAMPION = "champion"
    CHALLENGER = "challenger"


class Validation(StrEnum):
    """What the tag ``validation_status`` may say."""

    PENDING = "PENDING"
    PASSED = "PASSED"
    FAILED = "FAILED"


VALIDATION = "validation_status"
"""The tag that says whether a version may be released. A new version is PENDING."""


@dataclass(frozen=True)
class Details:
    """What people and pipelines say of a version. All of it may change.

    ``parameters`` are what it was trained with, ``metrics`` what it reached, ``metadata`` anything
    that JSON holds.
    """

    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, object] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    metadata: Mapping[str, object] = field(default_factory=dict)

    @property
    def validation(self) -> Validation:
        """What ``validation_status`` says; PENDING where it says nothing."""
        return Validation(self.tags.get(VALIDATION, Validation.PENDING))


@dataclass(frozen=True)
class ModelVersion:
    """One package of a model, under the number that it got when it was registered first."""

    number: int
    package: PackageRef
    flavor: str
    registered_at: datetime
    registered_by: str
    details: Details = field(default_factory=Details)

    @property
    def name(self) -> str:
        """Such as ``churn:7``."""
        return f"{self.package.name}:{self.number}"


@dataclass(frozen=True)
class Model:
    """What is true of a model beyond its single versions.

    ``revision`` counts writes; every write is conditional on the one it read. ``newest`` is the
    highest number given out. ``released`` is, by endpoint, the newest rollout that moved the alias
    ``challenger``, so that a repeated release does not move it again. ``owner`` is the group whose
    members may change it (None: whoever may by IAM).
    """

    name: str
    revision: int = 0
    newest: int = 0
    aliases: Mapping[str, int] = field(default_factory=dict)
    released: Mapping[str, str] = field(default_factory=dict)
    owner: str | None = None
    audit: AuditHead = field(default_factory=AuditHead)

    @property
    def chain(self) -> str:
        """What its audit records name as their subject; no endpoint can be called so."""
        return chain_of(self.name)

    def aliases_of(self, number: int) -> tuple[str, ...]:
        """The aliases that point at a version, sorted."""
        return tuple(sorted(a for a, pointed in self.aliases.items() if pointed == number))


def chain_of(model: str) -> str:
    """The subject of a model's audit records."""
    return f"model:{model}"


@dataclass(frozen=True)
class ModelReference:
    """A version by number (``churn:7``) or by alias (``churn@champion``); one of both is None."""

    model: str
    number: int | None = None
    alias: ModelAlias | None = None

    def __str__(self) -> str:
        return f"{self.model}@{self.alias}" if self.alias else f"{self.model}:{self.number}"


_REFERENCE = re.compile(r"([^:@]+)(?::([1-9][0-9]{0,8})|@([a-z]+))")
_EXPECTED = "name:number or name@alias, such as churn:7 or churn@champion"


def parse_reference(at: str, value: object) -> ModelReference:
    """The reference in ``value``.

    Raises:
        InvalidInput: naming the field ``at`` and the value.
    """
    match = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise InvalidInput(at, value, _EXPECTED)
    name, number, alias = match.groups()
    if number:
        return ModelReference(checked_name(at, name), number=int(number))
    return ModelReference(checked_name(at, name), alias=parse_alias(at, alias))


def parse_alias(at: str, value: object) -> ModelAlias:
    """The alias called ``value``.

    Raises:
        InvalidInput: naming the field ``at`` and the value.
    """
    try:
        return ModelAlias(str(value))
    except ValueError:
        raise InvalidInput(at, value, f"one of {', '.join(ModelAlias)}") from None
