"""Systematic exploration: every schedule of a scenario's processes, with crashes and faults.

A schedule says at each moment which process makes its next call, and whether that call goes well
(``tick``), the process dies instead of making it (``tick!``), or the service is unavailable before
(``tick-``) or after (``tick+``) the call took effect. Two schedules that lead to the same world
with all processes standing at the same places have the same future: it is explored once, and the
schedules are counted. To die before a read is to die before the write that would follow it.

``replay`` runs one schedule, as it stands in the message of a broken promise.
"""

from dataclasses import dataclass, field

from tests.property.engine.promises import Broken
from tests.property.engine.simulation import OUTSIDE, Standing
from tests.property.engine.stage import AFTER, BEFORE, DIES, WELL, Scenario, Stage

AGAIN = "To see it again:"
"""What stands before the script, which is the rest of a broken promise's message."""


@dataclass(frozen=True)
class Covered:
    """How much an exploration saw."""

    schedules: int
    states: int
    worlds: int
    ends: int


def explore(scenario: Scenario) -> Covered:
    """Run every schedule.

    Raises:
        AssertionError: with a script that replays the schedule on which a promise broke.
    """
    search = _Search(Stage(scenario))
    try:
        schedules = search.run()
    except Broken as broken:
        raise AssertionError(_told(scenario, search.path, broken)) from None
    return Covered(schedules, len(search.known), len(search.stage.snapshots), len(search.ends))


_Node = tuple[int, tuple[Standing, ...], int, int, int, int | None]
"""All that the future depends on: the world, where all processes stand, crashes and faults that
are left, and, where switches are bounded, who made the last call and how many are left."""


@dataclass
class _Search:
    stage: Stage
    known: dict[_Node, int] = field(default_factory=dict)
    ends: set[int] = field(default_factory=set)
    path: list[tuple[int, str]] = field(default_factory=list)

    def run(self) -> int:
        stage, scenario = self.stage, self.stage.scenario
        standings = tuple(stage.ready(stage.begin, process.start) for process in stage.processes)
        return self.visit(
            (stage.begin, standings, scenario.crashes, scenario.faults, -1, scenario.switches)
        )

    def visit(self, node: _Node) -> int:
        """How many schedules lead on from ``node``."""
        world, standings, crashes, faults, last, switches = node
        count = 0
        moving = last >= 0 and standings[last].call is not None
        for i, standing in enumerate(standings):
            call = standing.call
            if call is None:
                continue
            left = switches
            if switches is not None and moving and i != last:
                if not switches:
                    continue
                left = switches - 1
            for kind in self._kinds(call.port == OUTSIDE, call.reads, crashes, faults):
                self.path.append((i, kind))
                now, after = self.stage.step(world, standing, kind)
                following = (
                    now,
                    (*standings[:i], after, *standings[i + 1 :]),
                    crashes - (kind == DIES),
                    faults - (kind in (BEFORE, AFTER)),
                    -1 if switches is None else i,
                    left,
                )
                found = self.known.get(following)
                count += self.visit(following) if found is None else found
                self.path.pop()
        if not any(standing.call for standing in standings):
            count = self._end(world)
        self.known[node] = count
        return count

    def _end(self, world: int) -> int:
        if world not in self.ends:
            self.stage.end(world)
            self.ends.add(world)
        return 1

    @staticmethod
    def _kinds(outside: bool, reads: bool, crashes: int, faults: int) -> tuple[str, ...]:
        if outside or not (crashes or faults):
            return (WELL,)
        return (
            WELL,
            *((DIES,) if crashes and not reads else ()),
            *((BEFORE,) if faults else ()),
            *((AFTER,) if faults and not reads else ()),
        )


def replay(scenario: Scenario, schedule: str) -> list[str]:
    """Run one schedule; answers what happened, a line a step.

    Raises:
        Broken: where it breaks a promise; its notes hold what happened until then.
    """
    stage = Stage(scenario)
    names = [process.name for process in stage.processes]
    standings = [stage.ready(stage.begin, process.start) for process in stage.processes]
    world, lines = stage.begin, []
    try:
        for token in schedule.split():
            kind = token[-1] if token[-1] in (DIES, BEFORE, AFTER) else WELL
            i = names.index(token.removesuffix(kind))
            lines.append(_line(token, standings[i]))
            world, standings[i] = stage.step(world, standings[i], kind)
        if not any(standing.call for standing in standings):
            stage.end(world)
    except Broken as broken:
        broken.add_note("\n".join(lines))
        raise
    return lines


def _line(token: str, standing: Standing) -> str:
    call = standing.call
    assert call is not None, f"{token} has ended before"
    given = [_brief(value) for value in (*call.args, *call.kwargs.values())]
    return f"{token:>16}  {call.name}({', '.join(given)})"


def _brief(value: object) -> str:
    record = getattr(value, "record", None)
    text = f"{record.action}: {record.reason}" if record else repr(value)
    return text if len(text) < 90 else f"{text[:87]}..."


def _told(scenario: Scenario, path: list[tuple[int, str]], broken: Broken) -> str:
    names = list(scenario.processes)
    schedule = " ".join(f"{names[i]}{kind}" for i, kind in path)
    lines: list[str] = []
    try:
        replay(scenario, schedule)
    except Broken as again:
        lines = again.__notes__
    script = [
        "from tests.property.engine.exploration import replay",
        "from tests.property.engine.mutants import engine",
        "from tests.property.engine.scenarios import scenarios",
        f"replay(scenarios(engine())[{scenario.name!r}], {schedule!r})",
    ]
    return "\n".join([str(broken), *lines, "", AGAIN, *script])
