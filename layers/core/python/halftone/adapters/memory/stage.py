"""Every port in memory: the same promises as on AWS, in one process and on a clock that is set.

They ship because a team's own plans and operations can be tried on them without an account, and
because the engine's simulation runs on them. One set of contract tests holds both kinds to the
same behaviour.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from halftone.adapters.memory.capacity import MemoryScale
from halftone.adapters.memory.control import MemoryGroups, MemoryIdempotencyStore, MemoryUploads
from halftone.adapters.memory.functions import MemoryLambda
from halftone.adapters.memory.notices import MemorySubscriptions
from halftone.adapters.memory.observability import MemoryCharts, MemoryLogs
from halftone.adapters.memory.registry import MemoryRegistry
from halftone.adapters.memory.stacks import MemoryStacks
from halftone.domain.audit import AuditRecord
from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.route_table import RouteConfig, route_config_of
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import ConcurrentWrite, InvalidPackage, NotFound
from halftone.domain.model.manifest import Manifest
from halftone.domain.names import ALIAS
from halftone.domain.rollout.evidence import Arm, Bucket, Evidence
from halftone.domain.rollout.looks import Look, RolloutSnapshot
from halftone.domain.rollout.rollout import KEYS
from halftone.ports import Ports
from halftone.ports.guardrails import AlarmState, Guard
from halftone.ports.state import Change


@dataclass
class SetClock:
    """Port ``Clock``: stands still until it is moved."""

    moment: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """See the port."""
        return self.moment

    def pass_by(self, span: timedelta) -> None:
        """Let ``span`` pass."""
        self.moment += span


@dataclass
class MemoryStore:
    """Ports ``Store``, ``Catalogue``, ``EvidenceLog`` and ``RolloutHistory``.

    ``dispatches`` is what servers read.
    """

    states: dict[str, EndpointState] = field(default_factory=dict)
    records: dict[str, list[AuditRecord]] = field(default_factory=lambda: defaultdict(list))
    published: dict[str, dict[str, Deployment]] = field(default_factory=lambda: defaultdict(dict))
    kept: dict[tuple[str, str], Evidence] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    dispatches: dict[str, RouteConfig] = field(default_factory=dict)
    seen: dict[tuple[str, str], list[Look]] = field(default_factory=lambda: defaultdict(list))
    snapshots: dict[tuple[str, str], RolloutSnapshot] = field(default_factory=dict)

    def load(self, endpoint: str) -> EndpointState | None:
        """See ``Store``."""
        return self.states.get(endpoint)

    def commit(self, change: Change) -> None:
        """See ``Store``."""
        name = change.after.endpoint
        newest = self.states.get(name)
        read = change.before.revision if change.before else None
        if (newest.revision if newest else None) != read:
            raise ConcurrentWrite(f"the state of {name!r} changed since it was read")
        if change.record.seq <= len(self.records[name]):
            raise ConcurrentWrite(f"the audit of {name!r} has a record {change.record.seq}")
        self.states[name] = change.after
        self.records[name].append(change.record)
        self.dispatches[name] = route_config_of(change.after)
        if change.deployment:
            self.published[name][change.deployment.version] = change.deployment
        if change.snapshot:
            self.snapshots[name, change.snapshot.rollout.id] = change.snapshot
        if change.request:
            self.changed.add(change.request)

    def deployments(self, endpoint: str) -> Sequence[Deployment]:
        """See ``Store``."""
        published = self.published.get(endpoint, {})
        return tuple(published[version] for version in sorted(published, key=int))

    def audit(self, endpoint: str, *, after: int = 0) -> Iterable[AuditRecord]:
        """See ``Store``."""
        return tuple(r for r in self.records.get(endpoint, ()) if r.seq > after)

    def endpoints(self) -> Sequence[str]:
        """See ``Catalogue``."""
        return tuple(sorted(self.states))

    def load_states(self, names: Sequence[str]) -> Sequence[EndpointState]:
        """See ``Catalogue``."""
        return tuple(self.states[name] for name in names if name in self.states)

    def load_evidence(self, endpoint: str, rollout: str) -> Evidence | None:
        """See ``EvidenceLog``."""
        return self.kept.get((endpoint, rollout))

    def keep_evidence(
        self,
        endpoint: str,
        evidence: Evidence,
        buckets: Sequence[Bucket],  # noqa: ARG002 - kept on AWS for the record, read by nobody here
        *,
        previous: datetime | None,
        look: Look | None = None,
    ) -> None:
        """See ``EvidenceLog``."""
        here = self.kept.get((endpoint, evidence.rollout))
        if (here.until if here else None) != previous:
            raise ConcurrentWrite(f"the evidence of {endpoint!r} changed since it was read")
        self.kept[endpoint, evidence.rollout] = evidence
        if look is not None:
            seen = self.seen[endpoint, evidence.rollout]
            seen[:] = [*(each for each in seen if each.until != look.until), look]

    def looks(
        self, endpoint: str, rollout: str, *, since: datetime | None = None
    ) -> Iterable[Look]:
        """See ``RolloutHistory``."""
        every = self.seen.get((endpoint, rollout), ())
        return tuple(look for look in every if since is None or look.until > since)

    def last_look(self, endpoint: str, rollout: str) -> Look | None:
        """See ``RolloutHistory``."""
        every = self.seen.get((endpoint, rollout))
        return every[-1] if every else None

    def snapshot(self, endpoint: str, rollout: str) -> RolloutSnapshot | None:
        """See ``RolloutHistory``."""
        return self.snapshots.get((endpoint, rollout))

    def ended(self, rollouts: Sequence[tuple[str, str]]) -> Mapping[str, datetime]:
        """See ``RolloutHistory``."""
        kept = [self.snapshots[key] for key in rollouts if key in self.snapshots]
        return {one.rollout.id: one.ended_at for one in kept if one.ended_at}

    def evidence_of(self, rollouts: Sequence[tuple[str, str]]) -> Mapping[str, Evidence]:
        """See ``RolloutHistory``."""
        return {key[1]: self.kept[key] for key in rollouts if key in self.kept}


@dataclass
class MemoryGuardrails:
    """Port ``Guardrails``: ``guards`` is what CloudWatch would say."""

    guards: dict[str, Guard] = field(default_factory=dict)

    def read(self, endpoint: str) -> Guard:
        """See the port."""
        return self.guards.get(endpoint, Guard(AlarmState.OK, "never armed", None))

    def arm(self, endpoint: str, version: str, why: str, *, alias: str = ALIAS) -> None:
        """See the port."""
        self.guards[endpoint] = Guard(AlarmState.OK, f"armed: {why}", version, alias)

    def trip(self, endpoint: str, reason: str) -> None:
        """What CloudWatch does when the version that is watched breaches."""
        self.guards[endpoint] = replace(self.read(endpoint), state=AlarmState.ALARM, reason=reason)


@dataclass
class MemoryMetrics:
    """Port ``Metrics``: buckets as they were put in, whatever versions are asked for.

    ``keys`` are those of the cohort of keys, for endpoints that have any; ``cohorts`` are those
    that were asked for last. ``answered`` is, by endpoint and version, what clients were answered.
    """

    counted: dict[str, list[Bucket]] = field(default_factory=lambda: defaultdict(list))
    keys: dict[str, list[Bucket]] = field(default_factory=dict)
    latencies: dict[str, Sequence[float]] = field(default_factory=dict)
    proofs: dict[tuple[str, str], float] = field(default_factory=dict)
    cohorts: tuple[str, str] = ("", "")
    answered: dict[tuple[str, str], list[tuple[datetime, Arm]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def buckets(
        self,
        endpoint: str,
        *,
        challenger: str,  # noqa: ARG002
        champion: str,  # noqa: ARG002
        since: datetime,
        until: datetime,
        limits: Sequence[float] = (),  # noqa: ARG002
        cohorts: tuple[str, str] = ("", ""),
        feedback: str = "",  # noqa: ARG002
    ) -> Sequence[Bucket]:
        """See the port."""
        self.cohorts = cohorts
        keys = self.keys.get(endpoint) if KEYS in cohorts else None
        counted = self.counted[endpoint] if keys is None else keys
        return tuple(b for b in counted if since <= b.start < until)

    def totals(
        self, endpoint: str, versions: Sequence[str], *, since: datetime, until: datetime
    ) -> Mapping[str, Arm]:
        """See the port."""
        return {
            version: sum(
                (arm for at, arm in self.answered[endpoint, version] if since <= at < until), Arm()
            )
            for version in versions
        }

    def quantiles(self, endpoint: str, version: str, *, until: datetime) -> Sequence[float]:  # noqa: ARG002
        """See the port."""
        return self.latencies.get(endpoint, ())

    def publish(self, endpoint: str, version: str, proof: float, at: datetime) -> None:  # noqa: ARG002
        """See the port."""
        self.proofs[endpoint, version] = proof


@dataclass
class MemoryPackages:
    """Port ``Packages``: ``offered`` stands for other buckets, by bucket and key, and
    ``environments_offered`` says which environment lies there.
    """

    offered: dict[tuple[str, str], tuple[str, Manifest]] = field(default_factory=dict)
    kept: dict[str, Manifest] = field(default_factory=dict)
    environments_offered: dict[tuple[str, str], str] = field(default_factory=dict)
    environments: set[str] = field(default_factory=set)

    def register(self, bucket: str, key: str, digest: str) -> Manifest:
        """See the port."""
        if (bucket, key) not in self.offered:
            raise NotFound("package", f"s3://{bucket}/{key}")
        actual, manifest = self.offered[bucket, key]
        if actual != digest:
            raise InvalidPackage("digest", digest, f"{actual}, the SHA-256 of s3://{bucket}/{key}")
        self.kept[digest] = manifest
        return manifest

    def manifest(self, digest: str) -> Manifest:
        """See the port."""
        if digest not in self.kept:
            raise NotFound("package", digest)
        return self.kept[digest]

    def has_environment(self, digest: str) -> bool:
        """See the port."""
        return digest in self.environments

    def keep_environment(self, bucket: str, key: str, digest: str) -> None:
        """See the port."""
        actual = self.environments_offered.get((bucket, key))
        if actual is None:
            raise NotFound("environment", f"s3://{bucket}/{key}")
        if actual != digest:
            raise InvalidPackage("digest", digest, f"{actual}, the SHA-256 of s3://{bucket}/{key}")
        self.environments.add(digest)


@dataclass
class MemoryWorkflow:
    """Port ``Workflow``: remembers what was started; somebody else calls the ticks."""

    started: dict[str, str] = field(default_factory=dict)

    def start(self, endpoint: str, rollout: str) -> None:
        """See the port."""
        self.started.setdefault(rollout, endpoint)


@dataclass
class MemorySecrets:
    """What no one can guess, in a world in which everything can be done again: it is numbered."""

    made: int = 0

    def next(self) -> str:
        """64 hex digits."""
        self.made += 1
        return f"{self.made:04x}".ljust(64, "0")


@dataclass(frozen=True)
class InMemoryStage:
    """All parts in memory, each reachable for what a test wants to set or see."""

    clock: SetClock = field(default_factory=SetClock)
    store: MemoryStore = field(default_factory=MemoryStore)
    functions: MemoryLambda = field(default_factory=MemoryLambda)
    guardrails: MemoryGuardrails = field(default_factory=MemoryGuardrails)
    metrics: MemoryMetrics = field(default_factory=MemoryMetrics)
    packages: MemoryPackages = field(default_factory=MemoryPackages)
    workflow: MemoryWorkflow = field(default_factory=MemoryWorkflow)
    registry: MemoryRegistry = field(default_factory=MemoryRegistry)
    logs: MemoryLogs = field(default_factory=MemoryLogs)
    charts: MemoryCharts = field(default_factory=MemoryCharts)
    scale: MemoryScale = field(default_factory=MemoryScale)
    stacks: MemoryStacks = field(default_factory=MemoryStacks)
    groups: MemoryGroups = field(init=False)
    subscriptions: MemorySubscriptions = field(init=False)
    uploads: MemoryUploads = field(default_factory=MemoryUploads)
    secrets: MemorySecrets = field(default_factory=MemorySecrets)
    claims: MemoryIdempotencyStore = field(init=False)

    def __post_init__(self) -> None:
        # A mark is left by whatever commits, and looked for by the claims.
        object.__setattr__(self, "groups", MemoryGroups(self.store.changed))
        object.__setattr__(self, "subscriptions", MemorySubscriptions(self.store.changed))
        object.__setattr__(self, "claims", MemoryIdempotencyStore(self.store.changed))

    def ports(self, metric_lag: timedelta = timedelta(0)) -> Ports:
        """The ports on this world's parts."""
        return Ports(
            clock=self.clock,
            store=self.store,
            catalogue=self.store,
            evidence=self.store,
            rollout_history=self.store,
            aliases=self.functions,
            versions=self.functions,
            guardrails=self.guardrails,
            metrics=self.metrics,
            packages=self.packages,
            workflow=self.workflow,
            registry=self.registry,
            registry_pages=self.registry,
            logs=self.logs,
            charts=self.charts,
            scaling=self.scale,
            gate=self.scale,
            claims=self.claims,
            groups=self.groups,
            uploads=self.uploads,
            stacks=self.stacks,
            subscriptions=self.subscriptions,
            undelivered=self.subscriptions,
            metric_lag=metric_lag,
            new_secret=self.secrets.next,
        )
