"""Beyond the exhaustive depth: lives at random keep the promises. ``make simulate`` leads more."""

import pytest

from tests.property.simulation.faults import OPEN_TAGS
from tests.property.simulation.lives import Theatre
from tests.property.simulation.promises import waiving
from tests.property.simulation.worlds import WORLDS

LIVES = 25


@pytest.mark.parametrize("world", WORLDS)
def test_lives_keep_the_promises(world):
    theatre = Theatre(world)
    with waiving(*OPEN_TAGS):
        for seed in range(LIVES):
            theatre.live(seed)
