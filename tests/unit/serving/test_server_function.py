"""The function behind /v2 at the root of a stage's API."""

import importlib.util
import json

import pytest

from halftone_cdk.constructs.http.server_routes import PATHS


@pytest.fixture(scope="module")
def handler(request):
    path = request.config.rootpath / "functions" / "server" / "handler.py"
    spec = importlib.util.spec_from_file_location("server_handler", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.handler


@pytest.mark.parametrize("before", ["", "/stage", "/v2", "/v2beta", "/v2/health"])
@pytest.mark.parametrize("path", PATHS)
def test_every_route_has_its_answer(handler, before, path):
    answer = handler({"rawPath": before + path}, None)
    assert answer["statusCode"] == 200
    assert handler({"rawPath": f"{before}{path}/"}, None)["body"] == answer["body"]
    head = {"rawPath": before + path, "requestContext": {"http": {"method": "HEAD"}}}
    assert handler(head, None) == {**answer, "body": ""}
    document = json.loads(answer["body"])
    if path == "/v2":
        assert document["extensions"] == ["binary_tensor_data"]
    else:
        assert document == {path.rsplit("/", 1)[1]: True}


@pytest.mark.parametrize(
    "path", ["/v2/models/none", "/v2/models", "/v2/health", "/v2/\ud800", "/v2/" + "x" * 9000]
)
def test_what_no_endpoint_answers_is_a_404_of_the_protocol(handler, path):
    answer = handler({"rawPath": path}, None)
    assert answer["statusCode"] == 404
    assert json.loads(answer["body"])["error"].startswith("nothing answers at '/v2/")
    assert len(answer["body"]) < 300
