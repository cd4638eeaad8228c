# ruff: noqa: T201 - it is a command
"""The long run of the simulation: ``make simulate``, or one life again by its world and seed.

Every pair of actors in every world, overtaken twice, or once with a crash or an unanswered call;
then lives at random until there were as many schedules as asked for. One process for each core;
the count of every world is printed when it is through, and the story of every broken promise.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from multiprocessing import Pool

from tests.property.simulation.actors.everybody import ACTORS
from tests.property.simulation.exploration import Bounds, explore, pairs
from tests.property.simulation.faults import OPEN_TAGS
from tests.property.simulation.lives import Theatre
from tests.property.simulation.promises import Broken, waiving
from tests.property.simulation.quick import quickly
from tests.property.simulation.stage import Stage
from tests.property.simulation.worlds import WORLDS

DEEP = (Bounds(switches=2), Bounds(switches=1, crashes=1), Bounds(switches=1, faults=1))
SCHEDULES = 1_000_000
_FULL = 300_000
_SHOWN = 5


def all_pairs(world: str) -> tuple[int, list[str]]:
    """How many schedules all pairs of a world have, and the stories of those that break."""
    stories: list[str] = []
    count = 0
    stage = Stage(WORLDS[world])
    present = [actor.anew() for actor in ACTORS.values() if actor.is_in(world)]
    with quickly(), waiving(*OPEN_TAGS):
        for pair in pairs(present):
            if stage.steps_taken > _FULL:
                stage = Stage(WORLDS[world])
                present = [actor.anew() for actor in present]
                pair = tuple(ACTORS[actor.name].anew() for actor in pair)  # noqa: PLW2901
            for bounds in DEEP:
                try:
                    count += explore(stage, pair, bounds)
                except Broken as broken:
                    stories.append(story(world, broken))
    return count, stories


def lives(world: str, seeds: range) -> tuple[int, list[str]]:
    """How many lives were led, and the stories of those that break."""
    stories: list[str] = []
    theatre = Theatre(world)
    with quickly(), waiving(*OPEN_TAGS):
        for seed in seeds:
            try:
                theatre.live(seed)
            except Broken as broken:
                stories.append(story(world, broken))
    return len(seeds), stories


def story(world: str, broken: Broken) -> str:
    """A broken promise with its schedule."""
    return "\n".join([f"in the world {world!r}: {broken}", *broken.__notes__])


def run(schedules: int) -> int:
    """Simulate, and print what was found; answers how many promises broke."""
    names = list(WORLDS)
    total, found = 0, list[str]()
    with Pool(os.cpu_count()) as pool:
        for name, (count, stories) in zip(names, pool.imap(all_pairs, names), strict=True):
            total += count
            found += stories
            print(f"{name}: {count:,} schedules of pairs, {len(stories)} broken", flush=True)
        first, batch = 1_000, 200
        while total < schedules:
            work = [(name, range(first, first + batch)) for name in names]
            for count, stories in pool.starmap(lives, work):
                total += count
                found += stories
            first += batch
            print(f"{total:,} schedules, {len(found)} broken", flush=True)
    for told in found[:_SHOWN]:
        print(told, end="\n\n")
    print(f"{total:,} schedules, {len(found)} broken")
    return len(found)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schedules", type=int, default=SCHEDULES, help="how many at least")
    parser.add_argument("--world", choices=list(WORLDS), help="one world alone")
    parser.add_argument("--seed", type=int, help="with --world: the life of that seed")
    given = parser.parse_args(arguments)
    if given.world is None:
        return 1 if run(given.schedules) else 0
    if given.seed is None:
        count, stories = all_pairs(given.world)
    else:
        count, stories = lives(given.world, range(given.seed, given.seed + 1))
    print("\n\n".join([*stories[:_SHOWN], f"{count:,} schedules, {len(stories)} broken"]))
    return 1 if stories else 0


if __name__ == "__main__":
    sys.exit(main())
