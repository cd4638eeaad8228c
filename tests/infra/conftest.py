"""One synth a stage for the whole session: reading templates is cheap, making them is not."""

import os

# Before CDK's library is loaded: it greets Node 20 with a banner.
os.environ["JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"] = "20"

import pytest
from aws_cdk import Stack

from halftone.domain.endpoint.spec import EndpointSpec
from halftone.packaging.folder import BuiltPackage, build_package
from halftone_cdk.constructs.endpoint.model_endpoint import ModelEndpoint
from halftone_cdk.settings import Settings
from tests.infra.support import EXAMPLES, Synthesised, new_app, synthesise, written
from tests.infra.their_app import SETTINGS, SPEC, Deploy, ImportedPlatform


@pytest.fixture(scope="session")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    """The stage dev: Python 3.13."""
    return synthesise(tmp_path_factory.mktemp("dev"), "dev")


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    """The stage local: the Python that synthesises."""
    return synthesise(tmp_path_factory.mktemp("local"), "local")


@pytest.fixture(scope="session")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    """The stage prod: what must not be lost is kept."""
    return synthesise(tmp_path_factory.mktemp("prod"), "prod")


@pytest.fixture(scope="session")
def package() -> BuiltPackage:
    return build_package(EXAMPLES / "breast-cancer" / "models" / "champion")


@pytest.fixture(scope="session")
def deploy(package: BuiltPackage, tmp_path_factory: pytest.TempPathFactory) -> Deploy:
    """The endpoint in somebody else's app."""

    def synthesised(
        spec: EndpointSpec = SPEC, settings: Settings = SETTINGS, **environment: str
    ) -> Synthesised:
        app = new_app(tmp_path_factory.mktemp("theirs"))
        stack = Stack(app, "theirs")
        platform = ImportedPlatform.into(stack, settings)
        endpoint = ModelEndpoint(stack, "Fraud", spec=spec, package=package, platform=platform)
        for name, value in environment.items():
            endpoint.function.add_environment(name, value)
        return written(app, settings)

    return synthesised


@pytest.fixture(scope="session")
def plain(deploy: Deploy) -> Synthesised:
    return deploy()
