"""A scenario in motion: its world and its processes, one step at a time.

Each step is taken once and remembered: what follows depends on nothing but the world, where the
process stands, and how its call goes. ``WELL``; ``DIES`` before it is made; the service is
unavailable ``BEFORE`` or ``AFTER`` it took effect.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from halftone.domain.errors import Unavailable
from tests.property.engine.promises import Broken, check_agreement, check_step, same
from tests.property.engine.simulation import INSTANT, OUTSIDE, Act, Answer, Process, Standing
from tests.property.engine.world import Snapshot, World, remember

WELL, DIES, BEFORE, AFTER = "", "!", "-", "+"
_DEAD = Answer(crash=True)
_OUT = Answer(error=Unavailable("the service did not answer"))


@dataclass(frozen=True)
class Scenario:
    """A world, the processes that meet in it, and what may be delivered once more at the end.

    ``crashes`` and ``faults`` bound how many there are in one schedule; ``switches`` bounds how
    often a process that could go on is overtaken (None: any number of times).
    """

    name: str
    world: Callable[[], World]
    processes: Mapping[str, tuple[Act, ...]]
    repeated: Mapping[str, Act]
    tick: Act
    crashes: int = 0
    faults: int = 0
    switches: int | None = None


@dataclass
class Stage:
    """A scenario's world and processes in motion: one step at a time, each step done once."""

    scenario: Scenario
    world: World = field(init=False)
    snapshots: list[Snapshot] = field(default_factory=list)
    _numbers: dict[object, int] = field(default_factory=dict)
    _steps: dict[tuple[int, Standing, str], tuple[int, Standing]] = field(default_factory=dict)
    _quiet: dict[tuple[int, str], tuple[int, object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.world = self.scenario.world()
        self.begin = self.number(self.world.save())
        self.processes = [Process(n, *acts) for n, acts in self.scenario.processes.items()]
        self.repeated = [Process(n, act) for n, act in self.scenario.repeated.items()]
        self.tick = Process("the next tick", self.scenario.tick)

    def number(self, snapshot: Snapshot) -> int:
        """The number of the world that ``snapshot`` is equal to."""
        known = self._numbers.setdefault(snapshot.key, len(self.snapshots))
        if known == len(self.snapshots):
            self.snapshots.append(snapshot)
        return known

    def ready(self, world: int, standing: Standing) -> Standing:
        """``standing`` with everything answered that asks for no other process's leave."""
        while standing.call and standing.call.port in INSTANT:
            self.world.put_back(self.snapshots[world])
            standing = standing.given(self.world.perform(standing.call))
        return standing

    def step(self, world: int, standing: Standing, kind: str) -> tuple[int, Standing]:
        """The world and the process after its next call goes as ``kind`` says.

        Raises:
            Broken: if that breaks a promise.
        """
        key = (world, standing, kind)
        found = self._steps.get(key)
        if found is None:
            found = self._steps[key] = self._take(world, standing, kind)
        return found

    def _take(self, number: int, standing: Standing, kind: str) -> tuple[int, Standing]:
        call = standing.call
        assert call is not None
        if kind in (DIES, BEFORE):
            answer = _DEAD if kind == DIES else _OUT
            return number, self.ready(number, standing.given(answer))
        before = self.snapshots[number]
        self.world.put_back(before)
        answer = self.world.perform(call)
        if call.method == "invoke" or not call.reads:
            remember(self.world, call, answer)
            after = self.world.save()
            if call.port != OUTSIDE:
                check_step(self.world, before, standing, after)
            number = self.number(after)
        return number, self.ready(number, standing.given(_OUT if kind == AFTER else answer))

    def undisturbed(self, world: int, process: Process) -> tuple[int, object]:
        """The world after ``process`` ran from its start to its end alone, and what it answered."""
        key = (world, process.name)
        if key not in self._quiet:
            now, standing = world, self.ready(world, process.start)
            while standing.call:
                now, standing = self.step(now, standing, WELL)
            self._quiet[key] = (now, standing.result)
        return self._quiet[key]

    def end(self, world: int) -> None:
        """Judge a world in which every process has ended.

        Raises:
            Broken: if the next tick does not put it right, or a repeated delivery changes it.
        """
        world, result = self.undisturbed(world, self.tick)
        if isinstance(result, Exception):
            raise Broken(8, f"the next tick fails: {result!r}")
        check_agreement(self.snapshots[world])
        for process in self.repeated:
            after, _ = self.undisturbed(world, process)
            if not same(self.snapshots[world], self.snapshots[after]):
                raise Broken(7, f"{process.name}, delivered once more, changes the record")
