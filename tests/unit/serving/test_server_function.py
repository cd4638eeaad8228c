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
    told = json.loads(answer["body"])
    if path == "/v2":
        assert told["extensions"] == ["binary_tensor_data"]
    else:
        assert told == {path.rsplit("/", 1)[1]: True}
