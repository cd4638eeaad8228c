"""Schedules: every one of a few actors up to stated bounds, or one drawn at random.

A schedule says at each moment which actor makes its next call, and how that call goes. Two
schedules that lead to the same world with all actors standing at the same places have the same
future: it is explored once, and the schedules are counted.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations_with_replacement

from tests.property.engine.simulation import Standing
from tests.property.simulation.actors.actor import Actor
from tests.property.simulation.promises import Broken
from tests.property.simulation.stage import AFTER, BEFORE, DIES, WELL, Stage

Path = list[tuple[int, str]]
"""A schedule so far: the number of the actor that moved, and how its call went."""


@dataclass(frozen=True)
class Bounds:
    """``switches`` is how often an actor that could go on is overtaken; crashes and faults as they
    are called.
    """

    switches: int = 1
    crashes: int = 0
    faults: int = 0


_Node = tuple[int, tuple[Standing, ...], int, int, int, int]


@dataclass
class Search:
    """All schedules of ``actors`` in the world of ``stage``."""

    stage: Stage
    actors: Sequence[Actor]
    bounds: Bounds
    path: Path = field(default_factory=list)
    _known: dict[_Node, int] = field(default_factory=dict)

    def run(self) -> int:
        """How many schedules there are.

        Raises:
            Broken: at the first promise that does not hold; ``path`` led there.
        """
        begin = self.stage.begin
        standings = tuple(self.stage.start(begin, actor) for actor in self.actors)
        bounds = self.bounds
        return self._visit((begin, standings, bounds.crashes, bounds.faults, -1, bounds.switches))

    def _visit(self, node: _Node) -> int:
        world, standings, crashes, faults, last, switches = node
        count = 0
        moving = last >= 0 and standings[last].call is not None
        for i, standing in enumerate(standings):
            if standing.call is None:
                continue
            left = switches
            if moving and i != last:
                if not switches:
                    continue
                left = switches - 1
            for kind in self.stage.kinds(standing, crashes, faults):
                self.path.append((i, kind))
                now, after = self.stage.step(world, standing, kind)
                following = (
                    now,
                    (*standings[:i], after, *standings[i + 1 :]),
                    crashes - (kind == DIES),
                    faults - (kind in (BEFORE, AFTER)),
                    i,
                    left,
                )
                known = self._known.get(following)
                count += self._visit(following) if known is None else known
                self.path.pop()
        if not any(standing.call for standing in standings):
            self.stage.end(world, repeated(self.actors))
            count = 1
        self._known[node] = count
        return count


def repeated(actors: Sequence[Actor]) -> list:  # type: ignore[type-arg]
    """What may be delivered once more when ``actors`` have gone home."""
    return [actor.repeated for actor in actors if actor.repeated]


def pairs(present: Sequence[Actor]) -> Iterator[tuple[Actor, Actor]]:
    """Every two of ``present``, and a second one of each kind of people, ticks and alarms.

    CloudFormation runs one deploy of a stack at a time: no deploy meets itself.
    """
    for one, other in combinations_with_replacement(present, 2):
        if one is not other or one.kind != "deploy":
            yield one, other


def explore(stage: Stage, actors: Sequence[Actor], bounds: Bounds) -> int:
    """Run every schedule; answers how many there are.

    Raises:
        Broken: with the schedule in its notes, as a story.
    """
    search = Search(stage, actors, bounds)
    try:
        return search.run()
    except Broken as broken:
        tell(stage, actors, search.path, broken)
        raise


def tell(stage: Stage, actors: Sequence[Actor], path: Path, broken: Broken) -> None:
    """Put the schedule into the notes of ``broken``, a line a call."""
    script = " ".join(f"{i}{kind}" for i, kind in path)
    names = [actor.name for actor in actors]
    lines = []
    world = stage.begin
    standings = [stage.start(world, actor) for actor in actors]
    for i, kind in path:
        call = standings[i].call
        assert call is not None
        shown = ", ".join(_brief(value) for value in (*call.args, *call.kwargs.values()))
        lines.append(f"  {names[i]:>28}{kind:1} {call.name}({shown})")
        try:
            world, standings[i] = stage.step(world, standings[i], kind)
        except Broken:
            break
    else:
        lines.append("  then everybody has gone home, and two ticks come")
    broken.add_note("\n".join(lines))
    broken.add_note(f"To see it again: replay(WORLD, {names!r}, {script!r})")


def replay(stage: Stage, actors: Sequence[Actor], script: str) -> int:
    """Run one schedule; answers the world that it leads to.

    Raises:
        Broken: where it breaks a promise.
    """
    world = stage.begin
    standings = [stage.start(world, actor) for actor in actors]
    for token in script.split():
        kind = token[-1] if token[-1] in (DIES, BEFORE, AFTER) else WELL
        i = int(token.removesuffix(kind))
        world, standings[i] = stage.step(world, standings[i], kind)
    if not any(standing.call for standing in standings):
        stage.end(world, repeated(actors))
    return world


def _brief(value: object) -> str:
    record = getattr(value, "record", None)
    text = f"{record.action}: {record.reason}" if record else repr(value)
    return text if len(text) < 90 else f"{text[:87]}..."


def wander(stage: Stage, actors: Sequence[Actor], draw: random.Random, most: int = 4) -> None:
    """One schedule at random: up to ``most`` actors at once, coming in and going home.

    Raises:
        Broken: with the schedule in its notes, as a story.
    """
    world, path = stage.begin, Path()
    cast: list[Actor] = []
    standings: list[Standing] = []
    waiting = list(actors)
    try:
        while waiting or any(s.call for s in standings):
            present = [i for i, s in enumerate(standings) if s.call]
            if waiting and (not present or (len(present) < most and draw.random() < 0.2)):
                actor = waiting.pop(0)
                cast.append(actor)
                standings.append(stage.start(world, actor))
                continue
            i = draw.choice(present)
            for _ in range(draw.choice((1, 1, 2, 4, 50))):
                if standings[i].call is None:
                    break
                kinds = stage.kinds(standings[i], 1, 1)
                kind = draw.choice(kinds) if draw.random() < 0.08 else WELL
                path.append((i, kind))
                world, standings[i] = stage.step(world, standings[i], kind)
        stage.end(world, repeated(cast))
    except Broken as broken:
        tell(stage, cast, path, broken)
        raise
