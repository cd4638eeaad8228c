"""Every pair of actors that can meet in a world keeps the promises, in every schedule up to bounds.

The table of pairs is made from the actors: whoever is added to one of their modules meets everybody
else. Each pair is run in each of its worlds

* with one of them overtaken once, at any of its calls;
* one after the other, with one crash or one unanswered call anywhere.

``make simulate`` goes deeper (see ``simulate``).
"""

from itertools import combinations_with_replacement

import pytest

from tests.property.simulation.actors.everybody import ACTORS
from tests.property.simulation.exploration import Bounds, explore
from tests.property.simulation.faults import OPEN_TAGS
from tests.property.simulation.promises import waiving
from tests.property.simulation.stage import Stage
from tests.property.simulation.worlds import WORLDS

BOUNDS = (Bounds(switches=1), Bounds(switches=0, crashes=1), Bounds(switches=0, faults=1))


@pytest.mark.parametrize("name", WORLDS)
def test_every_pair_keeps_the_promises(name, record_property):
    stage = Stage(WORLDS[name])
    present = [actor.anew() for actor in ACTORS.values() if actor.is_in(name)]
    schedules = 0
    with waiving(*OPEN_TAGS):
        for pair in combinations_with_replacement(present, 2):
            for bounds in BOUNDS:
                schedules += explore(stage, pair, bounds)
    record_property("schedules", str(schedules))
    assert schedules > len(present) ** 2
