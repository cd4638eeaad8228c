"""Captured requests: a bucket that ends, a function with three rights, tables that Athena reads."""

import re

from halftone.domain.insight.capture import FEEDBACK, REQUESTS
from tests.infra.support import Resource, Synthesised, statements, text


def bucket(synthesised: Synthesised) -> Resource:
    found = [r for r in synthesised.resources("AWS::S3::Bucket") if "Captures" in r.id]
    assert len(found) == 1
    return found[0]


def test_what_is_captured_is_private_encrypted_and_ends(dev: Synthesised, prod: Synthesised):
    for synthesised in (dev, prod):
        captures = bucket(synthesised)
        rules = captures.properties["LifecycleConfiguration"]["Rules"]
        days = synthesised.settings.capture_retention_days
        assert [rule["ExpirationInDays"] for rule in rules if rule["Status"] == "Enabled"] == [days]
        assert {*captures.properties["PublicAccessBlockConfiguration"].values()} == {True}
        assert "BucketEncryption" in captures.properties
    assert bucket(dev).definition["DeletionPolicy"] == "Delete"
    assert bucket(prod).definition["DeletionPolicy"] == "Retain"


def test_the_harvest_writes_notes_and_publishes_no_more(dev: Synthesised):
    policies = [p for p in dev.resources("AWS::IAM::Policy") if "Harvest" in p.id]
    granted = [s for p in policies for s in statements(p.properties["PolicyDocument"])]
    own = [s for s in granted if not s["Action"][0].startswith(("logs:", "xray:", "sqs:"))]
    assert sorted(action for statement in own for action in statement["Action"]) == [
        "cloudwatch:PutMetricData",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "s3:PutObject",
    ]
    (table,) = [s for s in own if s["Action"][0].startswith("dynamodb:")]
    assert table["Condition"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["KEYS#*"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }


def test_items_that_count_keys_expire(dev: Synthesised):
    specification = dev.one("AWS::DynamoDB::Table").properties["TimeToLiveSpecification"]
    assert specification == {"AttributeName": "expires", "Enabled": True}


def test_every_models_log_is_subscribed_and_let_in_by_name(dev: Synthesised):
    groups = {
        r.properties["LogGroupName"]
        for r in dev.resources("AWS::Logs::LogGroup")
        if "-dev-" in text(r.properties["LogGroupName"])
    }
    filters = list(dev.resources("AWS::Logs::SubscriptionFilter"))
    assert len(filters) == len(dev.templates) - 1
    assert {f.properties["FilterPattern"] for f in filters} == {'{ $.halftone = "*" }'}
    (permission,) = [
        r
        for r in dev.resources("AWS::Lambda::Permission")
        if r.properties["Principal"] == "logs.amazonaws.com"
    ]
    source = text(permission.properties["SourceArn"])
    assert ":log-group:/aws/lambda/halftone-dev-*:*" in source
    pattern = re.compile(r"/aws/lambda/halftone-dev-[a-z0-9-]+")
    assert len([g for g in groups if pattern.fullmatch(text(g))]) == len(filters)
    assert permission.properties["SourceAccount"] == {"Ref": "AWS::AccountId"}


def test_the_catalogue_has_the_columns_that_files_have(dev: Synthesised):
    tables = {
        r.properties["TableInput"]["Name"]: r.properties["TableInput"]
        for r in dev.resources("AWS::Glue::Table")
    }
    assert {*tables} == {"requests", "feedback"}
    for name, columns in (("requests", REQUESTS), ("feedback", FEEDBACK)):
        table = tables[name]
        found = [(c["Name"], c["Type"]) for c in table["StorageDescriptor"]["Columns"]]
        assert found == [(column.name, column.kind) for column in columns]
        assert [c["Name"] for c in table["PartitionKeys"]] == ["endpoint", "dt", "hour"]
        parameters = table["Parameters"]
        assert parameters["projection.enabled"] == "true"
        template = text(parameters["storage.location.template"])
        assert f"/{name}/endpoint=${{endpoint}}/dt=${{dt}}/hour=${{hour}}/" in template
        assert table["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"] == (
            "org.openx.data.jsonserde.JsonSerDe"
        )
