"""The events that CloudFormation sends for ``Custom::Release``, and their results."""

from dataclasses import dataclass

from halftone.domain.access import VIA
from halftone.domain.rollout.deploys import Declaration
from halftone.domain.rollout.plan import Plan


@dataclass(frozen=True)
class Resource:
    """A ``Custom::Release`` by its stack's ARN, its logical id and its physical id ("": none)."""

    stack: str
    logical: str
    physical: str = ""


@dataclass(frozen=True)
class Deploy:
    """A Create or an Update of ``resource``. ``request`` names the event, which may come twice.

    ``before`` is what the resource declared before, for the endpoint ``endpoint_before``; both are
    None for a Create. ``bucket`` and ``object_key`` are where the package is.
    """

    endpoint: str
    resource: Resource
    request: str
    actor: str
    now: Declaration
    plan: Plan
    bucket: str
    object_key: str
    environment_key: str
    before: Declaration | None = None
    endpoint_before: str | None = None

    @property
    def stack(self) -> str:
        """The stack alone: who deployed before is not who lets it return."""
        return self.actor.rpartition(VIA)[2]

    @property
    def key(self) -> str:
        """What names this deploy in the journal and the audit."""
        return f"{self.request}/deploy"

    @property
    def renamed(self) -> bool:
        """Whether it declares another endpoint than before."""
        return self.endpoint_before not in (None, self.endpoint)


@dataclass(frozen=True)
class Deletion:
    """A Delete of ``resource``, which declared ``endpoint``."""

    endpoint: str
    resource: Resource
    request: str
    actor: str


@dataclass(frozen=True)
class DeployResult:
    """The physical id that the resource has now, and the rollout to wait for ("": none)."""

    physical: str
    rollout: str = ""
