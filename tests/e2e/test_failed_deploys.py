"""Deploys that fail late, and one that moves the release: what people have set outlives them."""

import boto3
import pytest

from halftone.domain.audit import Author
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import Unavailable
from halftone.domain.names import endpoint_stack_name
from halftone.domain.rollout.phase import Phase
from halftone.domain.traffic.policy import Access, Capture
from halftone.service.endpoints import policy
from tests.e2e.support import Stage, declare, redeclare

APP = ("--app", ".venv/bin/python -m tests.e2e.changed_app")
NAME = "returning"


def status() -> str:
    """The status of the endpoint's stack."""
    stacks = boto3.client("cloudformation").describe_stacks(
        StackName=endpoint_stack_name("local", NAME)
    )
    return str(stacks["Stacks"][0]["StackStatus"])


def content(state: EndpointState) -> tuple[object, ...]:
    """What deploys and people set, and what serves."""
    return state.serving, state.upkeep, state.about.owner, state.champion, state.active


def test_a_deploy_that_fails_late_opens_and_retires_nothing(
    stage: Stage,
) -> None:
    declare(stage.cloud, NAME, access="public", capture=0)
    stage.cloud.deploy(NAME)
    ports = stage.ports
    policy.set_access(ports, NAME, "private", author=Author("ben", "the clinic asked"))
    stage.release(NAME, "challenger", steps=[{"weight": 100}], bake="none")
    stage.until_over(NAME)
    before = stage.state(NAME)
    assert before.champion
    body = (stage.cloud.endpoints / NAME / "traffic.jsonl").read_bytes().splitlines()[0]
    stage.until("private", lambda: stage.ask(NAME, body)[0] == 401)

    # Another resource of the stack fails, after the release has gone through.
    redeclare(stage.cloud, NAME, capture=100, model="models/bad", label="y")
    with pytest.raises(Unavailable, match="cdk deploy failed"):
        stage.cloud.deploy(NAME, options=(*APP, "-c", f"broken={NAME}"))
    stage.until("return", lambda: status() == "UPDATE_ROLLBACK_COMPLETE")
    after = stage.state(NAME)
    assert content(after) == content(before)
    assert after.serving.access is Access.PRIVATE
    assert after.rollout
    assert after.rollout.phase is Phase.ROLLED_BACK
    actions = [record.action for record in stage.records(NAME)]
    assert actions[-1] == "reverted"
    assert stage.ask(NAME, body)[0] == 401

    # The same deploy goes through, and the release's logical id changes with it.
    redeclare(stage.cloud, NAME, capture=0, model="models/champion", label="none")
    stage.cloud.deploy(NAME, options=(*APP, "-c", f"moved={NAME}"))
    assert status() == "UPDATE_COMPLETE"
    moved = stage.state(NAME)
    assert (moved.champion, moved.serving) == (before.champion, before.serving)
    assert moved.deploys.claim
    assert moved.deploys.claim.resource == "MovedRelease"
    assert stage.ask(NAME, body)[0] == 401

    # What moved fails late, too, and is given back; then a deploy is one like any other.
    redeclare(stage.cloud, NAME, capture=50)
    with pytest.raises(Unavailable, match="cdk deploy failed"):
        stage.cloud.deploy(NAME, options=(*APP, "-c", f"broken={NAME}"))
    stage.until("return", lambda: status() == "UPDATE_ROLLBACK_COMPLETE")
    assert content(stage.state(NAME)) == content(moved)
    assert stage.state(NAME).deploys.claim == moved.deploys.claim
    stage.cloud.deploy(NAME, options=(*APP, "-c", f"moved={NAME}"))
    deployed = stage.state(NAME)
    assert deployed.serving.capture == Capture(50.0)
    assert (deployed.serving.access, deployed.champion) == (Access.PRIVATE, before.champion)
