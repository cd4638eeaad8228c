"""One endpoint's resources: what a deploy may change, and what it leaves to the engine."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from halftone.domain.endpoint.spec import DeployWaits, EndpointSpec, Guardrail
from halftone.domain.errors import InvalidInput
from halftone.domain.model.samples import JsonSample
from halftone.domain.names import platform_stack_name
from halftone.domain.rollout.plan import PRESETS
from halftone.domain.rollout.plan_schema import load_plan
from halftone.packaging.folder import BuiltPackage, build_package
from halftone.serving.gateway.backend import OLDEST_SECONDS
from halftone_cdk.endpoint_stack import EndpointStack
from halftone_cdk.platform_stack import PlatformStack
from halftone_cdk.settings import Architecture, Runtime, Settings, SnapStart
from tests.infra.support import EXAMPLES, Synthesised, new_app, text, written
from tests.infra.their_app import SETTINGS, SPEC, Deploy, release

OF_NO_VERSION = {
    "tags": replace(SPEC, tags={"team": "risk"}),
    "log retention": replace(SPEC, log_retention_days=365),
    "guardrails": replace(SPEC, errors=Guardrail(rate=1, count=9, breaches=2, periods=3)),
    "plan": replace(SPEC, plan=PRESETS["gradual"]),
    "deploy waits": replace(SPEC, deploy_waits=DeployWaits.PROMOTED),
}
FROZEN = {
    "memory": replace(SPEC, memory=2048),
    "timeout": replace(SPEC, timeout=timedelta(seconds=20)),
    "late after": replace(SPEC, late_after=timedelta(milliseconds=100)),
    "largest body": replace(SPEC, max_body=10),
}
FROZEN_SETTINGS = {
    "runtime": replace(SETTINGS, runtime=Runtime.PYTHON_3_13, snap_start=SnapStart.OFF),
    "architecture": replace(SETTINGS, architecture=Architecture.ARM64),
}


@pytest.mark.parametrize("spec", OF_NO_VERSION.values(), ids=OF_NO_VERSION.keys())
def test_settings_stay_when_no_version_would_differ(
    spec: EndpointSpec, deploy: Deploy, plain: Synthesised
) -> None:
    changed = deploy(spec)
    assert changed.templates != plain.templates
    assert release(changed)["Settings"] == release(plain)["Settings"]


def test_a_description_stands_in_the_stack_and_in_no_version(
    package: BuiltPackage, tmp_path: Path
) -> None:
    app = new_app(tmp_path)
    platform = PlatformStack(app, "platform", settings=SETTINGS)
    for name in ("one", "two"):
        spec = replace(SPEC, description=f"Description {name}")
        EndpointStack(app, name, spec=spec, package=package, platform=platform)
    templates = written(app, SETTINGS).templates
    one, two = templates["one"], templates["two"]
    assert (one["Description"], two["Description"]) == ("Description one", "Description two")
    # It goes on record with the release, too; nothing else differs, least of all the settings.
    texts = [json.dumps(template, sort_keys=True) for template in (one, two)]
    assert texts[0].replace("Description one", "") == texts[1].replace("Description two", "")


@pytest.mark.parametrize("spec", FROZEN.values(), ids=FROZEN.keys())
def test_settings_change_with_the_spec_s_frozen_parts(
    spec: EndpointSpec, deploy: Deploy, plain: Synthesised
) -> None:
    assert release(deploy(spec))["Settings"] != release(plain)["Settings"]


@pytest.mark.parametrize("settings", FROZEN_SETTINGS.values(), ids=FROZEN_SETTINGS.keys())
def test_settings_change_with_the_stage_s_frozen_parts(
    settings: Settings, deploy: Deploy, plain: Synthesised
) -> None:
    assert release(deploy(settings=settings))["Settings"] != release(plain)["Settings"]


def test_settings_change_with_what_another_app_adds(deploy: Deploy, plain: Synthesised) -> None:
    assert release(deploy(THEIRS="1"))["Settings"] != release(plain)["Settings"]


def test_snap_start_is_frozen(deploy: Deploy) -> None:
    snapping = Settings("dev", snap_start=SnapStart.AUTO)
    still = Settings("dev", snap_start=SnapStart.OFF)
    assert release(deploy(settings=snapping)) != release(deploy(settings=still))


@pytest.mark.parametrize("spec", [*OF_NO_VERSION.values(), *FROZEN.values()])
def test_the_aliases_are_the_same_whatever_changes(
    spec: EndpointSpec, deploy: Deploy, plain: Synthesised
) -> None:
    before = list(plain.resources("AWS::Lambda::Alias"))
    after = list(deploy(spec).resources("AWS::Lambda::Alias"))
    assert [(a.id, a.properties) for a in after] == [(b.id, b.properties) for b in before]
    assert {alias.properties["Name"] for alias in before} == {"live", "challenger"}
    for alias in before:
        assert alias.properties["FunctionVersion"] == "$LATEST"
        assert "RoutingConfig" not in alias.properties


def test_a_mirrored_request_is_tried_once_and_soon(plain: Synthesised) -> None:
    (config,) = plain.resources("AWS::Lambda::EventInvokeConfig")
    assert "ModelChallenger" in text(config.properties["Qualifier"])
    assert config.properties["MaximumRetryAttempts"] == 0
    assert config.properties["MaximumEventAgeInSeconds"] == OLDEST_SECONDS


def test_no_stack_publishes_versions_of_a_model(dev: Synthesised) -> None:
    platform = platform_stack_name("dev")
    assert {version.stack for version in dev.resources("AWS::Lambda::Version")} == {platform}


def test_routes_and_permissions_lead_to_the_live_alias_only(dev: Synthesised) -> None:
    platform = platform_stack_name("dev")
    aliases = {
        (alias.stack, alias.id)
        for alias in dev.resources("AWS::Lambda::Alias")
        if alias.properties["Name"] == "live" and alias.stack != platform
    }
    integrations = [
        integration
        for integration in dev.resources("AWS::ApiGatewayV2::Integration")
        if integration.stack != platform
    ]
    assert len(integrations) == len(aliases) == len(dev.templates) - 1
    for integration in integrations:
        assert (integration.stack, integration.properties["IntegrationUri"]["Ref"]) in aliases
        assert integration.properties["PayloadFormatVersion"] == "2.0"
    for permission in dev.resources("AWS::Lambda::Permission"):
        gateway = permission.properties["Principal"] == "apigateway.amazonaws.com"
        if gateway and permission.stack != platform:
            assert (permission.stack, permission.properties["FunctionName"]["Ref"]) in aliases
            source = text(permission.properties["SourceArn"])
            assert "/*/*/endpoints/" in source or "/*/*/v2/models/" in source


def test_the_routes_of_an_endpoint(plain: Synthesised) -> None:
    keys = {route.properties["RouteKey"] for route in plain.resources("AWS::ApiGatewayV2::Route")}
    assert keys == {
        "ANY /endpoints/fraud",
        "ANY /endpoints/fraud/{proxy+}",
        "ANY /v2/models/fraud",
        "ANY /v2/models/fraud/{proxy+}",
    }


def test_a_release_comes_after_everything_else_of_its_endpoint(plain: Synthesised) -> None:
    """And so is the first to go: an endpoint is withdrawn before it is taken apart."""
    wanted = {r.id for r in plain.resources() if r.type != "AWS::Lambda::LayerVersion"}
    resource = plain.one("Custom::Release")
    assert {*resource.definition["DependsOn"]} == wanted - {resource.id}


def test_a_release_says_what_the_engine_must_know(
    plain: Synthesised, package: BuiltPackage
) -> None:
    asked = release(plain)
    assert (asked["Endpoint"], asked["Digest"]) == ("fraud", package.digest)
    assert asked["PackageName"] == package.manifest.name
    assert asked["DeployWaits"] == "prepared"
    assert all(isinstance(v, str) for k, v in asked.items() if k not in ("Bucket", "ServiceToken"))
    archive = plain.assets[asked["Key"]]
    assert archive.read_bytes() == package.data


def test_the_plan_that_a_release_carries_is_the_declared_one(deploy: Deploy) -> None:
    carried = release(deploy(replace(SPEC, plan=PRESETS["gradual"])))["Plan"]
    assert load_plan(json.loads(carried)) == PRESETS["gradual"]


def test_a_deploy_does_not_wait_longer_than_it_can(deploy: Deploy) -> None:
    endless = replace(SPEC, plan=PRESETS["gradual"], deploy_waits=DeployWaits.PROMOTED)
    with pytest.raises(InvalidInput, match="prepared: the plan takes at least 1h40m"):
        deploy(endless)


def test_the_schedule_ticks_for_its_endpoint(plain: Synthesised) -> None:
    rule = plain.one("AWS::Events::Rule").properties
    (target,) = rule["Targets"]
    assert target["Input"] == '{"endpoint": "fraud", "rollout": null}'
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert rule["Name"].startswith("halftone-dev-")


def test_names_fit_where_aws_bounds_them(deploy: Deploy) -> None:
    longest = "a" * 32
    settings = replace(SETTINGS, name="s" * 16)
    synthesised = deploy(replace(SPEC, name=longest), settings)
    for kind, field in (("AWS::Lambda::Function", "FunctionName"), ("AWS::Events::Rule", "Name")):
        assert len(synthesised.one(kind).properties[field]) <= 64


def test_the_outputs_say_how_to_call(dev: Synthesised) -> None:
    outputs = dev.templates["halftone-dev-breast-cancer"]["Outputs"]
    call = text(outputs["Curl"]["Value"])
    assert "/endpoints/breast-cancer/invocations" in call
    assert "curl -sS" in call
    assert "instances" in call


def test_a_sample_of_megabytes_stays_out_of_the_template(
    package: BuiltPackage, tmp_path: Path
) -> None:
    image = JsonSample(request="x" * 2_000_000, response=None)
    small = JsonSample(request=[1], response=None)
    app = new_app(tmp_path)
    platform = PlatformStack(app, "platform", settings=SETTINGS)
    for name, samples in (("image", (image,)), ("both", (image, small))):
        shown = replace(package, manifest=replace(package.manifest, samples=samples))
        EndpointStack(app, name, spec=replace(SPEC, name=name), package=shown, platform=platform)
    templates = written(app, SETTINGS).templates
    assert len(json.dumps(templates["image"])) < 51_200
    assert "Curl" not in templates["image"]["Outputs"]
    assert "'[1]'" in text(templates["both"]["Outputs"]["Curl"]["Value"])


def test_an_app_gets_everything_below_its_path(tmp_path: Path) -> None:
    app = new_app(tmp_path)
    platform = PlatformStack(app, "platform", settings=SETTINGS)
    package = build_package(EXAMPLES / "flavors" / "iris" / "models" / "v1")
    EndpointStack(app, "iris", spec=SPEC, package=package, platform=platform)
    synthesised = written(app, SETTINGS)
    keys = {
        route.properties["RouteKey"]
        for route in synthesised.resources("AWS::ApiGatewayV2::Route")
        if route.stack == "iris"
    }
    base = f"/endpoints/{SPEC.name}"
    assert keys == {f"ANY {base}", f"ANY {base}/{{proxy+}}"}
    call = text(synthesised.templates["iris"]["Outputs"]["Curl"]["Value"])
    assert call.endswith(f'{base}/app/species"]]}}')


def test_packages_are_written_once_and_whole(package: BuiltPackage, deploy: Deploy) -> None:
    first = deploy()
    path = first.assets[release(first)["Key"]]
    assert path.name == f"{package.digest}.zip"
    before = path.stat().st_mtime_ns
    deploy()
    assert path.stat().st_mtime_ns == before
    assert not path.with_suffix(".part").exists()
