"""What use cases need of the world: ports of one to four methods, in groups by use.

A use case takes the smallest group that has what it needs, so that its signature says what it can
touch. ``Ports`` is all of them: whoever has it can call every use case.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from halftone.ports.capacity import Gate, Scaling
from halftone.ports.control import Groups, IdempotencyStore, Uploads
from halftone.ports.functions import Aliases, Versions
from halftone.ports.guardrails import Guardrails, Metrics
from halftone.ports.notices import Subscriptions, UndeliveredNotices
from halftone.ports.observability import Charts, Logs
from halftone.ports.registry import Registry, RegistryPages
from halftone.ports.stack import Stacks
from halftone.ports.state import (
    Catalogue,
    Clock,
    EvidenceLog,
    Packages,
    RolloutHistory,
    Store,
    Workflow,
)


@dataclass(frozen=True, kw_only=True)
class RecordPorts:
    """The state and the audit of endpoints, as the unit of work reads and writes them.

    ``request`` is the id of the request on whose behalf a use case runs, if that request can come
    again ("": it can't). ``new_secret`` makes 64 hex digits that nobody can guess.
    """

    clock: Clock
    store: Store
    request: str = ""
    new_secret: Callable[[], str] = lambda: secrets.token_hex(32)


@dataclass(frozen=True, kw_only=True)
class AccessPorts(RecordPorts):
    """Groups, and what they own: who may do what."""

    groups: Groups


@dataclass(frozen=True, kw_only=True)
class RegistryPorts(AccessPorts):
    """Models, their versions and packages."""

    registry: Registry
    registry_pages: RegistryPages
    packages: Packages
    uploads: Uploads


@dataclass(frozen=True, kw_only=True)
class EvidencePorts(RecordPorts):
    """What the versions did, and what was concluded from it.

    ``metric_lag`` is how long after its end a bucket is taken to be complete, ``key_lag`` how much
    longer where keys are counted: log lines are delivered, read, then counted.
    """

    metrics: Metrics
    evidence: EvidenceLog
    rollout_history: RolloutHistory
    metric_lag: timedelta
    key_lag: timedelta = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class RolloutPorts(RegistryPorts, EvidencePorts):
    """What moves traffic: aliases and published versions, and the alarms that guard them."""

    aliases: Aliases
    versions: Versions
    guardrails: Guardrails


@dataclass(frozen=True, kw_only=True)
class DeploymentPorts(RolloutPorts):
    """Endpoints with their deployments, and what they are able to take."""

    catalogue: Catalogue
    scaling: Scaling
    gate: Gate


@dataclass(frozen=True, kw_only=True)
class InsightPorts(RecordPorts):
    """What people watch: logs and figures over time."""

    logs: Logs
    charts: Charts


@dataclass(frozen=True, kw_only=True)
class NoticePorts(RecordPorts):
    """Who is told of what is recorded, and what could not be delivered."""

    subscriptions: Subscriptions
    undelivered: UndeliveredNotices


@dataclass(frozen=True, kw_only=True)
class Ports(DeploymentPorts, InsightPorts, NoticePorts):
    """All ports together, with those of releases and of requests that can come twice."""

    workflow: Workflow
    stacks: Stacks
    claims: IdempotencyStore
