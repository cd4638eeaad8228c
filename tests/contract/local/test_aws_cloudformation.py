"""Stacks: what a template owns, what it leaves to others, and composite alarms in templates."""

import json

import pytest

from tests.contract.local.support import ROLE, zipped


@pytest.fixture
def stack(client, unique):
    """Create or update a stack and wait; deleted after the test."""
    cfn, name = client("cloudformation"), unique("stack")
    exists = []

    def deploy(resources, **outputs):
        template = {
            "Resources": resources,
            "Outputs": {key: {"Value": value} for key, value in outputs.items()},
        }
        verb, act = ("update", cfn.update_stack) if exists else ("create", cfn.create_stack)
        act(StackName=name, TemplateBody=json.dumps(template))
        cfn.get_waiter(f"stack_{verb}_complete").wait(
            StackName=name, WaiterConfig={"Delay": 0.2, "MaxAttempts": 100}
        )
        exists.append(name)
        found = cfn.describe_stacks(StackName=name)["Stacks"][0].get("Outputs", [])
        return {output["OutputKey"]: output["OutputValue"] for output in found}

    yield deploy
    cfn.delete_stack(StackName=name)
    cfn.get_waiter("stack_delete_complete").wait(
        StackName=name, WaiterConfig={"Delay": 0.2, "MaxAttempts": 100}
    )


def test_an_update_of_something_else_leaves_the_weights_alone(stack, client, unique):
    name = unique("fn")
    api = client("lambda")
    bucket = unique("code")
    client("s3").create_bucket(Bucket=bucket)
    source = "def handler(event, context): return 1"
    client("s3").put_object(Bucket=bucket, Key="code.zip", Body=zipped(source))

    def template(memory):
        return {
            "Fn": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "FunctionName": name,
                    "Runtime": "python3.13",
                    "Handler": "index.handler",
                    "Role": ROLE,
                    "MemorySize": memory,
                    "Code": {"S3Bucket": bucket, "S3Key": "code.zip"},
                },
            },
            "Live": {
                "Type": "AWS::Lambda::Alias",
                "Properties": {
                    "Name": "live",
                    "FunctionName": {"Ref": "Fn"},
                    "FunctionVersion": "$LATEST",
                },
            },
        }

    stack(template(128))
    assert api.get_alias(FunctionName=name, Name="live")["FunctionVersion"] == "$LATEST"
    for value in ("a", "b"):
        api.update_function_configuration(
            FunctionName=name, Environment={"Variables": {"MODEL": value}}
        )
        api.get_waiter("function_updated_v2").wait(
            FunctionName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
        )
        api.publish_version(FunctionName=name)
    weights = {"AdditionalVersionWeights": {"2": 0.2}}
    api.update_alias(FunctionName=name, Name="live", FunctionVersion="1", RoutingConfig=weights)
    stack(template(256))
    alias = api.get_alias(FunctionName=name, Name="live")
    assert alias["FunctionVersion"] == "1"
    assert alias["RoutingConfig"] == weights
    assert api.get_function_configuration(FunctionName=name)["MemorySize"] == 256


def test_a_composite_alarm_in_a_template_is_updated_in_place(stack, client, unique):
    def template(description):
        metric = {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "Namespace": "Halftone",
                "MetricName": "Errors",
                "Statistic": "Sum",
                "Period": 10,
                "EvaluationPeriods": 1,
                "Threshold": 3,
                "ComparisonOperator": "GreaterThanThreshold",
            },
        }
        rule = {"Fn::Sub": 'ALARM("${Child.Arn}")'}
        composite = {
            "Type": "AWS::CloudWatch::CompositeAlarm",
            "Properties": {"AlarmRule": rule, "AlarmDescription": description},
        }
        return {"Child": metric, "Both": composite}

    shown = {"Name": {"Ref": "Both"}, "Arn": {"Fn::GetAtt": ["Both", "Arn"]}}
    first = stack(template("first"), **shown)

    def described():
        return client("cloudwatch").describe_alarms(
            AlarmNames=[first["Name"]], AlarmTypes=["CompositeAlarm"]
        )["CompositeAlarms"]

    assert described()[0]["AlarmArn"] == first["Arn"]
    assert described()[0]["AlarmDescription"] == "first"
    assert stack(template("second"), **shown) == first
    assert described()[0]["AlarmDescription"] == "second"
    stack({"Child": template("")["Child"]})
    assert described() == []
