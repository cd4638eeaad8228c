"""A model package, and the deployment that makes it runnable on an endpoint."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class PackageRef:
    """A model package by its name and the SHA-256 (64 hex digits) of its zip."""

    name: str
    digest: str

    def __str__(self) -> str:
        return f"{self.name}@{self.digest[:12]}"


@dataclass(frozen=True)
class Deployment:
    """A model package made runnable on an endpoint: exactly one published Lambda version.

    ``settings`` identifies the function's own configuration (runtime, memory, layers, code) at that
    time; ``rollout`` is the rollout that published it. ``deleted`` is why its version is gone for
    good ("": it is not): what was published stays on record.
    """

    version: str
    package: PackageRef
    settings: str
    rollout: str
    created_at: datetime
    deleted: str = ""
