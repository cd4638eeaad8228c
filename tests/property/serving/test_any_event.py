"""No input makes a healthy model's server raise or answer 5xx; a valid one is always served."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halftone.adapters.folder import open_package
from halftone.domain.names import package_key
from halftone.domain.signature import FieldType
from halftone.serving.app import start
from halftone.serving.artifacts import FolderArtifacts
from halftone.serving.settings import Settings

# Every model here is healthy: it answers each record that its signature lets pass.
MODELS = ("breast-cancer/models/challenger", "digits/models/challenger")
PATH = "/endpoints/tried/invocations"


class Context:
    aws_request_id = "request-1"
    function_version = "3"


@pytest.fixture(scope="module", params=MODELS)
def served(request, tmp_path_factory):
    """A server, its manifest and its log."""
    root = tmp_path_factory.mktemp("served")
    package = open_package(request.config.rootpath / "examples" / request.param)
    stored = root / package_key(package.digest)
    stored.parent.mkdir()
    stored.write_bytes(package.data)
    log = []
    given_as = Settings("tried", "bucket", 1000.0, 20_000, "rollout-1", package.digest)
    server = start(given_as, FolderArtifacts(root), root=root / "unpacked", write=log.append)
    return server, package.manifest, log


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)
bodies = (
    st.text()
    | st.binary().map(lambda data: base64.b64encode(data).decode())
    | json_values.map(json.dumps)
    | st.fixed_dictionaries({"instances": json_values}).map(json.dumps)
    | st.integers(1, 9_000).map(lambda depth: '{"instances": ' + "[" * depth + "]" * depth + "}")
)
headers = st.dictionaries(st.text(), st.text())
events = json_values | st.fixed_dictionaries(
    {},
    optional={
        "version": json_values,
        "rawPath": st.just(PATH) | st.text(),
        "headers": headers | json_values,
        "requestContext": st.just({"http": {"method": "POST"}})
        | st.fixed_dictionaries({"http": json_values, "halftone": json_values})
        | json_values,
        "body": bodies | json_values,
        "isBase64Encoded": st.booleans() | json_values,
    },
)
posts = st.fixed_dictionaries(
    {
        "rawPath": st.just(PATH),
        "requestContext": st.just({"http": {"method": "POST"}}),
        "body": bodies,
        "isBase64Encoded": st.booleans(),
        "headers": headers,
    }
)


def check(served, event):
    """The answer to ``event``, of which everything that must always hold has been checked."""
    server, _, log = served
    log.clear()
    answer = server(event, Context())
    json.dumps(answer)  # Lambda must be able to carry it
    body = json.loads(answer["body"])
    assert answer["statusCode"] == 200 or 400 <= answer["statusCode"] < 500
    if answer["statusCode"] >= 400:
        assert answer["headers"]["content-type"] == "application/problem+json"
        assert body["status"] == answer["statusCode"]
        assert len(answer["body"]) < 4_000
    assert all("_aws" in line for line in map(json.loads, log))
    return answer


@settings(max_examples=300, deadline=None)
@given(event=events)
def test_any_event_is_answered(served, event):
    check(served, event)


@settings(max_examples=300, deadline=None)
@given(event=posts)
def test_any_body_is_answered_and_counted_as_no_error(served, event):
    check(served, event)
    (line,) = served[2]
    assert json.loads(line)["Errors"] == 0


def element(field):
    """Any element that fits the field, and its bounds in particular."""
    assert field.type in (FieldType.FLOAT32, FieldType.FLOAT64)
    least, most = field.minimum, field.maximum
    return st.sampled_from([least, most]) | st.floats(least, most) | st.integers(least, most)


def records(manifest):
    def shaped(field, shape):
        if not shape:
            return element(field)
        return st.lists(shaped(field, shape[1:]), min_size=shape[0], max_size=shape[0])

    return st.fixed_dictionaries(
        {field.name: shaped(field, field.shape) for field in manifest.inputs}
    )


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_any_records_that_fit_the_signature_are_served(served, data):
    instances = data.draw(st.lists(records(served[1]), min_size=1, max_size=3))
    body = json.dumps({"instances": instances})
    event = {"rawPath": PATH, "requestContext": {"http": {"method": "POST"}}, "body": body}
    answer = check(served, event)
    assert answer["statusCode"] == 200, answer["body"]
    assert len(json.loads(answer["body"])["predictions"]) == len(instances)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), value=json_values)
def test_one_wrong_value_is_named_by_its_field(served, data, value):
    record = data.draw(records(served[1]))
    field = data.draw(st.sampled_from(served[1].inputs))
    record[field.name] = value
    body = json.dumps({"instances": [record]})
    event = {"rawPath": PATH, "requestContext": {"http": {"method": "POST"}}, "body": body}
    answer = check(served, event)
    problem = json.loads(answer["body"])
    if answer["statusCode"] == 422:
        assert problem["field"].startswith(f"instances[0].{field.name}")
