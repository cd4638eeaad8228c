"""Every fault of the list is found by a mutation of its name, and the page says by which."""

from string import ascii_lowercase

from tests.property.simulation.faults import FAULTS
from tests.property.simulation.mutations import MUTATIONS
from tests.property.simulation.table import ELSEWHERE, PAGE, described, table


def test_every_fault_has_a_mutation():
    assert set(FAULTS) == set(MUTATIONS)


def test_every_letter_is_found_by_a_mutation_or_elsewhere():
    assert set(ascii_lowercase) <= set(FAULTS) | set(ELSEWHERE)
    assert set(described()) == set(FAULTS) | set(ELSEWHERE)


def test_the_page_has_the_table():
    assert table() in PAGE.read_text(encoding="utf-8")
