"""One local AWS for the whole tier, with a platform and an endpoint for each story.

Everything is deployed once by the real CDK CLI, however many processes run the tests. Each test has
endpoints of its own, so that no test waits for another's rollout.
"""

import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from unittest import mock

import pytest

from demo.cloud import Cloud
from halftone_local.addresses import api_url
from tests.e2e.people import Person, made
from tests.e2e.sharing import Shared, held
from tests.e2e.support import Stage, declare

ENDPOINTS = ("promoted", "alarmed", "redeployed", "restarted", "silent", "split")
OPERATED = ("operated", "returned")
EXAMINED = ("examined",)
CONTROLLED = ("controlled",)
CAPTURED = ("captured", "judged")
KEPT = "kept"
NOTICED = "noticed"
GUARDED = ("guarded-raising", "guarded-sleeping", "guarded-dying", "sticky")
TAKEN_BACK = ("taken-back", "back-in-time", "watched-on")
FLAVORS = ("diabetes", "wine", "iris")
CRASHING = ("killed", "killed-before", "killed-after")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "alone: breaks what all endpoints share; no test beside it")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest story first and those that must be alone last, so that no process idles long."""
    items.sort(key=lambda item: ("alone" in item.keywords, "test_tutorial" not in item.nodeid))


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """What the processes of this run have in common."""
    base = tmp_path_factory.getbasetemp()
    return Shared(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)


@pytest.fixture(scope="session")
def stage(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A deployed stage. Progress goes to the terminal, past pytest's capture."""
    with shared.cloud(tmp_path_factory.mktemp("stage"), _progress, _deploy) as cloud:
        with mock.patch.dict(os.environ):
            cloud.activate()
            ports = cloud.ports()
        yield Stage(cloud, ports)


def _deploy(cloud: Cloud) -> None:
    with mock.patch.dict(os.environ):
        cloud.activate()
        for name in (*ENDPOINTS, *OPERATED, *EXAMINED, *CONTROLLED, *CAPTURED, *CRASHING):
            declare(cloud, name)
        for name in GUARDED:
            declare(cloud, name, mode="guarded", latency_budget="2s")
        for name in TAKEN_BACK:
            declare(cloud, name, mode="guarded")
        declare(cloud, "private")
        declare(cloud, NOTICED)
        declare(cloud, "mirrored", late_after="2s")
        declare(cloud, KEPT, concurrency=20, throttle={"rate": 200, "burst": 100})
        cloud.copy_example("digits")
        for name in FLAVORS:
            cloud.copy_example(f"flavors/{name}", name)
        cloud.bootstrap()
        cloud.deploy()


@pytest.fixture(autouse=True)
def client(request: pytest.FixtureRequest, shared: Shared, stage: Stage) -> Iterator[None]:
    """Each test, and what it starts, is a client of this local AWS; other tiers are not."""
    alone = request.node.get_closest_marker("alone") is not None
    with held(shared.turn, alone=alone), mock.patch.dict(os.environ):
        stage.cloud.activate()
        yield


@pytest.fixture
def person(stage: Stage) -> Callable[[str], Person]:
    """Make a person: a session of a role of that name."""
    return partial(
        made, stage.cloud.aws, api_url(stage.cloud.aws, stage.cloud.outputs()["ControlUrl"])
    )


def _progress(line: str) -> None:
    if "✅" in line or "FAILED" in line or "building" in line:
        print(line, file=sys.__stderr__, flush=True)
