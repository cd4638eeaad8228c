"""Every pair of actors that can meet in a world keeps the promises, in every schedule up to bounds.

The table of pairs is made from the actors: whoever is added to one of their modules meets everybody
else, and a second one of its own kind. In each of its worlds

* each actor acts alone, with one crash and one unanswered call anywhere;
* each pair acts in turn, and where one of the two moves traffic by itself (``MOVERS``), one of them
  is also overtaken once, at any of its calls.

``make simulate`` goes deeper (see ``simulate``).
"""

import pytest

from tests.property.simulation.actors.everybody import ACTORS
from tests.property.simulation.exploration import Bounds, explore, pairs
from tests.property.simulation.faults import OPEN_TAGS
from tests.property.simulation.promises import waiving
from tests.property.simulation.stage import Stage
from tests.property.simulation.worlds import WORLDS

MOVERS = {"workflow", "back", "alarm", "deploy", "traffic"}
"""The kinds of actors that move traffic by themselves."""


@pytest.mark.parametrize("name", WORLDS)
def test_every_pair_keeps_the_promises(name, record_property):
    stage = Stage(WORLDS[name])
    present = [actor.anew() for actor in ACTORS.values() if actor.is_in(name)]
    schedules = 0
    with waiving(*OPEN_TAGS):
        for actor in present:
            schedules += explore(stage, [actor], Bounds(0, crashes=1, faults=1))
        for pair in pairs(present):
            moves = {actor.kind for actor in pair} & MOVERS
            schedules += explore(stage, pair, Bounds(switches=1 if moves else 0))
    record_property("schedules", str(schedules))
    assert schedules > len(present) ** 2 / 2
