"""A package of each flavor beside the two endpoints: it answers its samples on the real server."""

import json

import pytest
import yaml

from halftone.domain.endpoint.spec import load_spec
from halftone.domain.model.manifest import Flavor, Interface
from halftone.domain.model.smoke_test import check_answer, smoke_event
from halftone.domain.names import package_key
from halftone.packaging.folder import open_package
from halftone.serving.app import start
from halftone.serving.inference.artifacts import FolderArtifacts
from halftone.serving.settings import Settings

FLAVORS = {"diabetes": Flavor.SKLEARN, "wine": Flavor.SKLEARN, "iris": Flavor.ASGI}


class Context:
    aws_request_id = "request-1"
    function_version = "3"


@pytest.fixture(scope="module", params=FLAVORS)
def endpoint(request):
    return request.param


@pytest.fixture(scope="module")
def folder(request, endpoint):
    return request.config.rootpath / "examples" / "flavors" / endpoint


@pytest.fixture(scope="module")
def package(folder):
    return open_package(folder / "models" / "v1")


@pytest.fixture(scope="module")
def server(endpoint, package, tmp_path_factory):
    root = tmp_path_factory.mktemp(endpoint)
    (root / "packages").mkdir()
    (root / package_key(package.digest)).write_bytes(package.data)
    settings = Settings(endpoint, "bucket", 500.0, 1_000_000, "rollout-1", package.digest)
    return start(settings, FolderArtifacts(root), root=root / "new", write=lambda _: None)


def test_the_endpoint_is_declared(endpoint, folder, package):
    spec = load_spec(yaml.safe_load((folder / "endpoint.yaml").read_text(encoding="utf-8")))
    assert spec.name == endpoint
    assert spec.model == "models/v1"
    assert package.manifest.flavor is FLAVORS[endpoint]


def test_it_passes_its_own_samples_and_would_not_pass_others(endpoint, package, server):
    samples = package.manifest.samples
    assert len(samples) >= 3
    answers = [server(smoke_event(endpoint, sample), Context()) for sample in samples]
    for sample, answer in zip(samples, answers, strict=True):
        assert check_answer(sample, answer) is None
    assert check_answer(samples[0], answers[1]) is not None


def test_a_package_is_small_enough_to_be_committed(package):
    assert len(package.data) < 1_000_000


def test_input_that_does_not_fit_is_a_422(endpoint, package, server):
    app = package.manifest.interface is Interface.HTTP
    event = {
        "rawPath": f"/endpoints/{endpoint}/{'app/classify' if app else 'invocations'}",
        "requestContext": {"http": {"method": "POST"}},
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"instances": [{}]}),
    }
    assert server(event, Context())["statusCode"] == 422
