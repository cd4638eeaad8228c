"""All stacks of one stage, from the CDK context."""

from pathlib import Path

from aws_cdk import App

from halftone.domain.names import endpoint_stack_name, platform_stack_name
from infra.declared import declared_endpoints
from infra.endpoint_stack import EndpointStack
from infra.paths import ROOT
from infra.platform_stack import PlatformStack
from infra.settings import Settings, stage_settings


def stacks(app: App) -> None:
    """Add the platform and every declared endpoint of the stage that the context names.

    Raises:
        HalftoneError: naming what is wrong with the context, an endpoint file or a package.
    """
    context = app.node
    settings = stage_settings(context.try_get_context("stage"), context.try_get_context("stages"))
    add_stage(app, settings, ROOT / str(context.try_get_context("endpoints")))


def add_stage(app: App, settings: Settings, endpoints: Path) -> None:
    """Add the platform of a stage and an endpoint for each declaration below ``endpoints``."""
    declared = declared_endpoints(endpoints)
    platform = PlatformStack(app, platform_stack_name(settings.name), settings=settings)
    for endpoint in declared:
        EndpointStack(
            app,
            endpoint_stack_name(settings.name, endpoint.spec.name),
            spec=endpoint.spec,
            package=endpoint.package,
            platform=platform,
        )
