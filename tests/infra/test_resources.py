"""Properties over all resources of all stacks, so that a resource added later is held to them."""

import re

import pytest

from tests.infra.support import Resource, Synthesised, text

FOREVER = 731


def test_every_log_group_has_a_bounded_retention(dev: Synthesised) -> None:
    groups = list(dev.resources("AWS::Logs::LogGroup"))
    assert groups
    for group in groups:
        assert 1 <= group.properties["RetentionInDays"] <= FOREVER, group


def test_every_function_writes_to_a_log_group_of_its_stack(dev: Synthesised) -> None:
    groups = {(group.stack, group.id) for group in dev.resources("AWS::Logs::LogGroup")}
    functions = list(dev.resources("AWS::Lambda::Function"))
    assert functions
    for function in functions:
        group = function.properties["LoggingConfig"]["LogGroup"]["Ref"]
        assert (function.stack, group) in groups, function


def test_the_workflow_and_the_api_log_to_their_stacks_group(dev: Synthesised) -> None:
    groups = {(group.stack, group.id) for group in dev.resources("AWS::Logs::LogGroup")}
    machine = dev.one("AWS::StepFunctions::StateMachine", StateMachineName="halftone-dev-rollout")
    (destination,) = machine.properties["LoggingConfiguration"]["Destinations"]
    stage = dev.one("AWS::ApiGatewayV2::Stage")
    for resource, arn in (
        (machine, destination["CloudWatchLogsLogGroup"]["LogGroupArn"]),
        (stage, stage.properties["AccessLogSettings"]["DestinationArn"]),
    ):
        assert (resource.stack, arn["Fn::GetAtt"][0]) in groups, resource


def test_the_access_log_keeps_nothing_that_a_client_sent(dev: Synthesised) -> None:
    for stage in dev.resources("AWS::ApiGatewayV2::Stage"):
        kept = stage.properties["AccessLogSettings"]["Format"]
        assert "authorizer" not in kept
        assert "identity" not in kept
        assert "$context.path" not in kept


def test_every_alarm_says_what_missing_data_means(dev: Synthesised) -> None:
    alarms = list(dev.resources("AWS::CloudWatch::Alarm"))
    assert alarms
    for alarm in alarms:
        assert alarm.properties["TreatMissingData"] == "notBreaching", alarm


def test_every_function_is_traced_and_of_the_stages_runtime(dev: Synthesised) -> None:
    ours = [f for f in dev.resources("AWS::Lambda::Function") if "framework" not in text(f.id)]
    for function in ours:
        assert function.properties["TracingConfig"] == {"Mode": "Active"}, function
        assert function.properties["Runtime"] == dev.settings.runtime, function
        assert function.properties["Architectures"] == [dev.settings.architecture], function


def test_only_model_functions_bear_names_the_engine_may_change(dev: Synthesised) -> None:
    prefix = f"halftone-{dev.settings.name}-"
    for function in dev.resources("AWS::Lambda::Function"):
        name = function.properties["FunctionName"]
        is_model = "HALFTONE_ENDPOINT" in function.properties["Environment"]["Variables"]
        assert name.startswith(prefix) == is_model, function


def test_every_asynchronous_path_ends_in_a_queue(dev: Synthesised) -> None:
    """An event that can't be delivered, and one whose function fails, both leave a letter."""
    targets = [
        (rule, target)
        for rule in dev.resources("AWS::Events::Rule")
        for target in rule.properties["Targets"]
    ]
    assert len(targets) == 1 + len(dev.templates) - 1
    failing = {
        text(config.properties["FunctionName"]): config
        for config in dev.resources("AWS::Lambda::EventInvokeConfig")
    }
    for rule, target in targets:
        assert "DeadLetters" in text(target["DeadLetterConfig"]["Arn"]), rule
        (invoked,) = [f for f in _platform_functions(dev) if f.id in text(target["Arn"])]
        config = failing[text({"Ref": invoked.id})].properties
        assert "DeadLetters" in text(config["DestinationConfig"]["OnFailure"]["Destination"])
        assert config["MaximumRetryAttempts"] == 2


def _platform_functions(synthesised: Synthesised) -> list[Resource]:
    name = f"halftone-{synthesised.settings.name}"
    return [f for f in synthesised.resources("AWS::Lambda::Function") if f.stack == name]


def test_dead_letters_are_kept_long_enough_to_be_read(dev: Synthesised) -> None:
    queue = next(q for q in dev.resources("AWS::SQS::Queue") if q.id.startswith("DeadLetters"))
    assert queue.properties["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_the_queue_takes_letters_from_its_stages_rules_only(dev: Synthesised) -> None:
    policies = {policy.id: policy for policy in dev.resources("AWS::SQS::QueuePolicy")}
    (name,) = (name for name in policies if name.startswith("DeadLetters"))
    for statement in policies[name].properties["PolicyDocument"]["Statement"]:
        if statement["Effect"] == "Allow":
            sources = text(list(statement["Condition"].values()))
            assert "AlarmsRule" in sources or "rule/halftone-dev-*" in sources


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_table_and_buckets(stage: str, request: pytest.FixtureRequest) -> None:
    synthesised: Synthesised = request.getfixturevalue(stage)
    keeps = "Retain" if stage == "prod" else "Delete"
    table = synthesised.one("AWS::DynamoDB::Table")
    assert table.properties["DeletionProtectionEnabled"] is (stage == "prod")
    assert table.properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
    assert table.properties["SSESpecification"]["SSEEnabled"]
    buckets = list(synthesised.resources("AWS::S3::Bucket"))
    for bucket in buckets:
        assert all(bucket.properties["PublicAccessBlockConfiguration"].values())
        assert "BucketEncryption" in bucket.properties
    versioned = [b.id for b in buckets if "VersioningConfiguration" in b.properties]
    # What was captured is to be gone when its time is over, and not to be there as an old version.
    assert len(versioned) == (stage == "prod")
    assert all("Artifacts" in name for name in versioned)
    for kept in (table, *buckets):
        assert kept.definition["DeletionPolicy"] == kept.definition["UpdateReplacePolicy"] == keeps


def test_uploads_end_where_the_bucket_keeps_old_versions_too(prod: Synthesised) -> None:
    (bucket,) = [b for b in prod.resources("AWS::S3::Bucket") if "Artifacts" in b.id]
    (rule,) = bucket.properties["LifecycleConfiguration"]["Rules"]
    assert (rule["Prefix"], rule["ExpirationInDays"]) == ("uploads/", 1)
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}


def test_no_route_has_metrics_that_cost_by_the_route(dev: Synthesised) -> None:
    (stage,) = dev.resources("AWS::ApiGatewayV2::Stage")
    assert stage.properties["DefaultRouteSettings"]["DetailedMetricsEnabled"] is False
    assert "RouteSettings" not in stage.properties  # those are the engine's


def test_every_bucket_refuses_plain_http(dev: Synthesised) -> None:
    policies = list(dev.resources("AWS::S3::BucketPolicy"))
    assert len(policies) == len(list(dev.resources("AWS::S3::Bucket")))
    for policy in policies:
        statements = policy.properties["PolicyDocument"]["Statement"]
        denied = [s for s in statements if s["Effect"] == "Deny"]
        assert any(s["Condition"] == {"Bool": {"aws:SecureTransport": "false"}} for s in denied)


def test_the_local_stage_is_a_stage_like_any_other(local: Synthesised, dev: Synthesised) -> None:
    """Same resources, same properties, but for what the settings of the two stages say."""
    stated = {
        "Runtime",
        "CompatibleRuntimes",
        "Content",  # layers hold bytecode and binaries of the runtime
        "Description",  # of a layer: it names the runtime
        "SnapStart",  # the older runtime has none
        "RetentionInDays",
        "Settings",  # the digest of what a version freezes
        "HALFTONE_METRIC_LAG_SECONDS",
        "HALFTONE_KEY_FOLLOW_SECONDS",
        "HALFTONE_KEY_LAG_SECONDS",
        "HALFTONE_TICK_SECONDS",
        "HALFTONE_WEBHOOK_HOSTS",
        "ReleaserProviderwaiterstatemachine",  # looks once a tick
    }
    here, there = _leaves(local), _leaves(dev)
    differing = {path for path in {*here, *there} if here.get(path) != there.get(path)}
    assert any("Runtime" in path for path in differing)
    for path in differing:
        assert stated & {*path}, (path, here.get(path), there.get(path))


def _leaves(synthesised: Synthesised) -> dict[tuple[str, ...], str]:
    """Every leaf of every resource by its path, with the stage's name taken out of all texts."""
    found: dict[tuple[str, ...], str] = {}

    def walk(path: tuple[str, ...], value: object) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                walk((*path, _generic(str(name), synthesised)), inner)
        elif isinstance(value, list):
            for position, inner in enumerate(value):
                walk((*path, str(position)), inner)
        else:
            found[path] = _generic(str(value), synthesised)

    for resource in synthesised.resources():
        name = (_generic(resource.stack, synthesised), _generic(resource.id, synthesised))
        walk((*name, resource.type), resource.properties)
    return found


def _generic(value: str, synthesised: Synthesised) -> str:
    # CDK ends its ids with a hash of their path, which begins with the stack's name, and the
    # control function's version has one that ends in a digest of its settings.
    return re.sub("(?<=ControlVersion)[0-9a-f]{16}|[0-9A-F]{8}", "", value).replace(
        synthesised.settings.name, "STAGE"
    )
