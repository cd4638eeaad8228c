"""One digest of everything that a published version freezes, besides the model itself.

It changes exactly when a version published now would behave differently from one published before:
then the deploy asks for a release. Descriptions, tags, log retention and alarms are not in it.
"""

import hashlib
from collections.abc import Sequence

import jsii
from aws_cdk import IStableStringProducer, Lazy, Stack, TreeInspector
from aws_cdk import aws_lambda as lambda_

from halftone.domain.audit import canonical_json
from halftone_cdk.layers.build import Layer

_OF_THE_FUNCTION = {
    "codeSigningConfigArn",
    "description",
    "functionName",
    "recursiveLoop",
    "reservedConcurrentExecutions",
    "tags",
}
"""Properties that belong to the function as a whole, or that change nothing of how it runs."""


def frozen_settings(
    function: lambda_.CfnFunction, layers: Sequence[Layer], form: str = "{}"
) -> str:
    """The digest, taken when the template is written, so that later changes of ``function`` count.

    Layers are named by their content: what a template calls them does not change with it. ``form``
    is the text that the digest stands in, as ``str.format`` reads it.
    """
    return Lazy.string(_Digest(function, [layer.digest for layer in layers], form))


@jsii.implements(IStableStringProducer)
class _Digest:
    def __init__(self, function: lambda_.CfnFunction, layers: list[str], form: str) -> None:
        self._function = function
        self._layers = layers
        self._form = form

    def produce(self) -> str:
        """The digest of the function as it now is."""
        frozen = {
            name: value
            for name, value in self._properties().items()
            if name not in _OF_THE_FUNCTION
        }
        digest = hashlib.sha256(canonical_json({**frozen, "layers": self._layers})).hexdigest()
        return self._form.format(digest)

    def _properties(self) -> dict[str, object]:
        # The getters of CfnFunction give no environment, because CDK adds to that until the end.
        inspector = TreeInspector()
        self._function.inspect(inspector)
        declared = inspector.attributes["aws:cdk:cloudformation:props"]
        properties: dict[str, object] = Stack.of(self._function).resolve(declared)
        if not properties.get("environment"):
            raise RuntimeError("the function's environment can't be read: it has none, or none yet")
        return properties
