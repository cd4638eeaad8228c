"""An endpoint's state: what serves, what is rolling out, and where its audit ends.

One record holds all of it, so that one conditional write can change all of it at once.
"""

from dataclasses import dataclass, field

from halftone.domain.audit import AuditHead
from halftone.domain.deployment import Deployment
from halftone.domain.rollout import Rollout


@dataclass(frozen=True)
class EndpointState:
    """Everything about an endpoint that must change together.

    ``revision`` counts writes; every write is conditional on the one it read.
    """

    endpoint: str
    revision: int = 0
    champion: Deployment | None = None
    rollout: Rollout | None = None
    audit: AuditHead = field(default_factory=AuditHead)

    @property
    def active(self) -> Rollout | None:
        """The rollout that is not finished, if there is one."""
        return self.rollout if self.rollout and not self.rollout.phase.final else None
