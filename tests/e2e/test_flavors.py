"""The further flavors, deployed: their layers, their load at the function's start, their routes."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from halftone.domain.model.samples import AnySample
from halftone.packaging.folder import open_package
from tests.e2e.conftest import FLAVORS
from tests.e2e.support import Stage


def samples(stage: Stage, endpoint: str) -> tuple[AnySample, ...]:
    return open_package(stage.cloud.endpoints / endpoint / "models" / "v1").manifest.samples


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
def test_it_was_smoke_tested_and_serves_its_samples_over_http(stage: Stage, endpoint: str) -> None:
    request = samples(stage, endpoint)
    assert stage.state(endpoint).champion is not None
    admitted = [record for record in stage.records(endpoint) if record.action == "admitted"]
    assert f"answered its samples ({len(request)})" in admitted[0].reason
    for sample in request:
        status, body = send(stage, endpoint, sample)
        if endpoint == "iris":
            assert status == sample.as_given()["status"], body
        else:
            assert (status, len(body["predictions"])) == (200, 1), body
