"""The Open Inference Protocol v2, as a client meets it; conformance is tests/e2e's matter."""

import base64
import json
import struct

import pytest

TWO = {
    "inputs": [
        {"name": "a", "type": "float64"},
        {"name": "b", "type": "int32", "shape": [2]},
    ],
    "outputs": [{"name": "y", "type": "float64"}, {"name": "kind", "type": "string"}],
    "samples": [
        {
            "instances": [{"a": 1, "b": [2, 3]}],
            "predictions": [{"y": 6, "kind": "sum"}],
        }
    ],
}
CODE = """
def run(instances):
    return [{"y": r["a"] + sum(r["b"]), "kind": "sum"} for r in instances]
"""
A = {"name": "a", "datatype": "FP64", "shape": [2], "data": [1, 2.5]}
B = {"name": "b", "datatype": "INT32", "shape": [2, 2], "data": [[1, 2], [3, 4]]}


@pytest.fixture
def served(serve):
    return serve(CODE, TWO)


def infer(served, asked, *, path="/v2/models/double/infer", **more):
    return served.post(asked, path=path, **more)


def get(served, path):
    return served.send({"rawPath": path, "requestContext": {"http": {"method": "GET"}}})


@pytest.mark.parametrize("before", ["", "/endpoints/double"])
def test_records_come_and_go_as_tensors(served, before):
    answer = infer(served, {"inputs": [B, A], "id": "42"}, path=f"{before}/v2/models/double/infer")
    assert answer["statusCode"] == 200
    assert answer["headers"]["content-type"] == "application/json"
    assert json.loads(answer["body"]) == {
        "model_name": "double",
        "model_version": "3",
        "id": "42",
        "outputs": [
            {"name": "y", "datatype": "FP64", "shape": [2], "data": [4.0, 9.5]},
            {"name": "kind", "datatype": "BYTES", "shape": [2], "data": ["sum", "sum"]},
        ],
    }
    assert served.metrics[0]["Requests"] == 1


def test_outputs_are_those_asked_for_and_in_bytes_where_asked(served):
    outputs = [{"name": "kind"}, {"name": "y", "parameters": {"binary_data": True}}]
    answer = infer(served, {"inputs": [A, {**B, "data": [1, 2, 3, 4]}], "outputs": outputs})
    assert answer["isBase64Encoded"] is True
    assert answer["headers"]["content-type"] == "application/octet-stream"
    body = base64.b64decode(answer["body"])
    length = int(answer["headers"]["inference-header-content-length"])
    assert json.loads(body[:length])["outputs"] == [
        {"name": "kind", "datatype": "BYTES", "shape": [2], "data": ["sum", "sum"]},
        {
            "name": "y",
            "datatype": "FP64",
            "shape": [2],
            "parameters": {"binary_data_size": 16},
        },
    ]
    assert struct.unpack("<2d", body[length:]) == (4.0, 9.5)


def test_parameters_that_are_not_known_are_passed_over(served):
    a = {**A, "parameters": {"content_type": "np"}}
    body = {"inputs": [a, B], "parameters": {"priority": 1, "mine": "x"}, "outputs": []}
    assert infer(served, body)["statusCode"] == 200


def test_parameters_that_are_null_are_none(served):
    a, outputs = {**A, "parameters": None}, [{"name": "y", "parameters": None}]
    body = {"inputs": [a, B], "parameters": None, "outputs": outputs, "id": None}
    answer = infer(served, body)
    assert json.loads(answer["body"])["outputs"][0]["data"] == [4.0, 9.5]


@pytest.mark.parametrize("data", [[1, 2.5], [[1], [2.5]]])
def test_a_column_of_scalars_may_have_an_axis_of_its_own(served, data):
    """As MLServer's codecs send it."""
    answer = infer(served, {"inputs": [{**A, "shape": [2, 1], "data": data}, B]})
    assert json.loads(answer["body"])["outputs"][0] == {
        "name": "y",
        "datatype": "FP64",
        "shape": [2],
        "data": [4.0, 9.5],
    }
    packed = bytes_of(16, struct.pack("<2d", 1, 2.5), shape=[2, 1])
    assert json.loads(infer(served, **packed)["body"])["outputs"][0]["data"] == [4.0, 9.5]


def bytes_of(size, rest, *, length=None, **tensor):
    """A body whose tensor a stands in bytes."""
    a = {"name": "a", "datatype": "FP64", "shape": [2], "parameters": {"binary_data_size": size}}
    text = json.dumps({"inputs": [{**a, **tensor}, B]}).encode()
    length = str(len(text)) if length is None else length
    return {
        "asked": base64.b64encode(text + rest).decode(),
        "isBase64Encoded": True,
        "headers": {"inference-header-content-length": length},
    }


def test_a_tensor_in_bytes_stands_after_the_json(served):
    answer = infer(served, **bytes_of(16, struct.pack("<2d", 1, 2.5)))
    assert json.loads(answer["body"])["outputs"][0]["data"] == [4.0, 9.5]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (bytes_of(16, b"x" * 15), "inputs[0].parameters.binary_data_size is 16"),
        (bytes_of(8, b"x" * 8), "inputs[0].parameters.binary_data_size is 8, expected 16"),
        (bytes_of(16, b"x" * 17), "1 bytes after the last tensor"),
        (bytes_of(-1, b""), "inputs[0].parameters.binary_data_size is -1"),
        (bytes_of("16", b"x" * 16), "inputs[0].parameters.binary_data_size is '16'"),
        (bytes_of(16, b"x" * 16, data=[1, 2]), "expected nothing: there is data"),
        (bytes_of(16, b"\xff" * 16), "inputs[0].data[0] is nan, expected float64"),
        (bytes_of(16, b"x" * 16, length="x"), "Inference-Header-Content-Length is 'x'"),
        (bytes_of(16, b"x" * 16, length="9999"), "Inference-Header-Content-Length is '9999'"),
        (bytes_of(16, b"x" * 16, length="-1"), "Inference-Header-Content-Length is '-1'"),
        (bytes_of(16, b"x" * 16, length="9" * 9999), "Inference-Header-Content-Length is '99"),
        (bytes_of(16, b"x" * 16, length="0" * 20 + "9" * 4999), "Length is '000"),
        (bytes_of(16, b"x" * 16, length="7"), "the body is no JSON"),
    ],
)
def test_bytes_that_do_not_fit_are_named(served, given, named):
    answer = infer(served, **given)
    assert answer["statusCode"] == 400
    assert named in json.loads(answer["body"])["error"]
    assert served.metrics[0]["Errors"] == 0


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ([], "body is []"),
        ({}, "inputs is null"),
        ({"inputs": []}, "inputs is [], expected also the tensor a"),
        ({"inputs": [A]}, 'inputs is ["a"], expected also the tensor b'),
        ({"inputs": [A, A]}, "inputs[1].name is 'a'"),
        ({"inputs": [7]}, "inputs[0] is 7"),
        ({"inputs": [{**A, "name": "c"}]}, "inputs[0].name is 'c', expected one of a, b"),
        ({"inputs": [{**A, "name": ["a"]}]}, 'inputs[0].name is ["a"]'),
        ({"inputs": [{**A, "datatype": "FP32"}]}, "datatype is 'FP32', expected FP64 for a"),
        ({"inputs": [{**A, "shape": [2, 2]}]}, "shape is [2, 2], expected [records] for a"),
        ({"inputs": [{**A, "shape": []}]}, "shape is []"),
        ({"inputs": [{**A, "shape": [0], "data": []}]}, "shape is [0]"),
        ({"inputs": [{**A, "shape": [True], "data": [1]}]}, "shape is [true]"),
        ({"inputs": [{**B, "shape": [4]}]}, "shape is [4], expected [records, 2] for b"),
        ({"inputs": [{**A, "shape": [3]}]}, "inputs[0].data is [1, 2.5], expected 3 elements"),
        ({"inputs": [{**A, "data": "12"}]}, "inputs[0].data is '12'"),
        ({"inputs": [{**A, "data": [1, "2"]}, B]}, "inputs[0].data[1] is '2', expected float64"),
        ({"inputs": [A, {**B, "data": [1, 2, 3, 2**31]}]}, "inputs[1].data[3] is 2147483648"),
        ({"inputs": [A, {**B, "shape": [1, 2], "data": [1, 2]}]}, "expected 2 records"),
        ({"inputs": [{**A, "parameters": 1}]}, "inputs[0].parameters is 1"),
        ({"inputs": [A, B], "id": 7}, "id is 7"),
        ({"inputs": [A, B], "id": "\ud800"}, "id is '\\ud800', expected a text"),
        ({"inputs": [A, B], "parameters": 7}, "parameters is 7"),
        ({"inputs": [A, B], "parameters": {"binary_data_output": 1}}, "binary_data_output is 1"),
        ({"inputs": [A, B], "outputs": "y"}, "outputs is 'y'"),
        ({"inputs": [A, B], "outputs": [{"name": "z"}]}, "outputs[0].name is 'z'"),
        ({"inputs": [A, B], "outputs": [{"name": "y"}] * 2}, "outputs[1].name is 'y'"),
        (
            {"inputs": [A, B], "outputs": [{"name": "y", "parameters": {"classification": 3}}]},
            "outputs[0].parameters.classification is 3",
        ),
    ],
)
def test_what_does_not_fit_is_named_in_the_protocols_own_form(served, body, named):
    answer = infer(served, body)
    assert answer["statusCode"] == 400
    assert answer["headers"]["content-type"] == "application/json"
    error = json.loads(answer["body"])
    assert list(error) == ["error"]
    assert named in error["error"]
    assert served.faults == []


def test_a_models_fault_is_an_error_in_the_same_form(serve):
    served = serve("def run(instances):\n    raise ValueError('secret')", TWO)
    answer = infer(served, {"inputs": [A, B]})
    assert answer["statusCode"] == 500
    assert json.loads(answer["body"]) == {"error": "the model raised an exception"}


@pytest.mark.parametrize("before", ["", "/endpoints/double"])
def test_the_server_and_the_model_tell_of_themselves(served, before):
    by_path = {
        path: json.loads(get(served, before + path)["body"])
        for path in ("/v2", "/v2/health/live", "/v2/health/ready")
    }
    assert by_path["/v2"]["extensions"] == ["binary_tensor_data"]
    assert by_path["/v2/health/live"] == {"live": True}
    assert by_path["/v2/health/ready"] == {"ready": True}
    ready = json.loads(get(served, f"{before}/v2/models/double/ready")["body"])
    assert ready == {"name": "double", "ready": True}
    assert json.loads(get(served, f"{before}/v2/models/double")["body"]) == {
        "name": "double",
        "versions": ["3"],
        "platform": "halftone_python",
        "inputs": [
            {"name": "a", "datatype": "FP64", "shape": [-1]},
            {"name": "b", "datatype": "INT32", "shape": [-1, 2]},
        ],
        "outputs": [
            {"name": "y", "datatype": "FP64", "shape": [-1]},
            {"name": "kind", "datatype": "BYTES", "shape": [-1]},
        ],
    }


def test_a_server_without_a_model_is_live_and_not_ready(serve):
    served = serve("raise ValueError('secret')")
    assert get(served, "/v2/health/live")["statusCode"] == 200
    for path in ("/v2/health/ready", "/v2/models/double/ready", "/v2/models/double"):
        answer = get(served, path)
        assert answer["statusCode"] == 503
        assert json.loads(answer["body"]) == {"error": "the model could not be loaded"}
