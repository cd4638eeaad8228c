"""One local AWS for the whole tier, with a platform and an endpoint for each story.

Everything is deployed once by the real CDK CLI. Each test has endpoints of its own, so that no test
waits for another's rollout.
"""

import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from unittest import mock

import pytest

from demo.cloud import Cloud
from halftone_local import supervisor
from halftone_local.addresses import api_url
from tests.e2e.people import Person, made
from tests.e2e.support import Stage, declare

ENDPOINTS = ("promoted", "alarmed", "redeployed", "restarted", "silent", "split")
OPERATED = ("operated", "returned")
CONTROLLED = ("controlled",)
CAPTURED = ("captured",)
KEPT = "kept"
GUARDED = ("guarded-raising", "guarded-sleeping", "guarded-dying", "sticky")
CRASHING = ("killed", "killed-before", "killed-after")


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A deployed stage. Progress goes to the terminal, past pytest's capture."""
    aws = supervisor.start()
    try:
        cloud = Cloud(aws, tmp_path_factory.mktemp("stage"), _progress)
        with mock.patch.dict(os.environ):
            cloud.activate()
            for name in (*ENDPOINTS, *OPERATED, *CONTROLLED, *CAPTURED, *CRASHING):
                declare(cloud, name)
            for name in GUARDED:
                declare(cloud, name, mode="guarded", latency_budget="2s")
            declare(cloud, "private")
            declare(cloud, "mirrored", late_after="2s")
            declare(cloud, KEPT, concurrency=20, throttle={"rate": 200, "burst": 100})
            cloud.copy_example("digits")
            cloud.bootstrap()
            cloud.deploy()
            parts = cloud.parts()
        yield Stage(cloud, parts)
    finally:
        aws.stop()


@pytest.fixture(autouse=True)
def client(stage: Stage) -> Iterator[None]:
    """Each test, and what it starts, is a client of this local AWS; other tiers are not."""
    with mock.patch.dict(os.environ):
        stage.cloud.activate()
        yield


@pytest.fixture
def person(stage: Stage) -> Callable[[str], Person]:
    """Make a person: a session of a role of that name."""
    return partial(made, api_url(stage.cloud.aws, stage.cloud.outputs()["ControlUrl"]))


def _progress(line: str) -> None:
    if "✅" in line or "FAILED" in line or "building" in line:
        print(line, file=sys.__stderr__, flush=True)
