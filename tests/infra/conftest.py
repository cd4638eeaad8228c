"""One synth a stage for the whole session: reading templates is cheap, making them is not."""

import os

# Before CDK's library is loaded: it greets Node 20 with a banner.
os.environ["JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"] = "20"

import pytest

from tests.infra.support import Synthesised, synthesise


@pytest.fixture(scope="session")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    """The stage dev: Python 3.13."""
    return synthesise(tmp_path_factory.mktemp("dev"), "dev")


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    """The stage local: Python 3.11."""
    return synthesise(tmp_path_factory.mktemp("local"), "local")


@pytest.fixture(scope="session")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    """The stage prod: what must not be lost is kept."""
    return synthesise(tmp_path_factory.mktemp("prod"), "prod")
