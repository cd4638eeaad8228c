"""One digest of everything that a published version freezes, besides the model itself.

It changes exactly when a version published now would behave differently from one published before:
then the deploy asks for a release. Descriptions, tags, log retention and alarms are not in it.
"""

import hashlib
from collections.abc import Sequence

import jsii
from aws_cdk import IStableStringProducer, Lazy, Stack
from aws_cdk import aws_lambda as lambda_

from halftone.domain.audit import canonical_json
from infra.layers.build import Layer

_FROZEN = (
    "architectures",
    "code",
    "environment",
    "ephemeral_storage",
    "file_system_configs",
    "handler",
    "memory_size",
    "role",
    "runtime",
    "snap_start",
    "timeout",
    "tracing_config",
    "vpc_config",
)


def frozen_settings(function: lambda_.CfnFunction, layers: Sequence[Layer]) -> str:
    """The digest, taken when the template is written, so that later changes of ``function`` count.

    Layers are named by their content: what a template calls them does not change with it.
    """
    return Lazy.string(_Digest(function, [layer.digest for layer in layers]))


@jsii.implements(IStableStringProducer)
class _Digest:
    def __init__(self, function: lambda_.CfnFunction, layers: list[str]) -> None:
        self._function = function
        self._layers = layers

    def produce(self) -> str:
        """The digest of the function as it now is."""
        given = {name: getattr(self._function, name) for name in _FROZEN}
        resolved = Stack.of(self._function).resolve(given)
        return hashlib.sha256(canonical_json({**resolved, "layers": self._layers})).hexdigest()
