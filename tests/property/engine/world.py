"""The world that the simulated processes share: all parts in memory, as a value that can be kept.

Besides what the parts hold, a world remembers what the promises need to judge it and no part says:
which versions passed their smoke test, which were taken back, who wrote the alias last, and what
fronts were ever told: any of them may still act on any of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from halftone.domain.audit import AuditRecord
from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.route_table import RouteConfig
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import HalftoneError
from halftone.domain.names import ALIAS, CHALLENGER
from halftone.domain.rollout.evidence import Evidence
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import UNRELEASED, ReadRouting, Routing
from halftone.domain.traffic.policy import Mode
from halftone.ports import Ports
from halftone.ports.functions import Pointer
from halftone.ports.guardrails import AlarmState, Guard
from halftone.testing import InMemoryStage, MemoryRegistry, MemoryStore
from tests.property.engine.simulation import OUTSIDE, Answer, Call, identity
from tests.support.engine import NAME, RIGHT


@dataclass(frozen=True)
class Memory:
    """What happened, as far as the promises ask."""

    answered: frozenset[str] = frozenset()
    """Versions whose samples were answered rightly."""

    taken_back: frozenset[tuple[str, str]] = frozenset()
    """Versions that a rollback took an alias from, with that alias, unless they were made champion
    since. An advance that is on its way when the fence goes up may still land before; never after.
    """

    fired_at: datetime | None = None
    """When the guardrail last went into alarm."""

    by_hand: bool = False
    """Whether the alias was last written past the engine."""

    told: frozenset["Told"] = frozenset()
    """The most that any dispatch ever let fronts pass on to a version."""


@dataclass(frozen=True)
class Told:
    """What a front that holds the worst dispatch for ``version`` passes on to it."""

    version: str
    share: float
    mirror: float


@dataclass(frozen=True)
class Reach:
    """The percentage of requests that a version may answer, and that it may score unseen."""

    share: float = 0.0
    mirror: float = 0.0


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A world at one moment. ``key`` is equal for equal worlds."""

    moment: datetime
    state: EndpointState | None
    records: tuple[AuditRecord, ...]
    deployments: Mapping[str, Deployment]
    evidence: Mapping[tuple[str, str], Evidence]
    alias: ReadRouting
    challenger: ReadRouting
    dispatch: RouteConfig | None
    pointer: Pointer | None
    versions: tuple[Pointer, ...]
    guard: Guard
    started: tuple[str, ...]
    registry: MemoryRegistry
    memory: Memory
    blind: bool
    key: object = field(default=None)

    def reach(self, version: str) -> Reach:
        """The most that ``version`` may get now, by the aliases and by any front's dispatch.

        A front passes on to the alias ``challenger``, and names the version that it expects: one
        that is not there sends the request back. ``blind`` fronts take whatever answers.
        """
        live = self.alias.routing.share_of(version)
        if self.challenger.routing != Routing(version):
            return Reach(live)
        most = [t for t in self.memory.told if self.blind or t.version == version]
        passed_on = max((t.share for t in most), default=0.0)
        return Reach(
            live + (100.0 - live) * passed_on / 100.0, max((t.mirror for t in most), default=0.0)
        )


class World:
    """One endpoint's world, which can be put back to any snapshot of it.

    ``blind`` is a fault of its fronts: they do not ask which version answers them.
    """

    def __init__(self, store: MemoryStore, *, blind: bool = False) -> None:
        self.blind = blind
        self.real = InMemoryStage(store=store)
        self.memory = Memory()
        self.ports: Ports = self.real.ports()

    def save(self) -> Snapshot:
        """The world as it is."""
        real = self.real
        snapshot = Snapshot(
            moment=real.clock.moment,
            state=real.store.states.get(NAME),
            records=tuple(real.store.records[NAME]),
            deployments=dict(real.store.published[NAME]),
            evidence=dict(real.store.kept),
            alias=real.functions.read(NAME),
            challenger=real.functions.read(NAME, CHALLENGER),
            dispatch=real.store.dispatches.get(NAME),
            pointer=real.functions.pointers.get(NAME),
            versions=tuple(real.functions.versions[NAME]),
            guard=real.guardrails.read(NAME),
            started=tuple(real.workflow.started),
            registry=real.registry.copy(),
            memory=self.memory,
            blind=self.blind,
        )
        object.__setattr__(snapshot, "key", _key(snapshot))
        return snapshot

    def put_back(self, snapshot: Snapshot) -> None:
        """Make the world what it was."""
        real = self.real
        real.clock.moment = snapshot.moment
        real.store.states = {NAME: snapshot.state} if snapshot.state else {}
        real.store.records[NAME] = list(snapshot.records)
        real.store.published[NAME] = dict(snapshot.deployments)
        real.store.kept = dict(snapshot.evidence)
        real.store.seen.clear()
        real.store.snapshots.clear()
        real.functions.routings[NAME] = snapshot.alias.routing
        real.functions.revisions[NAME] = int(snapshot.alias.revision)
        real.functions.anchors[NAME] = snapshot.alias.anchor
        real.functions.challengers[NAME] = snapshot.challenger
        real.store.dispatches = {NAME: snapshot.dispatch} if snapshot.dispatch else {}
        real.functions.pointers = {NAME: snapshot.pointer} if snapshot.pointer else {}
        real.functions.versions[NAME] = list(snapshot.versions)
        real.guardrails.guards[NAME] = snapshot.guard
        real.workflow.started = dict.fromkeys(snapshot.started, NAME)
        vars(real.registry).update(vars(snapshot.registry.copy()))
        self.memory = snapshot.memory

    def perform(self, call: Call) -> Answer:
        """Let ``call`` happen."""
        target: Any = _Outside(self) if call.port == OUTSIDE else getattr(self.ports, call.port)
        try:
            value = getattr(target, call.method)(*call.args, **call.kwargs)
        except HalftoneError as error:
            return Answer(error=error)
        return Answer(value)


def _key(given: Snapshot) -> object:
    return (
        given.moment,
        identity(given.state),
        len(given.records),
        tuple(given.deployments.items()),
        tuple((name, identity(kept)) for name, kept in given.evidence.items()),
        given.alias,
        given.challenger,
        given.dispatch and (given.dispatch.revision, given.dispatch.trial),
        given.pointer,
        given.versions,
        given.guard,
        given.started,
        given.memory,
    )


class _Outside:
    """What the programs' ``outside`` does to the world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._real = world.real

    def pass_by(self, seconds: float) -> None:
        """Time passes."""
        self._real.clock.pass_by(timedelta(seconds=seconds))

    def alarm(self) -> datetime | None:
        """CloudWatch sees the version that it watches fail, if that one gets traffic."""
        watched = self._real.guardrails.read(NAME)
        if self._world.save().reach(watched.armed_for or "") == Reach():
            return None
        if watched.state is not AlarmState.ALARM:
            self._real.guardrails.trip(NAME, "errors above 5 %")
            self._remember(fired_at=self._real.clock.now())
        return self._world.memory.fired_at

    def fired_at(self) -> datetime | None:
        """When an alarm last went off: for an event that is delivered once more."""
        return self._world.memory.fired_at

    def disarm(self) -> None:
        """A deploy puts the template's value back into the alarms."""
        self._real.guardrails.guards[NAME] = Guard(AlarmState.OK, "deployed", "none")

    def write_alias(self, routing: Routing, alias: str) -> None:
        """Somebody writes an alias past the engine."""
        self._real.functions.write(NAME, routing, revision=None, alias=alias)
        self._remember(by_hand=True)

    def recreate(self) -> None:
        """The stack was deleted and is made anew."""
        functions = self._real.functions
        functions.versions[NAME] = []
        functions.pointers.pop(NAME, None)
        functions.write(NAME, UNRELEASED, revision=None)
        functions.write(NAME, UNRELEASED, revision=None, alias=CHALLENGER)
        self._real.guardrails.guards.pop(NAME, None)
        self._world.memory = Memory()

    def _remember(self, **changes: Any) -> None:
        self._world.memory = Memory(**{**vars(self._world.memory), **changes})


def remember(world: World, call: Call, answer: Answer) -> None:
    """Bring the world's memory up to date after the engine's ``call``."""
    if answer.error or answer.crash:
        return
    changes: dict[str, Any] = {}
    known = world.memory
    if call.name == "versions.invoke" and answer.value == RIGHT:
        changes["answered"] = known.answered | {call.args[1]}
    state = world.real.store.states.get(NAME)
    champion = state.champion.version if state and state.champion else ""
    rollout = state.rollout if state else None
    if call.name == "aliases.write":
        alias = call.kwargs.get("alias", ALIAS)
        if alias == ALIAS:
            changes["by_hand"] = False
        fenced = rollout and rollout.phase is Phase.ROLLING_BACK and rollout.challenger
        if fenced and not call.args[1].share_of(fenced):
            changes["taken_back"] = known.taken_back | {(fenced, alias)}
    if call.name == "store.commit":
        changes["taken_back"] = frozenset(t for t in known.taken_back if t[0] != champion)
    if call.port == "store":
        changes["told"] = told(known.told, world.real.store.dispatches.get(NAME))
    if changes:
        world.memory = Memory(**{**vars(known), **changes})


def told(known: frozenset[Told], dispatch: RouteConfig | None) -> frozenset[Told]:
    """``known`` with what ``dispatch`` tells fronts; of each version the most."""
    trial = dispatch.trial if dispatch else None
    if trial is None:
        return known
    share = trial.share if trial.mode is Mode.GUARDED else 0.0
    before = [one for one in known if one.version == trial.version]
    most = Told(
        trial.version,
        max([share, *(one.share for one in before)]),
        max([trial.mirror, *(one.mirror for one in before)]),
    )
    return known if most.share == most.mirror == 0.0 else (known - {*before}) | {most}
