"""Each fault of ``faults`` that the simulation can see is mended; while it is not, it is seen."""

import pytest

from tests.property.simulation.actors.everybody import ACTORS
from tests.property.simulation.exploration import explore
from tests.property.simulation.faults import FAULTS, OPEN, Fault
from tests.property.simulation.promises import Broken, waiving
from tests.property.simulation.stage import Stage
from tests.property.simulation.worlds import WORLDS


def meet(fault: Fault) -> int:
    """Run every schedule in which the fault's actors meet."""
    actors = [ACTORS[name].anew() for name in fault.actors]
    with waiving(*fault.besides):
        return explore(Stage(WORLDS[fault.world]), actors, fault.bounds)


@pytest.mark.parametrize(
    "letter",
    [
        pytest.param(letter, marks=pytest.mark.xfail(strict=True, raises=Broken))
        if letter in OPEN
        else letter
        for letter in FAULTS
    ],
)
def test_the_fault_is_mended(letter):
    assert meet(FAULTS[letter])


@pytest.mark.parametrize("letter", OPEN)
def test_the_fault_is_seen_for_what_it_is(letter):
    fault = FAULTS[letter]
    with pytest.raises(Broken) as caught:
        meet(fault)
    assert (caught.value.promise, caught.value.tag) == (fault.promise, fault.tag)
