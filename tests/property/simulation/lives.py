"""Long lives of an endpoint at random: everybody may come in, several at once, and anything fails.

A life is told by its world and its seed alone: the same on every machine.
"""

import random
from collections.abc import Sequence

from tests.property.simulation.actors.actor import Actor
from tests.property.simulation.actors.everybody import ACTORS
from tests.property.simulation.exploration import wander
from tests.property.simulation.promises import Broken
from tests.property.simulation.stage import Stage
from tests.property.simulation.worlds import WORLDS

CAST = 8
"""How many actors come in during a life."""

_FULL = 40_000
"""Steps after which a stage is begun afresh, so that memory stays bounded."""


class Theatre:
    """One world in which lives are led."""

    def __init__(self, world: str) -> None:
        self.world = world
        self._begin()

    def _begin(self) -> None:
        self.stage = Stage(WORLDS[self.world])
        self.actors: Sequence[Actor] = [
            actor.anew() for actor in ACTORS.values() if actor.is_in(self.world)
        ]

    def live(self, seed: int) -> None:
        """Lead the life of that seed.

        Raises:
            Broken: with the world, the seed and the story in its notes.
        """
        if self.stage.steps_taken > _FULL:
            self._begin()
        draw = random.Random(seed)  # noqa: S311 - nothing secret is drawn
        cast = draw.sample(self.actors, CAST)
        try:
            wander(self.stage, cast, draw)
        except Broken as broken:
            how = f"python -m tests.property.simulation.simulate --world {self.world!r}"
            broken.add_note(f"To see it again: {how} --seed {seed}")
            raise
