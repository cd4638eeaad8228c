"""Beyond the exhaustive depth: lives at random keep the promises. ``make simulate`` leads more."""

import pytest

from tests.property.simulation.faults import OPEN_TAGS
from tests.property.simulation.lives import Theatre
from tests.property.simulation.promises import waiving
from tests.property.simulation.worlds import WORLDS

LIVES = 25
OVERLOOKED = pytest.mark.xfail(
    strict=True,
    reason="open: in one life a challenger that fails half of its requests gets 100 % (promise 6)",
)
MARKED = [
    pytest.param(world, marks=OVERLOOKED) if str(world) == "promoting on age" else world
    for world in WORLDS
]


@pytest.mark.parametrize("world", MARKED, ids=str)
def test_lives_keep_the_promises(world):
    theatre = Theatre(world)
    with waiving(*OPEN_TAGS):
        for seed in range(LIVES):
            theatre.live(seed)
