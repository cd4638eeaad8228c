"""AWS's quotas that no account can have raised: cfn-lint checks them for literals only."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from halftone.domain.errors import InvalidInput
from halftone.domain.names import platform_stack_name
from halftone_cdk.application import add_stage
from tests.infra.support import EXAMPLES, Synthesised, new_app, text

_LONGEST = {"AWS::Partition": "aws-us-gov", "AWS::Region": "ap-southeast-2"}
_A_NAME = "n" * 80
"""Longer than what CloudFormation makes up for a table or a bucket, and than our functions' ARNs
beyond account and region."""


def written_out(value: Any) -> Any:
    """``value`` with its intrinsics replaced by the longest text that they could stand for."""
    if isinstance(value, list):
        return [written_out(part) for part in value]
    if not isinstance(value, dict):
        return value
    if "Fn::Join" in value:
        separator, ports = value["Fn::Join"]
        return separator.join(written_out(ports))
    if "Ref" in value:
        return _LONGEST.get(value["Ref"], _A_NAME)
    if "Fn::GetAtt" in value:
        return f"arn:aws-us-gov:dynamodb:ap-southeast-2:123456789012:{_A_NAME}"
    if "Fn::GetStackOutput" in value:
        return f"arn:aws-us-gov:dynamodb:ap-southeast-2:123456789012:{_A_NAME}"
    return {name: written_out(part) for name, part in value.items()}


def size(document: object) -> int:
    """Characters without white space, as IAM counts."""
    return len(json.dumps(written_out(document), separators=(",", ":")))


def test_policies_of_functions_are_as_small_as_iam_takes_them(prod: Synthesised) -> None:
    """All inline policies of a role together; those of people are in test_roles."""
    sizes: Counter[str] = Counter()
    for policy in prod.resources("AWS::IAM::Policy"):
        for role in policy.properties["Roles"]:
            sizes[f"{policy.stack}/{text(role)}"] += size(policy.properties["PolicyDocument"])
    assert sizes
    assert max(sizes.values()) <= 10_240, sizes


def test_templates_are_as_small_as_cloudformation_takes_them(prod: Synthesised) -> None:
    for template in prod.templates.values():
        assert len(json.dumps(template)) <= 1_000_000
        assert len(template["Resources"]) <= 500
        assert len(template.get("Outputs", {})) <= 200


def test_a_stage_has_room_for_72_endpoints(dev: Synthesised) -> None:
    """docs/protocols.md says so; an HTTP API has 300 routes unless its quota is raised."""
    routes = Counter(route.stack for route in dev.resources("AWS::ApiGatewayV2::Route"))
    platform = routes.pop(platform_stack_name("dev"))
    assert {*routes.values()} == {4}
    assert (300 - platform) // 4 == 72


def test_more_routes_than_the_quota_are_refused_at_synth(dev: Synthesised, tmp_path: Path) -> None:
    few = replace(dev.settings, route_quota=12)
    with pytest.raises(InvalidInput, match=r"2 endpoints with 17 routes.*at most 12 routes"):
        add_stage(new_app(tmp_path), few, EXAMPLES)
