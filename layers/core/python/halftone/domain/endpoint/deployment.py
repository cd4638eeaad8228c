"""A deployment: a model package made runnable on an endpoint."""

from dataclasses import dataclass
from datetime import datetime

from halftone.domain.model.manifest import PackageRef


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
