"""One endpoint, deployed by itself."""

import json
import shlex

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from halftone.adapters.folder import BuiltPackage
from halftone.domain.spec import EndpointSpec
from infra.constructs.model_endpoint import ModelEndpoint
from infra.constructs.platform import Platform


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
        instance = dict(package.manifest.samples[0].instances[0])
        body = shlex.quote(json.dumps({"instances": [instance]}))
        call = f"curl -sS -H 'content-type: application/json' -d {body} {endpoint.url}"
        CfnOutput(self, "Url", value=endpoint.url, description="Takes POST requests")
        CfnOutput(self, "Curl", value=call, description="A request that works when pasted")
