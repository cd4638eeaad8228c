"""The simulation can fail: with its mend taken out, each fault is seen again for what it is."""

import pytest

from tests.property.simulation.faults import FAULTS, OPEN
from tests.property.simulation.mutations import MUTATIONS, swapped
from tests.property.simulation.promises import Broken
from tests.property.simulation.test_faults import meet


@pytest.mark.parametrize("letter", MUTATIONS)
def test_a_mend_that_is_taken_out_is_missed(letter):
    fault = FAULTS[letter]
    with swapped(*MUTATIONS[letter]()), pytest.raises(Broken) as caught:
        meet(fault)
    assert (caught.value.promise, caught.value.tag) == (fault.promise, fault.tag)


def test_no_mend_of_an_open_fault_is_taken_out():
    assert not set(MUTATIONS) & set(OPEN)
