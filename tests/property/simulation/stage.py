"""A world in motion: one call of one actor at a time, judged, and remembered.

Each step is taken once: what follows depends on nothing but the world, where the actor stands, and
how its call goes. ``WELL``; it ``DIES`` before the call is made; the service is unavailable
``BEFORE`` or ``AFTER`` the call took effect.

One stage serves every schedule that begins with the same world, so that what two schedules have in
common is worked out once.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from halftone.domain.errors import Unavailable
from tests.property.engine.simulation import OUTSIDE, Answer, Call, Process, Standing
from tests.property.simulation import ledger_rules
from tests.property.simulation.actors.actor import Actor, outside
from tests.property.simulation.actors.workflow import NEXT_TICK
from tests.property.simulation.promises import checks
from tests.property.simulation.world import Snapshot, World

WELL, DIES, BEFORE, AFTER = "", "!", "-", "+"
_DEAD = Answer(crash=True)
_OUT = Answer(error=Unavailable("the service did not answer"))

_READS = ("read", "both", "load", "audit", "status", "invoke", "deployments", "manifest")
_WRITTEN = ("commit_model", "commit_group")
_FREE = ("clock", "metrics", "packages", "catalogue", "registry", "registry_pages", "uploads")


def is_free(call: Call) -> bool:
    """Whether asking it is no step of its own: nobody else can change the answer."""
    return call.port in _FREE and call.method not in _WRITTEN


def is_read(call: Call) -> bool:
    """Whether the call changes nothing."""
    return call.method.startswith(_READS) or is_free(call)


@dataclass
class Stage:
    """One world and all that was seen of what can follow from it."""

    build: Callable[[], World]
    world: World = field(init=False)
    snapshots: list[Snapshot] = field(default_factory=list)
    steps_taken: int = 0
    called: set[tuple[str, str]] = field(default_factory=set)
    """Which role has made which call."""
    _numbers: dict[object, int] = field(default_factory=dict)
    _steps: dict[tuple[int, Standing, str], tuple[int, Standing]] = field(default_factory=dict)
    _quiet: dict[tuple[int, str, int], tuple[int, object]] = field(default_factory=dict)
    _ended: set[tuple[int, tuple[str, ...]]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.next_tick = NEXT_TICK.anew().process
        self.world = self.build()
        self.begin = self.number(self.world.save())

    def number(self, snapshot: Snapshot) -> int:
        """The number of the world that ``snapshot`` is equal to."""
        known = self._numbers.setdefault(snapshot.key, len(self.snapshots))
        if known == len(self.snapshots):
            self.snapshots.append(snapshot)
        return known

    def start(self, world: int, actor: Actor) -> Standing:
        """Where ``actor`` stands when it comes in."""
        return self.ready(world, actor.process.start)

    def ready(self, world: int, standing: Standing) -> Standing:
        """``standing`` with everything answered that asks for no other actor's leave."""
        while standing.call and is_free(standing.call):
            self.world.put_back(self.snapshots[world])
            self.called.add((standing.process.role, standing.call.name))
            answer = self.world.perform(standing.call, outside, reads=True)
            standing = self._given(world, standing, answer)
        return standing

    def step(self, world: int, standing: Standing, kind: str) -> tuple[int, Standing]:
        """The world and the actor after its next call goes as ``kind`` says.

        Raises:
            Broken: if that breaks a promise.
        """
        key = (world, standing, kind)
        known = self._steps.get(key)
        if known is None:
            known = self._steps[key] = self._take(world, standing, kind)
        return known

    def kinds(self, standing: Standing, crashes: int, faults: int) -> tuple[str, ...]:
        """How the next call may go, with so many crashes and faults left."""
        call = standing.call
        assert call is not None
        if call.port == OUTSIDE or not (crashes or faults):
            return (WELL,)
        reads = is_read(call)
        return (
            WELL,
            *((DIES,) if crashes and not reads else ()),
            *((BEFORE,) if faults else ()),
            *((AFTER,) if faults and not reads else ()),
        )

    def _take(self, number: int, standing: Standing, kind: str) -> tuple[int, Standing]:
        call = standing.call
        assert call is not None
        self.steps_taken += 1
        if kind in (DIES, BEFORE):
            after = self._given(number, standing, _DEAD if kind == DIES else _OUT)
            return number, self.ready(number, after)
        before = self.snapshots[number]
        self.world.put_back(before)
        answer = self.world.perform(call, outside, reads=is_read(call))
        self.called.add((standing.process.role, call.name))
        if call.method == "invoke" or not is_read(call):
            if call.port != OUTSIDE and not answer.error:
                ledger_rules.note(self.world, before, standing, answer)
            now = self.world.save()
            if call.port != OUTSIDE:
                checks.check_step(self.world, before, standing, now)
            number = self.number(now)
        after = self._given(number, standing, _OUT if kind == AFTER else answer)
        return number, self.ready(number, after)

    def _given(self, number: int, standing: Standing, answer: Answer) -> Standing:
        following = standing.given(answer)
        ended = standing.ended(answer)
        if ended and not answer.crash:
            checks.check_ended(self.snapshots[number], ended)
        return following

    def undisturbed(self, world: int, process: Process, fault: int = -1) -> tuple[int, object]:
        """The world after ``process`` ran alone from its start to its end, and how it ended.

        ``fault`` is the number of the call that is answered by nothing (-1: none).
        """
        key = (world, process.name, fault)
        if key not in self._quiet:
            now, standing, calls = world, self.ready(world, process.start), 0
            while standing.call:
                fails = calls == fault and standing.call.port != OUTSIDE
                now, standing = self.step(now, standing, BEFORE if fails else WELL)
                calls += 1
            self._quiet[key] = (now, (standing.result, calls))
        return self._quiet[key]

    def end(self, world: int, repeated: Iterable[Process]) -> None:
        """Judge a world in which every actor has gone home; ``repeated`` may come once more.

        Raises:
            Broken: if the next ticks do not put it right, or a repeated delivery changes it.
        """
        again = tuple(repeated)
        key = (world, tuple(process.name for process in again))
        if key not in self._ended:
            checks.check_end(self, world, again)
            self._ended.add(key)
