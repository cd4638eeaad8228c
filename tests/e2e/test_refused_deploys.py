"""Deploys that must not go through, and what they leave behind: nothing."""

import json

import boto3
import pytest

from halftone.domain.errors import Unavailable
from tests.e2e.support import Stage, declare


def test_a_package_that_fails_its_sample_fails_the_deploy(
    stage: Stage,
) -> None:
    declared = declare(stage.cloud, "refused")
    samples = declared.parent / "models" / "champion" / "samples.json"
    document = json.loads(samples.read_text())
    document[0]["predictions"][0]["probability"] = 0.987
    samples.write_text(json.dumps(document))

    with pytest.raises(Unavailable, match="sample 1 of"):
        stage.cloud.deploy("refused")

    state = stage.state("refused")
    assert state.champion is None
    names = {f["FunctionName"] for f in boto3.client("lambda").list_functions()["Functions"]}
    assert "halftone-local-refused" not in names, "CloudFormation took the endpoint back"


def test_a_wrong_declaration_fails_the_synth_with_the_remedy(stage: Stage) -> None:
    path = declare(stage.cloud, "mistaken", memory=64)
    try:
        with pytest.raises(Unavailable, match=r"mistaken.*memory is 64, expected a whole number"):
            stage.cloud.deploy("mistaken")
    finally:
        path.unlink()
