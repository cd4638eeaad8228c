"""No request makes a healthy app's server raise or answer 5xx, whatever its parts hold."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halftone.domain.names import package_key
from halftone.packaging.folder import open_package
from halftone.serving.app import start
from halftone.serving.inference.artifacts import FolderArtifacts
from halftone.serving.settings import Settings


class Context:
    aws_request_id = "request-1"
    function_version = "3"


@pytest.fixture(scope="module")
def served(request, tmp_path_factory):
    """The server of the example's app, and its log."""
    root = tmp_path_factory.mktemp("served")
    package = open_package(request.config.rootpath / "examples/flavors/iris/models/v1")
    stored = root / package_key(package.digest)
    stored.parent.mkdir()
    stored.write_bytes(package.data)
    log = []
    given_as = Settings("tried", "bucket", 1000.0, 20_000, "rollout-1", package.digest)
    server = start(given_as, FolderArtifacts(root), root=root / "new", write=log.append)
    return server, log


# With halves of surrogate pairs, which JSON can spell.
texts = st.text(st.characters(exclude_categories=()), max_size=20)
anything = st.none() | st.booleans() | st.integers() | texts
lengths = st.fixed_dictionaries(
    {
        name: st.floats(0.1, 10) | anything
        for name in ("sepal_length", "sepal_width", "petal_length", "petal_width")
    }
)
bodies = (
    texts
    | lengths.map(json.dumps)
    | st.binary(max_size=50).map(lambda data: base64.b64encode(data).decode())
    | anything
)
events = st.fixed_dictionaries(
    {
        "rawPath": st.sampled_from(
            ["", "/", "/species", "/classify", "/docs", "/openapi.json"]
        ).flatmap(lambda path: texts.map(lambda more: f"/endpoints/tried/app{path}{more}"))
        | st.sampled_from(["/endpoints/tried/app/classify", "/v1/endpoints/tried/app/species"]),
        "requestContext": st.fixed_dictionaries(
            {
                "http": st.fixed_dictionaries(
                    {"method": st.sampled_from(["GET", "POST", "HEAD", "OPTIONS"]) | texts},
                    optional={"sourceIp": anything},
                )
            }
        ),
    },
    optional={
        "rawQueryString": texts | st.just("scores=true") | anything,
        "headers": st.dictionaries(
            st.sampled_from(["Host", "content-type", "x-forwarded-port", "x-forwarded-user"])
            | texts,
            texts | anything,
            max_size=4,
        )
        | st.just({"content-type": "application/json"})
        | anything,
        "cookies": st.lists(texts | anything, max_size=3) | anything,
        "body": bodies,
        "isBase64Encoded": st.booleans() | anything,
    },
)


@given(event=events)
def test_any_request_to_an_app_is_answered_by_it_or_refused(served, event):
    server, log = served
    log.clear()
    answer = server(event, Context())
    assert answer["statusCode"] < 500, (answer, log)
    assert isinstance(answer["body"], str)
    assert answer["headers"]["x-halftone-version"] == "3"
    json.dumps(answer)
