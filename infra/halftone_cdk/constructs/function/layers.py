"""Layer versions of a stack, and Lambda's limit on what a function may weigh."""

from collections.abc import Sequence
from pathlib import Path

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from halftone.domain.errors import HalftoneError
from halftone_cdk.layers.archive import unzipped_size
from halftone_cdk.layers.build import Layer
from halftone_cdk.settings import Settings

UNZIPPED_LIMIT = 250 * 1024 * 1024
"""Bytes of a function's code and all its layers together: Lambda quotas, "deployment package"."""


class TooLarge(HalftoneError):
    """A function and its layers weigh more than Lambda takes."""


def layer_version(scope: Construct, layer: Layer, settings: Settings) -> lambda_.LayerVersion:
    """The layer in the stack of ``scope``, made there once.

    Each stack has its own: one that stacks share could not be replaced while any of them uses it.
    """
    stack = Stack.of(scope)
    existing = stack.node.try_find_child(f"Layer-{layer.name}")
    if isinstance(existing, lambda_.LayerVersion):
        return existing
    return lambda_.LayerVersion(
        stack,
        f"Layer-{layer.name}",
        code=lambda_.Code.from_asset(str(layer.archive), asset_hash=layer.digest),
        compatible_runtimes=[lambda_runtime(settings)],
        compatible_architectures=[lambda_architecture(settings)],
        description=f"{layer.name} for {settings.runtime}",
    )


def check_size(function: str, code: Path, layers: Sequence[Layer]) -> None:
    """Refuse what Lambda would refuse, before anything is uploaded.

    Raises:
        TooLarge: with the size of each part.
    """
    parts = [("code", unzipped_size(code)), *((layer.name, layer.size) for layer in layers)]
    total = sum(size for _, size in parts)
    if total > UNZIPPED_LIMIT:
        sizes = ", ".join(f"{name} {size / 2**20:.1f}" for name, size in parts)
        raise TooLarge(
            f"the function {function!r} would weigh {total / 2**20:.1f} MB unzipped ({sizes});"
            f" Lambda takes {UNZIPPED_LIMIT // 2**20} MB"
        )


def lambda_runtime(settings: Settings) -> lambda_.Runtime:
    """The stage's runtime as CDK names it."""
    return lambda_.Runtime(
        settings.runtime.value,
        lambda_.RuntimeFamily.PYTHON,
        supports_inline_code=True,
        supports_snap_start=settings.snaps,
    )


def lambda_architecture(settings: Settings) -> lambda_.Architecture:
    """The stage's architecture as CDK names it."""
    return lambda_.Architecture.custom(settings.architecture.value)
