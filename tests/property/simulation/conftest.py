"""All tests of the simulation work verdicts out once."""

from collections.abc import Iterator

import pytest

from tests.property.simulation.quick import quickly


@pytest.fixture(autouse=True, scope="session")
def _quickly() -> Iterator[None]:
    with quickly():
        yield
