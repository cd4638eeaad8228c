"""The world that all actors share: every part in memory, as a value that can be kept and put back.

A snapshot holds what the parts hold, and a *ledger* of what the promises need and no part says:
which versions failed, which were taken back, what fronts were ever told (see ``ledger``).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from halftone.domain.audit import AuditRecord
from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.route_table import RouteConfig
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import HalftoneError, NotFound
from halftone.domain.names import ALIAS
from halftone.domain.rollout.evidence import Arm, Bucket, Evidence
from halftone.domain.rollout.routing import UNRELEASED, Anchor, ReadRouting, Routing
from halftone.ports import Ports
from halftone.ports.functions import Pointer, VersionStatus
from halftone.ports.guardrails import Guard
from halftone.testing import InMemoryStage, MemoryLambda, MemoryMetrics, MemoryRegistry
from tests.property.engine.simulation import OUTSIDE, Answer, Call, identity
from tests.property.simulation.ledger import Ledger, Stretch
from tests.support.engine import NAME

STACK = "arn:aws:cloudformation:eu-central-1:000000000000:stack/halftone-dev-fraud/0"
OTHER = "renamed"
"""The endpoint's name after a deploy that renames it."""


class Functions(MemoryLambda):
    """Lambda, which points no alias at a version that it does not have.

    ``gone``: the stack was deleted, and the function with it.
    """

    gone: bool = False

    def read(self, endpoint: str, alias: str = ALIAS) -> ReadRouting:
        """See ``Aliases``."""
        self._must_be_there(endpoint)
        return super().read(endpoint, alias)

    def point(self, endpoint: str, pointer: Pointer) -> VersionStatus:
        """See ``Versions``."""
        self._must_be_there(endpoint)
        return super().point(endpoint, pointer)

    def _must_be_there(self, endpoint: str) -> None:
        if self.gone and endpoint == NAME:
            raise NotFound("endpoint", endpoint, "its stack was deleted")

    def write(
        self,
        endpoint: str,
        routing: Routing,
        *,
        revision: str | None,
        alias: str = ALIAS,
        anchor: Anchor | None = None,
    ) -> str:
        """See ``Aliases``."""
        for version in (routing.main, routing.other):
            if version not in (None, UNRELEASED.main) and not self.has(endpoint, version):
                raise NotFound("version", str(version), f"{endpoint!r} has no such version")
        return super().write(endpoint, routing, revision=revision, alias=alias, anchor=anchor)

    def has(self, endpoint: str, version: str) -> bool:
        """Whether Lambda has that version."""
        there = version.isdecimal() and 0 < int(version) <= len(self.versions[endpoint])
        return there and (endpoint, version) not in self.deleted


class Metrics(MemoryMetrics):
    """CloudWatch, which counts each request under the cohort that it was in when it came."""

    def __init__(self) -> None:
        super().__init__()
        self.stretches: tuple[Stretch, ...] = ()

    def buckets(self, endpoint: str, **asked: Any) -> Sequence[Bucket]:
        """See the port."""
        counted = super().buckets(endpoint, **asked)
        ours, theirs = asked.get("cohorts", ("", ""))
        return tuple(self._of(bucket, ours, theirs) for bucket in counted)

    def _of(self, bucket: Bucket, ours: str, theirs: str) -> Bucket:
        then = [s for s in self.stretches if s.since <= bucket.start]
        if not then or then[-1].cohorts == (ours, theirs):
            return bucket
        return Bucket(bucket.start, Arm(), Arm())


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A world at one moment. ``key`` is equal for equal worlds."""

    moment: datetime
    states: Mapping[str, EndpointState]
    audit: Mapping[str, tuple[AuditRecord, ...]]
    published: Mapping[str, Mapping[str, Deployment]]
    evidence: Mapping[tuple[str, str], Evidence]
    dispatches: Mapping[str, RouteConfig]
    live: Mapping[str, Routing]
    live_revisions: Mapping[str, int]
    live_anchors: Mapping[str, Anchor | None]
    challengers: Mapping[str, ReadRouting]
    pointers: Mapping[str, Pointer]
    versions: Mapping[str, tuple[Pointer, ...]]
    deleted: frozenset[tuple[str, str]]
    guards: Mapping[str, Guard]
    started: Mapping[str, str]
    registry: MemoryRegistry
    counted: tuple[Bucket, ...]
    scale: tuple[object, ...]
    ledger: Ledger
    key: object = field(default=None)

    @cached_property
    def state(self) -> EndpointState | None:
        """The record of the endpoint that the story is about."""
        return self.states.get(NAME)

    @cached_property
    def records(self) -> tuple[AuditRecord, ...]:
        """Its audit."""
        return self.audit.get(NAME, ())

    @cached_property
    def alias(self) -> Routing:
        """What clients' requests meet."""
        return self.live.get(NAME, UNRELEASED)

    @cached_property
    def challenger_alias(self) -> Routing:
        """What fronts call."""
        read = self.challengers.get(NAME)
        return read.routing if read else UNRELEASED

    @cached_property
    def dispatch(self) -> RouteConfig | None:
        """What its fronts read."""
        return self.dispatches.get(NAME)

    @cached_property
    def guard(self) -> Guard | None:
        """The alarms."""
        return self.guards.get(NAME)

    def has(self, version: str) -> bool:
        """Whether Lambda has that version."""
        there = version.isdecimal() and 0 < int(version) <= len(self.versions.get(NAME, ()))
        return there and (NAME, version) not in self.deleted


class World:
    """One endpoint's world, which can be put back to any snapshot of it."""

    def __init__(self) -> None:
        self.real = InMemoryStage(functions=Functions(), metrics=Metrics())
        self.ledger = Ledger()
        self.ports: Ports = self.real.ports()
        self.yesterday: Snapshot | None = None
        """What a backup of the table holds."""
        self._at: Snapshot | None = None
        """The snapshot that the world is equal to, if it is known to be."""

    def save(self) -> Snapshot:
        """The world as it is."""
        real = self.real
        functions, store, scale = real.functions, real.store, real.scale
        snapshot = Snapshot(
            moment=real.clock.moment,
            states=dict(store.states),
            audit={name: tuple(records) for name, records in store.records.items()},
            published={name: dict(known) for name, known in store.published.items()},
            evidence=dict(store.kept),
            dispatches=dict(store.dispatches),
            live=dict(functions.routings),
            live_revisions=dict(functions.revisions),
            live_anchors=dict(functions.anchors),
            challengers=dict(functions.challengers),
            pointers=dict(functions.pointers),
            versions={name: tuple(known) for name, known in functions.versions.items()},
            deleted=frozenset(functions.deleted),
            guards=dict(real.guardrails.guards),
            started=dict(real.workflow.started),
            registry=real.registry.copy(),
            counted=_interned(tuple(real.metrics.counted[NAME])),
            scale=(dict(scale.reserved), dict(scale.replicas), dict(scale.throttles)),
            ledger=self.ledger,
        )
        object.__setattr__(snapshot, "key", _key(snapshot))
        self._at = snapshot
        return snapshot

    def put_back(self, snapshot: Snapshot) -> None:
        """Make the world what it was."""
        if self._at is snapshot:
            return
        self._at = snapshot
        real = self.real
        functions, scale = real.functions, real.scale
        real.clock.moment = snapshot.moment
        self.put_table_back(snapshot)
        functions.routings = dict(snapshot.live)
        _fill(functions.revisions, snapshot.live_revisions)
        functions.anchors = dict(snapshot.live_anchors)
        functions.challengers = dict(snapshot.challengers)
        functions.pointers = dict(snapshot.pointers)
        _fill(functions.versions, {name: list(v) for name, v in snapshot.versions.items()})
        functions.deleted = set(snapshot.deleted)
        real.guardrails.guards = dict(snapshot.guards)
        real.workflow.started = dict(snapshot.started)
        real.metrics.counted[NAME] = snapshot.counted  # type: ignore[assignment]
        scale.reserved, scale.replicas, scale.throttles = (dict(d) for d in snapshot.scale)  # type: ignore[call-overload]
        self.ledger = snapshot.ledger
        self.tell_parts()

    def put_table_back(self, snapshot: Snapshot) -> None:
        """Restore the table alone, as from a backup."""
        store = self.real.store
        store.states = dict(snapshot.states)
        _fill(store.records, {name: list(r) for name, r in snapshot.audit.items()})
        _fill(store.published, {name: dict(d) for name, d in snapshot.published.items()})
        store.kept = dict(snapshot.evidence)
        store.dispatches = dict(snapshot.dispatches)
        vars(self.real.registry).update(vars(snapshot.registry.copy()))

    def perform(
        self, call: Call, outside: Callable[["World", Call], object], *, reads: bool = False
    ) -> Answer:
        """Let ``call`` happen, by ``outside`` where it is no port; one that ``reads`` changes
        nothing."""
        if not reads:
            self._at = None
        try:
            if call.port == OUTSIDE:
                return Answer(outside(self, call))
            port = getattr(self.ports, call.port)
            return Answer(getattr(port, call.method)(*call.args, **call.kwargs))
        except HalftoneError as error:
            return Answer(error=error)

    def note(self, **changes: Any) -> None:
        """Write into the ledger."""
        self.ledger = replace(self.ledger, **changes)
        self.tell_parts()

    def tell_parts(self) -> None:
        """Let metrics and CloudFormation know what the ledger says of them."""
        stack = self.ledger.stack
        self.real.stacks.statuses = {STACK: stack.status} if stack else {}
        functions = self.real.functions
        assert isinstance(functions, Functions)
        functions.gone = stack is None
        metrics = self.real.metrics
        assert isinstance(metrics, Metrics)
        metrics.stretches = self.ledger.stretches


_BUCKETS: dict[tuple[Bucket, ...], tuple[Bucket, ...]] = {}


def _interned(counted: tuple[Bucket, ...]) -> tuple[Bucket, ...]:
    """The one object that stands for equal buckets."""
    known = _LAST.get(id(counted))
    if known is counted:
        return counted
    one = _BUCKETS.setdefault(counted, counted)
    _LAST[id(one)] = one
    return one


_LAST: dict[int, tuple[Bucket, ...]] = {}


def _fill(kept: dict[str, Any], contents: Mapping[str, Any]) -> None:
    kept.clear()
    kept.update(contents)


def _key(given: Snapshot) -> object:
    return (
        given.moment,
        tuple((name, identity(state)) for name, state in given.states.items()),
        tuple(len(records) for records in given.audit.values()),
        tuple(tuple(known.values()) for known in given.published.values()),
        tuple((name, identity(kept)) for name, kept in given.evidence.items()),
        tuple(given.live.items()),
        tuple(given.live_revisions.items()),
        tuple(given.live_anchors.items()),
        tuple(given.challengers.items()),
        tuple(given.pointers.items()),
        tuple(given.versions.items()),
        given.deleted,
        tuple(given.guards.items()),
        tuple(given.started),
        tuple((name, model.revision) for name, model in given.registry.kept.items()),
        id(given.counted),
        repr(given.scale),
        given.ledger,
    )
