"""One endpoint, deployed by itself."""

import shlex

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from halftone.domain.endpoint.spec import EndpointSpec
from halftone.domain.model.samples import Call
from halftone.packaging.folder import BuiltPackage
from halftone_cdk.constructs.endpoint.model_endpoint import ModelEndpoint
from halftone_cdk.constructs.endpoint.platform import Platform

_LONGEST_CALL = 4096  # characters: more is no use in a terminal


class EndpointStack(Stack):
    """A ``ModelEndpoint``, and in its outputs how to call it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        spec: EndpointSpec,
        package: BuiltPackage,
        platform: Platform,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            description=spec.description or f"Halftone endpoint {spec.name}",
            termination_protection=platform.settings.prod,
        )
        endpoint = ModelEndpoint(self, "Endpoint", spec=spec, package=package, platform=platform)
        calls = [_curl(sample.call, endpoint.base) for sample in package.manifest.samples]
        CfnOutput(self, "Url", value=endpoint.url, description="Takes requests")
        # CloudFormation takes no template above 1 MB; one sample may be an image of several.
        if short := [call for call in calls if len(call) <= _LONGEST_CALL]:
            why = "A request that works when pasted"
            CfnOutput(self, "Curl", value=short[0], description=why)


def _curl(call: Call, base: str) -> str:
    parts = ["curl -sS"]
    if call.body is not None:
        parts += ["-H 'content-type: application/json' -d", shlex.quote(call.body)]
    if call.method != ("GET" if call.body is None else "POST"):
        parts += ["-X", call.method]
    return " ".join([*parts, f"{base}{call.path}"])
