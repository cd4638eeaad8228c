"""Halftone's CDK constructs: the platform of a stage, and prediction endpoints.

    from halftone_cdk import ModelEndpoint, PlatformStack, Settings, declared_endpoint

They read files and the CDK context, and nothing else: no AWS, no git, no user name, no clock, no
random number. Synthesising twice gives the same templates.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halftone_cdk.application import add_stage, stacks
    from halftone_cdk.constructs.endpoint.model_endpoint import ModelEndpoint
    from halftone_cdk.constructs.endpoint.platform import Platform
    from halftone_cdk.declared import declared_endpoint, declared_endpoints
    from halftone_cdk.endpoint_stack import EndpointStack
    from halftone_cdk.platform_stack import PlatformStack
    from halftone_cdk.settings import Architecture, Runtime, Settings, SnapStart, stage_settings

__all__ = [
    "Architecture",
    "EndpointStack",
    "ModelEndpoint",
    "Platform",
    "PlatformStack",
    "Runtime",
    "Settings",
    "SnapStart",
    "add_stage",
    "declared_endpoint",
    "declared_endpoints",
    "stacks",
    "stage_settings",
]

_MODULES = {
    "Architecture": "settings",
    "EndpointStack": "endpoint_stack",
    "ModelEndpoint": "constructs.endpoint.model_endpoint",
    "Platform": "constructs.endpoint.platform",
    "PlatformStack": "platform_stack",
    "Runtime": "settings",
    "Settings": "settings",
    "SnapStart": "settings",
    "add_stage": "application",
    "declared_endpoint": "declared",
    "declared_endpoints": "declared",
    "stacks": "application",
    "stage_settings": "settings",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: the CDK library takes seconds to load."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name not in ("aws_cdk", "constructs", "yaml", "uv"):
            raise
        message = f"{error.name} is not installed: pip install 'halftone[cdk]'"
        raise ImportError(message, name=error.name) from None
