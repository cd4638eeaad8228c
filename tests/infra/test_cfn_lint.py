"""CloudFormation's own schemas and rules, by the linter that is kept for them."""

import json

import pytest
from cfnlint.api import ManualArgs, lint

from tests.infra.support import Synthesised

NO_WARNINGS = ManualArgs(ignore_checks=["W", "I"])
"""CDK names dependencies that CloudFormation would see for itself, and the like."""


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_templates_have_no_error_that_cloudformation_would_find(
    stage: str, request: pytest.FixtureRequest
) -> None:
    synthesised: Synthesised = request.getfixturevalue(stage)
    found = [
        f"{stack}: {match.rule.id} {match.message}"
        for stack, template in synthesised.templates.items()
        for match in lint(json.dumps(template), config=NO_WARNINGS)
    ]
    assert not found


def test_the_linter_finds_what_is_wrong(dev: Synthesised) -> None:
    template = json.loads(json.dumps(dev.platform))
    name = next(r.id for r in dev.resources("AWS::DynamoDB::Table"))
    template["Resources"][name]["Properties"]["BillingMode"] = "FREE"
    assert lint(json.dumps(template), config=NO_WARNINGS)
