"""The further flavors, deployed: their layers, their load at the function's start, their routes."""

import json
import os
import urllib.error
import urllib.request
from typing import Any
from unittest import mock

import pytest

from halftone.adapters.folder import open_package
from halftone.domain.samples import AnySample
from tests.e2e.support import Stage

# One process runs them: what they share is deployed once.
pytestmark = pytest.mark.xdist_group("flavors")
FLAVORS = ("diabetes", "wine", "iris")


@pytest.fixture(scope="module")
def flavors(stage: Stage) -> dict[str, tuple[AnySample, ...]]:
    """Endpoints of the examples, deployed by the CDK CLI; the samples of each."""
    for name in FLAVORS:
        stage.cloud.copy_example(f"flavors/{name}", name)
    # This fixture outlives the tests' own activation.
    with mock.patch.dict(os.environ):
        stage.cloud.activate()
        stage.cloud.deploy(*FLAVORS)
    folder = stage.cloud.endpoints
    return {
        name: open_package(folder / name / "models" / "v1").manifest.samples for name in FLAVORS
    }


def send(stage: Stage, endpoint: str, sample: AnySample) -> tuple[int, Any]:
    base = stage.cloud.url(endpoint).removesuffix("/invocations")
    call = sample.call
    request = urllib.request.Request(
        f"{base}{call.path}",
        data=None if call.body is None else call.body.encode(),
        headers={"content-type": "application/json"},
        method=call.method,
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.mark.parametrize("endpoint", FLAVORS)
def test_it_was_smoke_tested_and_serves_its_samples_over_http(
    stage: Stage, flavors: dict[str, tuple[AnySample, ...]], endpoint: str
) -> None:
    assert stage.state(endpoint).champion is not None
    admitted = [record for record in stage.records(endpoint) if record.action == "admitted"]
    assert f"answered its samples ({len(flavors[endpoint])})" in admitted[0].reason
    for sample in flavors[endpoint]:
        status, body = send(stage, endpoint, sample)
        if endpoint == "iris":
            assert status == sample.as_given()["status"], body
        else:
            assert (status, len(body["predictions"])) == (200, 1), body
