"""The managed policies of people: each role reaches what the table says, and nothing else."""

from fnmatch import fnmatchcase

import pytest

from halftone.domain.access import MAY, Role
from halftone_cdk.constructs.access.roles import operations, patterns
from tests.infra.support import Synthesised, statements, text

KNOWN = tuple(operations())
LONGEST = 6144
"""Characters of a managed policy: IAM quotas."""


def reaches(role: Role, method: str, path: str) -> bool:
    """Whether IAM lets ``role`` make that request; ``*`` takes in slashes there and here."""
    request = f"{method}{path}"
    return any(fnmatchcase(request, pattern) for pattern in patterns(role, KNOWN))


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("operation", KNOWN, ids=lambda o: f"{o.method} {o.path}")
def test_a_role_reaches_what_it_may_and_nothing_else(operation, role):
    path = "/".join("some-1" if s.startswith("{") else s for s in operation.path.split("/"))
    assert reaches(role, operation.method, path) is (operation.action in MAY[role])


def test_nobody_reaches_the_data_plane_by_these():
    for role in Role:
        assert not reaches(role, "POST", "/endpoints/fraud/invocations")


def test_each_role_has_a_policy_on_the_stage_s_api(dev: Synthesised):
    found = {
        policy.properties["ManagedPolicyName"]: policy
        for policy in dev.resources("AWS::IAM::ManagedPolicy")
    }
    assert {*found} == {f"halftone-dev-{name}" for name in (*Role, "command", "direct")}
    del found["halftone-dev-command"], found["halftone-dev-direct"]
    for policy in found.values():
        (statement,) = statements(policy.properties["PolicyDocument"])
        assert statement["Action"] == ["execute-api:Invoke"]
        for resource in statement["Resource"]:
            assert "HttpApi" in text(resource)
            assert "/$default/" in text(resource)


@pytest.mark.parametrize("role", Role)
def test_a_policy_is_not_longer_than_iam_takes(role):
    arn = "arn:aws-us-gov:execute-api:ap-southeast-2:111111111111:abcdefghij/$default/"
    written = sum(len(arn) + len(pattern) + 3 for pattern in patterns(role, KNOWN))
    assert written + 120 < LONGEST


def test_no_request_below_v1_goes_unsigned(dev: Synthesised):
    routes = {
        route.properties["RouteKey"]: route.properties
        for route in dev.resources("AWS::ApiGatewayV2::Route")
        if " /v1/" in route.properties["RouteKey"]
    }
    assert {*routes} == {"ANY /v1/{proxy+}"}
    assert routes["ANY /v1/{proxy+}"]["AuthorizationType"] == "AWS_IAM"
