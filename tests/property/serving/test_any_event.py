"""No input makes a healthy model's server raise or answer 5xx; a valid one is always served."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halftone.domain.model.schema import FieldType
from halftone.domain.names import package_key
from halftone.packaging.folder import open_package
from halftone.serving.app import start
from halftone.serving.inference.artifacts import FolderArtifacts
from halftone.serving.protocols.tensors import DATATYPES
from halftone.serving.settings import Settings

# Every model here is healthy: it answers each record that its signature lets pass.
MODELS = ("breast-cancer/models/challenger", "digits/models/challenger")
PATH = "/endpoints/tried/invocations"
INFER = "/v2/models/tried/infer"
PATHS = (
    PATH,
    INFER,
    "/endpoints/tried/versions/3/invocations",
    "/endpoints/tried",
    "/endpoints/tried/health",
    "/endpoints/tried/openapi.json",
    "/endpoints/tried/feedback",
    "/endpoints/tried/app/x",
    "/endpoints/tried/v2",
    "/endpoints/tried/v2/models/tried/infer",
    "/v2/models/tried",
    "/v2/models/tried/ready",
    "/v2/health/live",
    "/v2/health/ready",
)


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
tensors = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["pixels", "mean_radius"]) | json_values,
        "datatype": st.sampled_from(["FP32", "FP64", "BYTES"]) | json_values,
        "shape": st.lists(st.integers(-1, 8), max_size=3) | json_values,
        "data": json_values,
        "parameters": st.dictionaries(st.just("binary_data_size"), st.integers() | json_values),
    },
)
bodies = (
    st.text()
    | st.binary().map(lambda data: base64.b64encode(data).decode())
    | json_values.map(json.dumps)
    | st.dictionaries(
        st.sampled_from(["instances", "inputs", "dataframe_split", "dataframe_records", "params"]),
        json_values | st.fixed_dictionaries({"columns": json_values, "data": json_values}),
        max_size=2,
    ).map(json.dumps)
    | st.fixed_dictionaries({"inputs": st.lists(tensors | json_values, max_size=2)}).map(json.dumps)
    | st.integers(1, 9_000).map(lambda depth: '{"instances": ' + "[" * depth + "]" * depth + "}")
)
headers = st.dictionaries(
    st.text()
    | st.sampled_from(["Inference-Header-Content-Length", "x-halftone-deployment", "content-type"]),
    st.text() | st.integers(0, 99).map(str),
)
tables = st.text() | st.lists(
    st.lists(st.sampled_from(["x", "n", "", '"', "1", "1e999", "9" * 400]) | st.text(), max_size=4),
    max_size=4,
).map(lambda rows: "\n".join(map(",".join, rows)))
methods = st.sampled_from(["GET", "POST", "PUT"]) | st.text()
events = json_values | st.fixed_dictionaries(
    {},
    optional={
        "version": json_values,
        "rawPath": st.sampled_from(PATHS) | st.text(),
        "headers": headers | json_values,
        "requestContext": st.fixed_dictionaries(
            {"http": st.fixed_dictionaries({"method": methods})}
        )
        | st.fixed_dictionaries({"http": json_values, "halftone": json_values})
        | json_values,
        "body": bodies | json_values,
        "isBase64Encoded": st.booleans() | json_values,
    },
)
posts = st.fixed_dictionaries(
    {
        "rawPath": st.sampled_from([PATH, INFER]),
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
    body = None if answer["isBase64Encoded"] else json.loads(answer["body"])
    assert answer["statusCode"] == 200 or 400 <= answer["statusCode"] < 500
    if answer["statusCode"] >= 400:
        if answer["headers"]["content-type"] == "application/json":
            assert list(body) == ["error"]
            assert "/v2" in event["rawPath"]
        else:
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
@given(event=posts, table=tables, sent_as=st.sampled_from(["text/csv", "Application/CSV; a"]))
def test_any_table_is_answered(served, event, table, sent_as):
    sent = {"rawPath": PATH, "body": table, "headers": {"content-type": sent_as}}
    check(served, {**event, **sent, "isBase64Encoded": False})


@settings(max_examples=300, deadline=None)
@given(event=posts)
def test_any_body_is_answered_and_counted_as_no_error(served, event):
    check(served, event)
    (line,) = served[2]
    assert json.loads(line).get("Errors", 0) == 0


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


@settings(max_examples=300, deadline=None)
@given(data=st.data(), raw=st.binary(max_size=300), headers=headers)
def test_any_bytes_after_a_tensor_are_answered(served, data, raw, headers):
    field = data.draw(st.sampled_from(served[1].inputs))
    size = data.draw(st.just(len(raw)) | st.integers(-1, 300))
    tensor = {
        "name": field.name,
        "datatype": DATATYPES[field.type],
        "shape": [data.draw(st.integers(0, 3)), *field.shape],
        "parameters": {"binary_data_size": size},
    }
    text = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    event = {
        "rawPath": INFER,
        "requestContext": {"http": {"method": "POST"}},
        "headers": {"inference-header-content-length": str(len(text)), **headers},
        "body": base64.b64encode(text + raw).decode(),
        "isBase64Encoded": True,
    }
    check(served, event)
    assert json.loads(served[2][0]).get("Errors", 0) == 0


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
