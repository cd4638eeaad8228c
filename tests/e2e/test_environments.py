"""A model with requirements of its own, through releases that go out and one that comes back."""

import time
from collections import Counter

import boto3

from halftone.domain.rollout.phase import Phase
from halftone.packaging.folder import open_package
from tests.e2e.support import Stage, redeclare

NAME = "doctor-visits"


def test_a_model_with_requirements_goes_through_rollouts(stage: Stage) -> None:
    stage.cloud.copy_example(f"environments/{NAME}", NAME)
    stage.cloud.deploy(NAME)
    stage.until("the champion", lambda: stage.state(NAME).champion is not None)

    with stage.traffic(NAME) as traffic:
        redeclare(stage.cloud, NAME, model="models/challenger")
        stage.cloud.deploy(NAME)
        promoted = stage.until_over(NAME)
        time.sleep(1)
    assert promoted.phase is Phase.PROMOTED, promoted.reason
    assert {answer.status for answer in traffic.answers} == {200}
    assert {answer.version for answer in traffic.answers} == {"1", "2"}

    with stage.traffic(NAME) as traffic:
        redeclare(stage.cloud, NAME, model="models/bad")
        stage.cloud.deploy(NAME)
        back = stage.until_over(NAME)
        time.sleep(1)
    assert back.phase is Phase.ROLLED_BACK, back.reason
    failed = Counter(answer.version for answer in traffic.answers if answer.status != 200)
    assert set(failed) == {"3"}, "the skew shows in the bad version alone"
    assert traffic.answers[-1].version == "2"

    _one_environment_is_kept_and_on_record(stage)


def _one_environment_is_kept_and_on_record(stage: Stage) -> None:
    releases = [r for r in stage.records(NAME) if r.action == "release"]
    digests = {str(record.numbers["environment"]) for record in releases}
    assert (len(releases), len(digests)) == (3, 1)
    bucket = stage.cloud.outputs()["ArtifactBucket"]
    kept = boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix="packages/environments/")
    keys = {found["Key"] for found in kept["Contents"]}
    (digest,) = digests
    assert f"packages/environments/{digest}.zip" in keys
    models = stage.cloud.endpoints / NAME / "models"
    target = open_package(models / "bad").manifest.environment
    assert target is not None
    assert "lightgbm" in {package.partition("==")[0] for package in target.packages}
