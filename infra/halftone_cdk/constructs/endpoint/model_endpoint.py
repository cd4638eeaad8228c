"""A prediction endpoint: everything that one declaration asks for."""

from aws_cdk import Tags
from constructs import Construct

from halftone.domain.endpoint.spec import EndpointSpec
from halftone.packaging.folder import BuiltPackage
from halftone_cdk.constructs.endpoint.guardrail import Guardrail
from halftone_cdk.constructs.endpoint.log_subscription import LogSubscription
from halftone_cdk.constructs.endpoint.model_function import ModelFunction
from halftone_cdk.constructs.endpoint.platform import Platform
from halftone_cdk.constructs.endpoint.release import Release
from halftone_cdk.constructs.endpoint.routes import Routes
from halftone_cdk.constructs.endpoint.schedule import Schedule


class ModelEndpoint(Construct):
    """Function, alias, guardrail, routes, schedule, and the release of a package.

    For use in any CDK app::

        platform = PlatformStack(app, "Platform", settings=Settings("dev"))
        ModelEndpoint(stack, "Fraud", spec=spec, package=package, platform=platform)

    Raises:
        HalftoneError: naming what in ``spec`` or ``package`` can't be deployed.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        spec: EndpointSpec,
        package: BuiltPackage,
        platform: Platform,
    ) -> None:
        super().__init__(scope, construct_id)
        model = ModelFunction(
            self,
            "Model",
            settings=platform.settings,
            spec=spec,
            package=package,
            artifacts=platform.artifacts,
            table=platform.table,
        )
        harvest = LogSubscription(
            self, "Subscription", group=model.logs, subscriber=platform.harvest
        )
        guardrail = Guardrail(self, "Guardrail", stage=platform.settings.name, spec=spec)
        routes = Routes(
            self,
            "Routes",
            http_api=platform.api,
            endpoint=spec.name,
            alias=model.alias,
            interface=package.manifest.interface,
        )
        schedule = Schedule(self, "Schedule", platform=platform, endpoint=spec.name)
        release = Release(
            self,
            "Release",
            spec=spec,
            package=package,
            settings_digest=model.settings_digest,
            provider=platform.release_token,
        )
        # A release finds an endpoint that is complete, and an endpoint is taken apart only after
        # its release was withdrawn.
        release.resource.node.add_dependency(model, harvest, guardrail, routes, schedule)
        for name, value in sorted(spec.tags.items()):
            Tags.of(self).add(name, value)
        self.function = model.function
        self.alias = model.alias
        self.base = f"{platform.api.api_endpoint}{routes.base}"
        self.url = f"{platform.api.api_endpoint}{routes.path}"
