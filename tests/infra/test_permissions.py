"""Who may do what: no wider than a stage, and ``*`` only where AWS knows no resource."""

import re

from tests.infra.support import Resource, Synthesised, statements, text

WITHOUT_RESOURCES = {
    "cloudwatch:DescribeAlarms": "tells of composite alarms only those who may ask for all",
    "cloudwatch:GetMetricData": "has no resource-level permission",
    "cloudwatch:PutMetricData": "has none either; a condition holds it to our namespace",
    "xray:PutTraceSegments": "has no resource-level permission",
    "xray:PutTelemetryRecords": "has no resource-level permission",
    "xray:GetSamplingRules": "has no resource-level permission",
    "xray:GetSamplingTargets": "has no resource-level permission",
    "dynamodb:ListStreams": "lists the streams of all tables",
    "logs:CreateLogDelivery": "log delivery of Step Functions has no resource-level permission",
    "logs:GetLogDelivery": "as above",
    "logs:UpdateLogDelivery": "as above",
    "logs:DeleteLogDelivery": "as above",
    "logs:ListLogDeliveries": "as above",
    "logs:PutResourcePolicy": "as above",
    "logs:DescribeResourcePolicies": "as above",
    "logs:DescribeLogGroups": "as above",
}


def policies(synthesised: Synthesised) -> list[Resource]:
    return list(synthesised.resources("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"))


def test_a_star_stands_only_where_aws_knows_no_resource(dev: Synthesised) -> None:
    stars: set[str] = set()
    for policy in policies(dev):
        for statement in statements(policy.properties["PolicyDocument"]):
            if "*" in statement["Resource"]:
                stars |= {*statement["Action"]}
    assert stars == {*WITHOUT_RESOURCES}


def test_metrics_are_published_in_our_namespace_only(dev: Synthesised) -> None:
    publishing = [
        statement
        for policy in policies(dev)
        for statement in statements(policy.properties["PolicyDocument"])
        if "cloudwatch:PutMetricData" in statement["Action"]
    ]
    assert publishing
    for statement in publishing:
        assert statement["Action"] == ["cloudwatch:PutMetricData"]
        assert statement["Condition"] == {"StringEquals": {"cloudwatch:namespace": "Halftone"}}


def test_no_action_is_a_pattern(dev: Synthesised) -> None:
    for policy in policies(dev):
        for statement in statements(policy.properties["PolicyDocument"]):
            assert not [action for action in statement["Action"] if "*" in action], policy


def test_every_pattern_of_names_is_of_this_stage(dev: Synthesised) -> None:
    for policy in policies(dev):
        for statement in statements(policy.properties["PolicyDocument"]):
            for resource in statement["Resource"]:
                arn = text(resource)
                if "*" in arn and (":function:" in arn or ":alarm:" in arn or ":rule/" in arn):
                    assert "halftone-dev-" in arn, (policy, arn)


def test_a_rollback_function_may_do_what_a_rollback_needs(dev: Synthesised) -> None:
    needed = {
        "lambda:ListAliases",
        "lambda:UpdateAlias",
        "lambda:GetFunctionConfiguration",
        "dynamodb:GetItem",
        "dynamodb:Query",
        "dynamodb:PutItem",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
    }
    found = [p for p in policies(dev) if "Rollback" in p.id]
    assert len(found) == 2
    for policy in found:
        granted = _granted(policy)
        queue = {"sqs:SendMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"}
        assert granted - queue == needed, policy


def test_people_may_look_and_by_another_policy_go_back(dev: Synthesised) -> None:
    found = {
        policy.properties["ManagedPolicyName"]: _granted(policy)
        for policy in dev.resources("AWS::IAM::ManagedPolicy")
    }
    words = ("Get", "Describe", "List", "Query")
    for action in found["halftone-dev-command"]:
        assert action.partition(":")[2].startswith(words), action
    writes = {a for a in found["halftone-dev-direct"] if not a.partition(":")[2].startswith(words)}
    assert writes == {
        *("lambda:UpdateAlias", "cloudwatch:PutMetricAlarm", "cloudwatch:SetAlarmState"),
        *("dynamodb:PutItem", "lambda:InvokeFunction"),
    }


DELETING = {
    "lambda:DeleteFunction": "a deployment goes with its version",
    "lambda:DeleteFunctionConcurrency": "gives reserved concurrency back",
    "lambda:DeleteProvisionedConcurrencyConfig": "gives replicas back",
}
"""What the control API may take away; the release function gives concurrency back, too."""


def test_no_role_of_the_engine_may_delete_or_change_permissions(dev: Synthesised) -> None:
    for policy in policies(dev):
        may = DELETING if "EngineControlRole" in policy.id else set()
        if "EngineRelease" in policy.id:
            may = {"lambda:DeleteFunctionConcurrency"}
        if "NoticesDeliver" in policy.id:
            may = {"sqs:DeleteMessage"}
        for action in _granted(policy):
            assert not action.startswith("iam:"), policy
            if not action.startswith("logs:") and action not in may:
                assert ":Delete" not in action, policy


def test_items_are_written_below_the_keys_of_each_role_alone(dev: Synthesised) -> None:
    endpoints = {"ENDPOINT#*", "ENDPOINTS", "SERVING#*"}
    models = {"MODEL#*", "MODELS"}
    control = {"GROUP#*", "GROUPS", "REQUEST#*", "SUBSCRIPTION#*", "SUBSCRIPTIONS"}
    everything = endpoints | models | control
    found: dict[str, set[str]] = {}
    for policy in policies(dev):
        for statement in statements(policy.properties["PolicyDocument"]):
            if "dynamodb:PutItem" not in statement["Action"]:
                continue
            condition = statement["Condition"]
            assert condition["Null"] == {"dynamodb:LeadingKeys": "false"}, policy
            keys = {*condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]}
            found[policy.id] = found.get(policy.id, set()) | keys
    for policy_id, keys in found.items():
        if policy_id.startswith("EndpointModelRole"):
            assert all(key.startswith("FEEDBACK#") for key in keys)
        elif "Harvest" in policy_id:
            assert keys == {"KEYS#*"}
        elif "Deliver" in policy_id:
            assert keys == {"UNDELIVERED#*"}
        elif "Control" in policy_id:
            assert keys == everything
        elif "EngineReleaseRole" in policy_id:
            assert keys == endpoints | models
        else:
            assert keys == endpoints, policy_id
    assert any("Rollback" in policy_id for policy_id in found)
    assert any("Direct" in policy_id for policy_id in found)
    assert not any("Released" in policy_id for policy_id in found)


def test_what_waits_for_a_release_reads_the_audit_alone(dev: Synthesised) -> None:
    (policy,) = [p for p in policies(dev) if "EngineReleasedRole" in p.id]
    usual = {"logs:CreateLogStream", "logs:PutLogEvents"}
    usual |= {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
    assert _granted(policy) == {"dynamodb:Query"} | usual


def test_nothing_grants_a_call_that_no_code_makes(dev: Synthesised) -> None:
    unused = {"lambda:GetAlias", "dynamodb:UpdateItem", "dynamodb:ConditionCheckItem"}
    for policy in policies(dev):
        assert not _granted(policy) & unused, policy


def test_whoever_reads_packages_is_told_which_are_missing(dev: Synthesised) -> None:
    """Without ListBucket S3 answers 403 in place of 404."""
    for policy in policies(dev):
        if policy.id.startswith("EndpointModelRole") or "s3:GetObject" not in _granted(policy):
            continue
        assert "s3:ListBucket" in _granted(policy), policy


def test_a_version_may_be_deleted_by_either_form_of_its_name(dev: Synthesised) -> None:
    (deleting,) = [
        statement
        for policy in policies(dev)
        for statement in statements(policy.properties["PolicyDocument"])
        if "lambda:DeleteFunction" in statement["Action"]
    ]
    (resource,) = [text(resource) for resource in deleting["Resource"]]
    assert re.search(r":function:halftone-dev-\*\"", resource), resource


def test_routes_are_throttled_in_the_stages_own_api_alone(dev: Synthesised) -> None:
    found = {
        (action, text(resource))
        for policy in policies(dev)
        for statement in statements(policy.properties["PolicyDocument"])
        for action in statement["Action"]
        for resource in statement["Resource"]
        if action.startswith("apigateway:")
    }
    assert found
    for action, resource in found:
        assert "/apis/" in resource, (action, resource)
        assert "HttpApi" in resource, (action, resource)


def test_a_model_function_reads_packages_and_calls_its_versions(
    dev: Synthesised,
) -> None:
    models = [p for p in policies(dev) if p.id.startswith("EndpointModelRole")]
    assert len(models) == len(dev.templates) - 1
    for policy in models:
        tracing = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
        logging = {"logs:CreateLogStream", "logs:PutLogEvents"}
        own = {"lambda:InvokeFunction"}
        table = {"dynamodb:GetItem", "dynamodb:PutItem"}
        assert _granted(policy) == {"s3:GetObject"} | own | table | logging | tracing
        granted = statements(policy.properties["PolicyDocument"])
        (calls,) = [statement for statement in granted if own & {*statement["Action"]}]
        (called,) = [text(resource) for resource in calls["Resource"]]
        assert re.search(r":function:halftone-dev-[a-z-]+[a-z]:\*\"", called), called
        reads, notes = [statement for statement in granted if table & {*statement["Action"]}]
        endpoint = re.search(r":function:halftone-dev-([a-z-]+):", called)
        assert endpoint, called
        assert reads["Condition"] == {
            "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [f"SERVING#{endpoint[1]}"]},
            "Null": {"dynamodb:LeadingKeys": "false"},
        }
        assert reads["Action"] == ["dynamodb:GetItem"]
        assert {*notes["Action"]} == table
        assert notes["Condition"] == {
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"FEEDBACK#{endpoint[1]}#*"]},
            "Null": {"dynamodb:LeadingKeys": "false"},
        }


def _granted(policy: Resource) -> set[str]:
    document = policy.properties["PolicyDocument"]
    return {action for statement in statements(document) for action in statement["Action"]}
