"""All stacks of one stage, from the CDK context."""

from pathlib import Path

from aws_cdk import App
from aws_cdk import aws_apigatewayv2 as api

from halftone.domain.errors import InvalidInput
from halftone.domain.names import endpoint_stack_name, platform_stack_name
from halftone_cdk.declared import declared_endpoints
from halftone_cdk.endpoint_stack import EndpointStack
from halftone_cdk.platform_stack import PlatformStack
from halftone_cdk.settings import Settings, stage_settings


def stacks(app: App, folder: Path | None = None) -> None:
    """Add the platform and every declared endpoint of the stage that the context names.

    Context: ``stage`` (a name), ``stages`` (settings by name) and ``endpoints``, a path from
    ``folder``, which is the working directory unless another is given.

    Raises:
        HalftoneError: naming what is wrong with the context, an endpoint file or a package.
    """
    context = app.node
    settings = stage_settings(context.try_get_context("stage"), context.try_get_context("stages"))
    endpoints = context.try_get_context("endpoints")
    if not isinstance(endpoints, str):
        raise InvalidInput(
            "endpoints", endpoints, "the folder of the endpoints (-c endpoints=PATH)"
        )
    add_stage(app, settings, (folder or Path.cwd()) / endpoints)


def add_stage(app: App, settings: Settings, endpoints: Path) -> None:
    """Add the platform of a stage and an endpoint for each declaration below ``endpoints``.

    Raises:
        InvalidInput: if their routes exceed what the account allows an HTTP API. CloudFormation
            would say so only in the middle of a deploy.
    """
    declared = declared_endpoints(endpoints, settings)
    platform = PlatformStack(app, platform_stack_name(settings.name), settings=settings)
    for endpoint in declared:
        EndpointStack(
            app,
            endpoint_stack_name(settings.name, endpoint.spec.name),
            spec=endpoint.spec,
            package=endpoint.package,
            platform=platform,
        )
    routes = sum(isinstance(part, api.CfnRoute) for part in app.node.find_all())
    if routes > settings.route_quota:
        raise InvalidInput(
            "endpoints",
            f"{len(declared)} endpoints with {routes} routes",
            f"at most {settings.route_quota} routes in a stage: move endpoints to another stage, or"
            f" raise the quota 'Routes per API' and name it as stages.{settings.name}.route_quota",
            source=str(endpoints),
        )
