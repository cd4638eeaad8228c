"""An endpoint's state: what serves, what is rolling out, and where its audit ends.

One record holds all of it, so that one conditional write can change all of it at once.
"""

from dataclasses import dataclass, field

from halftone.domain.about import About
from halftone.domain.audit import AuditHead
from halftone.domain.deployment import Deployment
from halftone.domain.rollout import Rollout
from halftone.domain.serving import Serving
from halftone.domain.upkeep import Upkeep


@dataclass(frozen=True)
class Placed:
    """A deployment that requests can be sent to: it has answered its samples.

    ``name`` is what people call it, such as ``green`` (the version's number unless they do);
    ``stopped`` is why it takes no requests ("": it does).
    """

    version: str
    name: str
    stopped: str = ""


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
    serving: Serving = field(default_factory=Serving)
    placed: tuple[Placed, ...] = ()
    about: About = field(default_factory=About)
    upkeep: Upkeep = field(default_factory=Upkeep)

    @property
    def active(self) -> Rollout | None:
        """The rollout that is not finished, if there is one."""
        return self.rollout if self.rollout and not self.rollout.phase.final else None
