"""The control function: called by an alias, started from a snapshot, published when it changes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from halftone_cdk.platform_stack import PlatformStack
from halftone_cdk.settings import Runtime, Settings, SnapStart
from tests.infra.support import Resource, Synthesised, new_app, text, written

STAGE = Settings("dev")
Platform = Callable[[Settings], Synthesised]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """The platform's stack of a stage."""

    def made(settings: Settings) -> Synthesised:
        app = new_app(tmp_path_factory.mktemp("platform"))
        PlatformStack(app, "halftone-dev", settings=settings)
        return written(app, settings)

    return made


@pytest.fixture(scope="module")
def plain(platform: Platform) -> Synthesised:
    return platform(STAGE)


def control(found: Synthesised) -> Resource:
    return found.one(
        "AWS::Lambda::Function", FunctionName=f"halftone_{found.settings.name}_control"
    )


def version(found: Synthesised) -> Resource:
    """The only published version of the stack."""
    return found.one("AWS::Lambda::Version", FunctionName={"Ref": control(found).id})


def test_the_api_calls_the_alias_and_may_call_nothing_else(plain: Synthesised) -> None:
    alias = plain.one("AWS::Lambda::Alias", FunctionName={"Ref": control(plain).id})
    assert alias.properties["Name"] == "live"
    assert alias.properties["FunctionVersion"] == {"Fn::GetAtt": [version(plain).id, "Version"]}
    route = plain.one("AWS::ApiGatewayV2::Route", RouteKey="ANY /v1/{proxy+}")
    integrations = [
        i.properties["IntegrationUri"]
        for i in plain.resources("AWS::ApiGatewayV2::Integration")
        if i.id in text(route.properties["Target"])
    ]
    assert integrations == [{"Ref": alias.id}]
    may = [
        p.properties["FunctionName"]
        for p in plain.resources("AWS::Lambda::Permission")
        if "/v1/" in text(p.properties["SourceArn"])
    ]
    assert may == [{"Ref": alias.id}]


@pytest.mark.parametrize(
    ("settings", "snaps"),
    [
        (STAGE, True),
        (replace(STAGE, snap_start=SnapStart.OFF), False),
        (replace(STAGE, runtime=Runtime.PYTHON_3_11), False),
    ],
)
def test_it_starts_from_a_snapshot_where_the_stage_has_that(
    platform: Platform, settings: Settings, snaps: bool
) -> None:
    found = control(platform(settings)).properties.get("SnapStart")
    assert found == ({"ApplyOn": "PublishedVersions"} if snaps else None)


@pytest.mark.parametrize(
    ("changes", "anew"),
    [
        ({"self_approval": True}, True),
        ({"metric_lag": timedelta(seconds=7)}, True),
        ({"snap_start": SnapStart.OFF}, True),
        ({"log_retention_days": 7}, False),
        ({"prod": True}, False),
    ],
)
def test_a_version_is_published_when_the_function_changes(
    plain: Synthesised, platform: Platform, changes: dict[str, object], anew: bool
) -> None:
    """Where nothing changed, Lambda publishes nothing, and CloudFormation takes that for an error.

    So the function's own properties must change whenever the version's id does.
    """
    found = platform(replace(STAGE, **changes))  # type: ignore[arg-type]
    assert (version(found).id != version(plain).id) is anew
    described = [control(of).properties["Description"] for of in (plain, found)]
    assert (described[0] != described[1]) is anew
