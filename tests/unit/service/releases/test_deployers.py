"""A deploy that says whose it is: the person is on record, beside the stack."""

import pytest

from halftone.domain.access import EVERYWHERE
from halftone.domain.errors import Forbidden
from halftone.domain.rollout.phase import Phase
from halftone.service.authorization import must_not_have_started
from halftone.service.endpoints.endpoints import Mine
from tests.support.cloudformation import Declared, Stack
from tests.support.engine import NAME, Endpoint

ANN = "arn:aws:iam::111111111111:user/ann"
BEN = "arn:aws:sts::111111111111:assumed-role/Deployer/ben"
BEN_ROLE = "arn:aws:iam::111111111111:role/Deployer"


@pytest.fixture
def stack():
    """ann has made the endpoint by a deploy, and it serves."""
    endpoint = Endpoint()
    made = Stack(endpoint)
    assert made.deploy(Declared(deployer=ANN)), made.error
    endpoint.tick_until(Phase.PROMOTED)
    return made


def test_the_creator_is_the_person_who_deployed(stack):
    state = stack.endpoint.state
    assert state.about.creator == f"{ANN} via cloudformation/fraud"
    assert Mine(ANN, frozenset({EVERYWHERE})).has(state)
    assert not Mine(BEN_ROLE, frozenset()).has(state)


def test_who_deployed_a_rollout_does_not_approve_it(stack):
    assert stack.deploy(Declared(model="m2", deployer=BEN)), stack.error
    endpoint = stack.endpoint
    assert endpoint.rollout.actor == f"{BEN} via cloudformation/fraud"
    with pytest.raises(Forbidden):
        must_not_have_started(endpoint.ports, BEN_ROLE, NAME, endpoint.rollout.id, allowed=False)
    must_not_have_started(endpoint.ports, ANN, NAME, endpoint.rollout.id, allowed=False)


def test_another_person_s_deploy_of_the_same_changes_nothing(stack):
    before = stack.endpoint.state
    assert stack.deploy(Declared(deployer=BEN)), stack.error
    after = stack.endpoint.state
    assert (after.champion, after.rollout, after.serving) == (
        before.champion, before.rollout, before.serving,
    )  # fmt: skip
    assert stack.endpoint.alias.main == "1"


def test_a_deploy_that_returns_is_nobody_s(stack):
    """CloudFormation sends what was declared before, with whose deploy that was."""
    stack.deploy_and_fail(Declared(model="m2", deployer=BEN))
    last = stack.endpoint.history[-1]
    taken = [record.actor for record in stack.endpoint.history if "return" in record.reason]
    assert stack.endpoint.champion == "1"
    assert ANN not in last.actor
    assert taken == [] or set(taken) <= {"cloudformation/fraud", "halftone"}
