"""Promise 15: every call that a function of the engine makes is granted to its role.

The calls are those of the simulation's actors, each alone in its worlds, and with any one of their
calls unanswered, which is where fallbacks are. What a call of a port asks of AWS stands in
``ASKED``; contract tests hold the adapters to it.
"""

from collections.abc import Mapping

import pytest

from tests.infra.support import Synthesised, statements
from tests.property.simulation.actors.actor import CONTROL, RELEASE, ROLLBACK, ROLLOUT
from tests.property.simulation.actors.everybody import ACTORS
from tests.property.simulation.exploration import Bounds, explore
from tests.property.simulation.faults import OPEN_TAGS
from tests.property.simulation.promises import waiving
from tests.property.simulation.quick import quickly
from tests.property.simulation.stage import Stage
from tests.property.simulation.worlds import WORLDS

_READ, _QUERY = {"dynamodb:GetItem"}, {"dynamodb:Query"}
_WRITE = {"dynamodb:PutItem"}
ASKED: Mapping[str, set[str]] = {
    "aliases.both": {"lambda:ListAliases"},
    "aliases.read": {"lambda:GetAlias"},
    "aliases.write": {"lambda:UpdateAlias"},
    "catalogue.endpoints": _QUERY,
    "claims.first_seen": _READ | _WRITE,
    "evidence.keep_evidence": _WRITE,
    "evidence.load_evidence": _READ,
    "gate.throttle": {"apigateway:GET", "apigateway:PATCH"},
    "groups.load_group": _READ,
    "guardrails.arm": {
        "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm", "cloudwatch:SetAlarmState",
    },
    "guardrails.read": {"cloudwatch:DescribeAlarms"},
    "metrics.buckets": {"cloudwatch:GetMetricData"},
    "metrics.publish": {"cloudwatch:PutMetricData"},
    "metrics.quantiles": {"cloudwatch:GetMetricData"},
    "packages.manifest": {"s3:GetObject"},
    "packages.has_environment": {"s3:GetObject"},
    "packages.keep_environment": {"s3:GetObject", "s3:PutObject"},
    "packages.register": {"s3:GetObject", "s3:PutObject"},
    "registry.commit_model": _WRITE,
    "registry.model": _READ,
    "registry.number_of": _READ,
    "registry.version": _READ,
    "scaling.provision": {"lambda:PutProvisionedConcurrencyConfig"},
    "scaling.reserve": {"lambda:PutFunctionConcurrency", "lambda:DeleteFunctionConcurrency"},
    "stacks.status": {"cloudformation:DescribeStacks"},
    "store.audit": _QUERY,
    "store.commit": _WRITE,
    "store.deployments": _QUERY,
    "store.load": _READ,
    "versions.delete": {"lambda:DeleteFunction"},
    "versions.invoke": {"lambda:InvokeFunction"},
    "versions.point": {"lambda:GetFunctionConfiguration", "lambda:UpdateFunctionConfiguration"},
    "versions.memory": {"lambda:GetFunctionConfiguration"},
    "versions.pointer": {"lambda:GetFunctionConfiguration"},
    "versions.publish": {"lambda:PublishVersion"},
    "versions.status": {"lambda:GetFunctionConfiguration"},
    "workflow.start": {"states:StartExecution"},
}  # fmt: skip
"""The actions behind each call of a port."""

MET = ("watched", "beside", "deployed", "returned")
"""The worlds in which between them every actor has something to do."""

POLICIES = {
    ROLLOUT: "EngineRolloutRole",
    ROLLBACK: "EngineRollback",
    RELEASE: "EngineReleaseRole",
    CONTROL: "EngineControlRole",
}
"""What the ids of the policies of each role's functions begin with."""


@pytest.fixture(scope="module")
def called() -> Mapping[str, set[str]]:
    """The calls of every role."""
    calls: dict[str, set[str]] = {role: set() for role in POLICIES}
    with quickly(), waiving(*OPEN_TAGS):
        for name in MET:
            stage = Stage(WORLDS[name])
            for actor in ACTORS.values():
                if actor.is_in(name):
                    explore(stage, [actor.anew()], Bounds(switches=0, faults=1))
            for role, call in stage.called:
                if role in calls and not call.startswith(("outside.", "clock.")):
                    calls[role].add(call)
    return calls


@pytest.mark.parametrize("role", POLICIES)
def test_every_call_of_a_role_is_granted_to_it(dev: Synthesised, called, role):
    found = [
        policy
        for policy in dev.resources("AWS::IAM::Policy")
        if policy.id.startswith(POLICIES[role])
    ]
    assert found, [policy.id for policy in dev.resources("AWS::IAM::Policy")]
    assert called[role] >= {"aliases.both", "aliases.write", "store.commit"}
    for policy in found:
        granted = {
            action
            for statement in statements(policy.properties["PolicyDocument"])
            for action in statement["Action"]
        }
        missing = {call: ASKED[call] - granted for call in called[role] if ASKED[call] - granted}
        assert not missing, f"{policy} lacks {missing}"
