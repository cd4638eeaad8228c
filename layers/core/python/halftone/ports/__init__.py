"""What use cases need of the world: ports of one to four methods, and all of them together."""

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


@dataclass(frozen=True)
class Ports:
    """All ports together: what every use case takes as its first argument.

    ``metric_lag`` is how long after its end a bucket is taken to be complete, ``key_lag`` how much
    longer where keys are counted: log lines are delivered, read, then counted. ``request`` is the
    id of the request on whose behalf a use case runs, if that request can come again ("": it
    can't). ``new_secret`` makes 64 hex digits that nobody can guess.
    """

    clock: Clock
    store: Store
    catalogue: Catalogue
    evidence: EvidenceLog
    rollout_history: RolloutHistory
    aliases: Aliases
    versions: Versions
    guardrails: Guardrails
    metrics: Metrics
    packages: Packages
    workflow: Workflow
    registry: Registry
    registry_pages: RegistryPages
    logs: Logs
    charts: Charts
    scaling: Scaling
    gate: Gate
    claims: IdempotencyStore
    groups: Groups
    uploads: Uploads
    stacks: Stacks
    subscriptions: Subscriptions
    undelivered: UndeliveredNotices
    metric_lag: timedelta
    key_lag: timedelta = timedelta(seconds=60)
    request: str = ""
    new_secret: Callable[[], str] = lambda: secrets.token_hex(32)
