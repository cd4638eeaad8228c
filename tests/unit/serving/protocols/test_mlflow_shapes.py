"""Requests in the four shapes of MLflow's scoring server, and in rows and ``params`` of our own.

The names ``instances``, ``inputs``, ``dataframe_split`` and ``dataframe_records`` are MLflow's;
what its server makes of them is in ``test_mlflow_requests.py``. Here every shape is one request,
and what fits none is named. Rows of values in the order of the fields, and ``params`` as fields
that all records share, are this project's.
"""

import json

import pytest

CODE = """
def run(instances):
    return [{"y": record["a"] + 10 * record["b"]} for record in instances]
"""
TWO = {
    "inputs": [{"name": "a", "type": "float64"}, {"name": "b", "type": "int32"}],
    "samples": [{"instances": [{"a": 1, "b": 2}], "predictions": [{"y": 21}]}],
}
SUMS = "def run(instances):\n    return [{'y': float(sum(r['x']))} for r in instances]"
TENSOR = {
    "inputs": [{"name": "x", "type": "float32", "shape": [3]}],
    "samples": [{"instances": [{"x": [1, 2, 3]}], "predictions": [{"y": 6}]}],
}
TEXT = "def run(instances):\n    return [{'y': float(len(r['prompt']))} for r in instances]"
PROMPT = {
    "inputs": [{"name": "prompt", "type": "string"}],
    "samples": [{"instances": [{"prompt": "a"}], "predictions": [{"y": 1}]}],
}


NUMBERED = {
    "inputs": [{"name": "1", "type": "float64"}, {"name": "2", "type": "int32"}],
    "samples": [{"instances": [{"1": 1, "2": 2}], "predictions": [{"y": 21}]}],
}


def test_columns_that_are_called_by_their_numbers_are_taken(serve):
    code = "def run(instances):\n    return [{'y': r['1'] + 10 * r['2']} for r in instances]"
    served = serve(code, manifest=NUMBERED)
    body = {"dataframe_split": {"index": [0], "columns": [1, 2], "data": [[1.0, 2]]}}
    assert predictions(served.post(body)) == [21]
    body["dataframe_split"] = {"columns": [2, 1], "data": [[2, 1.0]]}
    assert predictions(served.post(body)) == [21]
    body["dataframe_split"]["columns"] = [True, 2]
    assert served.post(body)["statusCode"] == 422


def predictions(answer):
    assert answer["statusCode"] == 200, answer["body"]
    return [record["y"] for record in json.loads(answer["body"])["predictions"]]


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": ["a", "b"], "data": [[1.0, 2], [3.0, 4]]}},
        {"dataframe_split": {"index": [0, 1], "columns": ["b", "a"], "data": [[2, 1], [4, 3]]}},
        {"dataframe_split": {"data": [[1.0, 2], [3.0, 4]]}},
        {"dataframe_records": [{"a": 1.0, "b": 2}, {"a": 3.0, "b": 4}]},
        {"inputs": {"a": [1.0, 3.0], "b": [2, 4]}},
        {"inputs": [{"a": 1.0, "b": 2}, {"a": 3.0, "b": 4}]},
        {"inputs": [[1.0, 2], [3.0, 4]]},
        {"instances": [{"a": 1.0, "b": 2}, {"a": 3.0, "b": 4}]},
        {"instances": [[1.0, 2], [3.0, 4]]},
        {"instances": [{"a": 1.0}, {"a": 3.0}], "params": {"b": 2}},
        {"dataframe_split": {"columns": ["a"], "data": [[1.0], [3.0]]}, "params": {"b": 2}},
    ],
)
def test_every_shape_is_the_same_request(serve, body):
    expected = [21.0, 23.0] if "params" in body else [21.0, 43.0]
    assert predictions(serve(CODE, TWO).post(body)) == expected


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": [[1, 2, 3], [4, 5, 6]]},
        {"instances": [[1, 2, 3], [4, 5, 6]]},
        {"inputs": {"x": [[1, 2, 3], [4, 5, 6]]}},
        {"instances": [{"x": [1, 2, 3]}, {"x": [4, 5, 6]}]},
        {"dataframe_split": {"columns": ["x"], "data": [[[1, 2, 3]], [[4, 5, 6]]]}},
        {"inputs": [[[1, 2, 3]], [[4, 5, 6]]]},
        {"dataframe_split": {"columns": ["0", "1", "2"], "data": [[1, 2, 3], [4, 5, 6]]}},
        {"dataframe_records": [{"0": 1, "1": 2, "2": 3}, {"0": 4, "1": 5, "2": 6}]},
    ],
)
def test_rows_of_one_tensor_are_its_values(serve, body):
    assert predictions(serve(SUMS, TENSOR).post(body)) == [6.0, 15.0]


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": ["one", "three"]},
        {"inputs": [["one"], ["three"]]},
        {"inputs": {"prompt": ["one", "three"]}},
        {"dataframe_split": {"columns": ["prompt"], "data": [["one"], ["three"]]}},
    ],
)
def test_rows_of_one_scalar_are_its_values(serve, body):
    assert predictions(serve(TEXT, PROMPT).post(body)) == [3.0, 5.0]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"inputs": [], "instances": []}, "inputs"),
        ({"inputs": {"a": [1], "b": [2]}, "signature_name": "x"}, "signature_name"),
        ({"inputs": {"a": [1], "b": [2, 3]}}, "inputs.b"),
        ({"inputs": {"a": 1, "b": [2]}}, "inputs.a"),
        ({"inputs": {}}, "inputs"),
        ({"inputs": "text"}, "inputs"),
        ({"inputs": {"a": [1], "c": [2]}}, "inputs[0].b"),
        ({"inputs": [[1, 2, 3]]}, "inputs[0]"),
        ({"inputs": [[1, 2], 3]}, "inputs[1]"),
        ({"inputs": [[1, "2"]]}, "inputs[0].b"),
        ({"dataframe_split": [[1, 2]]}, "dataframe_split"),
        ({"dataframe_split": {"columns": "ab", "data": []}}, "dataframe_split.columns"),
        ({"dataframe_split": {"columns": ["a", "a"], "data": []}}, "dataframe_split.columns"),
        ({"dataframe_split": {"columns": ["a", "b"]}}, "dataframe_split.data"),
        ({"dataframe_split": {"columns": ["a", "b"], "data": [[1]]}}, "dataframe_split.data[0]"),
        ({"dataframe_split": {"columns": ["a", "b"], "rows": 1}}, "dataframe_split.rows"),
        ({"dataframe_split": {"columns": ["a", "b"], "data": [[1, 0.5]]}}, "dataframe_split[0].b"),
        ({"dataframe_records": [[1, 2]]}, "dataframe_records[0]"),
        ({"dataframe_records": {"a": [1]}}, "dataframe_records"),
        ({"params": {"b": 1}}, "body"),
        ({"instances": [{"a": 1}], "params": [1]}, "params"),
        ({"instances": [{"a": 1}], "params": {"temperature": 1}}, "params.temperature"),
        ({"instances": [{"a": 1}], "params": {"b": 1.5}}, "params.b"),
        ({"instances": [{"a": 1, "b": 2}], "params": {"b": 3}}, "params.b"),
        ({"instances": {"a": {}}, "params": {"b": 3}}, "instances.a"),
        ({"dataframe_split": {"index": 0, "data": [[1, 2]]}}, "dataframe_split.index"),
        ({"instances": [7], "params": {"b": 3}}, "instances[0]"),
    ],
)
def test_what_fits_no_shape_is_named(serve, body, field):
    served = serve(CODE, TWO)
    answer = served.post(body)
    assert (answer["statusCode"], json.loads(answer["body"])["field"]) == (422, field)
    assert served.faults == []
