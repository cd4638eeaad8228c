"""What every tier shares: how hypothesis runs, and in how many processes tests do.

The profile ``ci`` is the default and repeats itself exactly: a red test is red for everybody. Set
HYPOTHESIS_PROFILE=explore to look for new examples. `make mutants` runs with few examples, and does
not look for the smallest one that fails.
"""

import os

import pytest
from hypothesis import Phase, settings

settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("explore", max_examples=1000, deadline=None, print_blob=True)
settings.register_profile(
    "mutants",
    derandomize=True,
    deadline=None,
    max_examples=40,
    phases=[Phase.explicit, Phase.generate],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: tests of the local AWS wait more than they compute."""
    return (os.cpu_count() or 1) + 1
