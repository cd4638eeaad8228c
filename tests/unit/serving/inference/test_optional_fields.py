"""Missing values: null, absent, an empty CSV cell, NaN in a tensor, and what the model gets."""

import base64
import json
import math
import struct

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer

from halftone.domain.errors import InvalidInput, InvalidPackage
from halftone.domain.model.compatibility import incompatibilities
from halftone.domain.model.manifest_schema import load_manifest
from halftone.domain.model.schema import Field, FieldType, parse_fields, read_records
from halftone.serving.inference.loader import load
from tests.support.onnx_graphs import Node, Value, graph

TELLS = """
def run(instances):
    return [{"y": repr(sorted(record.items()))} for record in instances]
"""
FIELDS = [
    {"name": "age", "type": "float64", "optional": True, "minimum": 0, "maximum": 150},
    {"name": "count", "type": "int64", "optional": True},
    {"name": "sure", "type": "bool", "optional": True},
    {"name": "sex", "type": "string", "optional": True},
    {"name": "limit", "type": "int32", "default": 5},
]
PYTHON = {
    "inputs": FIELDS,
    "outputs": [{"name": "y", "type": "string"}],
    "samples": [{"instances": [{}]}],
}
NONE = {"age": None, "count": None, "sure": None, "sex": None, "limit": 5}
ALL = {"age": 3.0, "count": 2, "sure": True, "sex": "f", "limit": 7}


def told(record):
    return repr(sorted(record.items()))


def answers(answer):
    assert answer["statusCode"] == 200, answer["body"]
    return [record["y"] for record in json.loads(answer["body"])["predictions"]]


@pytest.mark.parametrize(
    "body",
    [
        {"instances": [{}, ALL]},
        {"instances": [dict.fromkeys(("age", "count", "sure", "sex")), ALL]},
        {"inputs": [{"sex": None}, ALL]},
        {"dataframe_records": [{"age": None, "limit": 5}, ALL]},
        {
            "dataframe_split": {
                "columns": ["age", "count", "sure", "sex", "limit"],
                "data": [[None, None, None, None, 5], [3, 2, True, "f", 7]],
            }
        },
        {"instances": [[None, None, None, None, 5], [3, 2, True, "f", 7]]},
        {
            "inputs": {
                "age": [None, 3],
                "count": [None, 2],
                "sure": [None, True],
                "sex": [None, "f"],
                "limit": [5, 7],
            }
        },
    ],
    ids=lambda body: json.dumps(body)[:40],
)
def test_what_is_missing_in_json_is_none_to_a_python_model(serve, body):
    assert answers(serve(TELLS, manifest=PYTHON).post(body)) == [told(NONE), told(ALL)]


def test_an_empty_cell_is_missing(serve):
    served = serve(TELLS, manifest=PYTHON)
    text = "age,count,sure,sex,limit\n,,,,\n3,2,true,f,7\n"
    answer = served.post(text, headers={"content-type": "text/csv"})
    assert answers(answer) == [told(NONE), told(ALL)]
    answer = served.post("sex\nf\n", headers={"content-type": "text/csv"})
    assert answers(answer) == [told({**NONE, "sex": "f"})]


def tensor(name, datatype, *data):
    return {"name": name, "datatype": datatype, "shape": [len(data)], "data": list(data)}


INFER = {"path": "/v2/models/double/infer"}


def elements(answer, name="y"):
    assert answer["statusCode"] == 200, answer["body"]
    outputs = {output["name"]: output for output in json.loads(answer["body"])["outputs"]}
    return outputs[name]["data"]


def test_null_in_a_tensor_and_an_absent_tensor_are_missing(serve):
    served = serve(TELLS, manifest=PYTHON)
    sent = [
        tensor("age", "FP64", None, 3),
        tensor("sure", "BOOL", None, True),
        tensor("sex", "BYTES", None, "f"),
    ]
    expected = [told(NONE), told({**ALL, "count": None, "limit": 5})]
    assert elements(served.post({"inputs": sent}, **INFER)) == expected


def binary(body, *parts):
    """A request with binary tensors, as the protocol has it."""
    text = json.dumps(body).encode()
    return base64.b64encode(b"".join((text, *parts))).decode(), {
        "isBase64Encoded": True,
        "headers": {"inference-header-content-length": str(len(text))},
    }


def test_nan_in_a_binary_tensor_is_missing(serve):
    served = serve(TELLS, manifest=PYTHON)
    data = struct.pack("<2d", math.nan, 3.0)
    age = {"name": "age", "datatype": "FP64", "shape": [2]}
    sent, how = binary({"inputs": [{**age, "parameters": {"binary_data_size": 16}}]}, data)
    answer = served.post(sent, **INFER, **how)
    assert elements(answer) == [told(NONE), told({**NONE, "age": 3.0})]


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ({"limit": None}, "instances[0].limit"),
        ({"age": 151}, "instances[0].age"),
        ({"count": 1.5}, "instances[0].count"),
        ({"ages": 1}, "instances[0].ages"),
    ],
)
def test_what_is_there_is_held_to_the_field(serve, record, field):
    answer = serve(TELLS, manifest=PYTHON).post({"instances": [record]})
    assert (answer["statusCode"], json.loads(answer["body"])["field"]) == (422, field)


def test_nothing_at_all_is_no_request_in_tensors(serve):
    answer = serve(TELLS, manifest=PYTHON).post({"inputs": []}, **INFER)
    assert answer["statusCode"] == 400


GIVES = """
def run(instances):
    return [{"y": r["x"], "n": None if r["x"] is None else 1, "v": r["v"]} for r in instances]
"""
MISSING_OUT = {
    "inputs": [
        {"name": "x", "type": "float64", "optional": True},
        {"name": "v", "type": "float64", "shape": [2], "optional": True},
    ],
    "outputs": [
        {"name": "y", "type": "float64", "optional": True},
        {"name": "n", "type": "int64", "optional": True},
        {"name": "v", "type": "float64", "shape": [2], "optional": True},
    ],
    "samples": [{"instances": [{}], "predictions": [{"y": None, "n": None, "v": None}]}],
}


def test_a_model_may_leave_optional_outputs_out(serve):
    served = serve(GIVES, manifest=MISSING_OUT)
    answer = served.post({"instances": [{}, {"x": 2, "v": [None, 1]}]})
    assert json.loads(answer["body"])["predictions"] == [
        {"y": None, "n": None, "v": None},
        {"y": 2.0, "n": 1, "v": [None, 1.0]},
    ]
    sent = {"inputs": [tensor("x", "FP64", None, 2)]}
    assert elements(served.post(sent, **INFER)) == [None, 2.0]
    assert elements(served.post(sent, **INFER), "v") == [None] * 4


def test_a_missing_float_is_nan_and_a_missing_whole_has_none(serve):
    served = serve(GIVES, manifest=MISSING_OUT)
    body = {"name": "y", "parameters": {"binary_data": True}}
    sent = {"inputs": [tensor("x", "FP64", None, 2)], "outputs": [body]}
    answer = served.post(sent, **INFER)
    assert answer["statusCode"] == 200
    data = base64.b64decode(answer["body"])[-16:]
    assert math.isnan(struct.unpack("<2d", data)[0])
    sent["outputs"] = [{**body, "name": "n"}]
    answer = served.post(sent, **INFER)
    assert answer["statusCode"] == 400
    assert "no bytes of int64 stand for a missing value" in answer["body"]


# Models on arrays --------------------------------------------------------------------------------

TABLE = [
    {"name": "a", "type": "float64", "optional": True},
    {"name": "b", "type": "int64", "optional": True},
]


def sklearn_package(tmp_path, model, inputs, **more):
    skops.io.dump(model, tmp_path / "model.skops")
    trusted = skops.io.get_untrusted_types(file=tmp_path / "model.skops")
    manifest = {
        "name": "rows",
        "flavor": "sklearn",
        "entry": "model.skops",
        "trusted": trusted,
        "inputs": inputs,
        "samples": [{"instances": [{}]}],
        **more,
    }
    return load_manifest(manifest)


def test_a_missing_number_is_nan_to_a_scikit_learn_model(tmp_path, serve):
    rows = np.array([[1.0, 1.0], [np.nan, 2.0], [3.0, np.nan], [4.0, 4.0]] * 10)
    model = HistGradientBoostingRegressor(max_iter=5).fit(rows, np.arange(40.0))
    outputs = [{"name": "y", "type": "float64"}]
    manifest = sklearn_package(tmp_path, model, TABLE, outputs=outputs)
    served = serve(
        manifest=manifest.as_given(),
        files={"model.skops": (tmp_path / "model.skops").read_bytes()},
    )
    expected = model.predict(np.array([[np.nan, np.nan], [1.0, np.nan], [np.nan, 2.0]])).tolist()
    records = [{}, {"a": 1}, {"a": None, "b": 2}]
    assert answers(served.post({"instances": records})) == pytest.approx(expected)
    text = "a,b\n,\n1,\n,2\n"
    answer = served.post(text, headers={"content-type": "text/csv"})
    assert answers(answer) == pytest.approx(expected)
    sent = [tensor("a", "FP64", None, 1, None), tensor("b", "INT64", None, None, 2)]
    assert elements(served.post({"inputs": sent}, **INFER)) == pytest.approx(expected)
    data = struct.pack("<3d", math.nan, 1.0, math.nan)
    part = {"name": "a", "datatype": "FP64", "shape": [3], "parameters": {"binary_data_size": 24}}
    sent, how = binary({"inputs": [part, tensor("b", "INT64", None, None, 2)]}, data)
    assert elements(served.post(sent, **INFER, **how)) == pytest.approx(expected)


def test_a_missing_text_is_none_to_a_scikit_learn_model(tmp_path):
    model = SimpleImputer(missing_values=None, strategy="most_frequent")
    model.fit(np.array([["a"], ["a"], [None]], object))
    inputs = [{"name": "s", "type": "string", "optional": True}]
    outputs = [{"name": "transform", "type": "string"}]
    manifest = sklearn_package(tmp_path, model, inputs, outputs=outputs)
    loaded = load(tmp_path, manifest, "a" * 64)
    assert loaded.predict([{"s": None}, {"s": "b"}]) == [{"transform": "a"}, {"transform": "b"}]


def test_a_missing_number_is_nan_to_a_graph_and_null_outside(tmp_path, serve):
    data = graph(
        [Node("Identity", ["x"], ["y"]), Node("IsNaN", ["x"], ["gone"])],
        [Value("x", ["n", 2])],
        [Value("y", ["n", 2]), Value("gone", ["n", 2], 9)],
    )
    manifest = {
        "flavor": "onnx",
        "entry": "model.onnx",
        "inputs": [
            {"name": "a", "type": "float32", "optional": True},
            {"name": "b", "type": "int64", "optional": True},
        ],
        "outputs": [
            {"name": "y", "type": "float32", "shape": [2], "optional": True},
            {"name": "gone", "type": "bool", "shape": [2]},
        ],
        "samples": [{"instances": [{}]}],
    }
    served = serve(manifest=manifest, files={"model.onnx": data})
    answer = served.post({"instances": [{"a": 1}, {"b": 2}]})
    assert json.loads(answer["body"])["predictions"] == [
        {"y": [1.0, None], "gone": [False, True]},
        {"y": [None, 2.0], "gone": [True, False]},
    ]


@pytest.mark.parametrize("captured", [{"instances": [{"v": None}]}, {"instances": [{}]}])
def test_a_whole_missing_array_is_nan_in_each_element(serve, captured):
    data = graph([Node("Identity", ["v"], ["y"])], [Value("v", ["n", 2])], [Value("y", ["n", 2])])
    manifest = {
        "flavor": "onnx",
        "entry": "model.onnx",
        "inputs": [{"name": "v", "type": "float32", "shape": [2], "optional": True}],
        "outputs": [{"name": "y", "type": "float32", "shape": [2], "optional": True}],
        "samples": [{"instances": [{}]}],
    }
    served = serve(manifest=manifest, files={"model.onnx": data})
    answer = served.post({"instances": [*captured["instances"], {"v": [1, None]}]})
    predictions = json.loads(answer["body"])["predictions"]
    assert predictions == [{"y": [None, None]}, {"y": [1.0, None]}]


# The field itself --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"optional": "yes"}, "inputs[0].optional"),
        ({"description": 5}, "inputs[0].description"),
        ({"description": "x" * 501}, "inputs[0].description"),
        ({"example": "a"}, "inputs[0].example"),
        ({"default": 151}, "inputs[0].default"),
        ({"shape": [2], "default": [1, "a"]}, "inputs[0].default[1]"),
        ({"optionl": True}, "inputs[0].optionl"),
    ],
)
def test_what_a_field_can_not_say_is_named(changes, at):
    with pytest.raises(InvalidInput) as caught:
        parse_fields("inputs", [{"name": "age", "type": "int32", "maximum": 150, **changes}])
    assert caught.value.field == at


def test_an_output_has_no_default():
    outputs = [{"name": "y", "type": "string", "default": "a"}]
    manifest = {**PYTHON, "outputs": outputs, "name": "n", "flavor": "python", "entry": "a.py"}
    with pytest.raises(InvalidPackage, match=r"outputs\[0\].default is 'a', expected nothing"):
        load_manifest(manifest)


def test_a_field_that_is_absent_hides_no_other_that_is_unknown():
    fields = parse_fields("inputs", FIELDS)
    with pytest.raises(InvalidInput) as caught:
        read_records("at", fields, [{"x": 1, "age": 1, "count": 1, "sure": True, "sex": "f"}])
    assert caught.value.field == "at[0].x"


def test_a_release_may_add_what_clients_need_not_send():
    def manifest(*inputs):
        fields = {"name": "n", "flavor": "python", "entry": "a.py", "inputs": list(inputs)}
        outputs = [{"name": "y", "type": "string"}]
        return load_manifest({**fields, "outputs": outputs, "samples": [{"instances": [{}]}]})

    age, default = FIELDS[0], FIELDS[4]
    assert incompatibilities(manifest(age), manifest(age, default, FIELDS[3])) == ()
    assert incompatibilities(manifest(default), manifest({**default, "optional": True})) == ()
    needed = {**age, "optional": False, "default": 1}
    (told_of,) = incompatibilities(manifest(age), manifest(needed))
    assert told_of.startswith("input 'age' was float64, at least 0, at most 150, or null, and is")


def test_an_output_does_not_become_optional_under_its_clients():
    field = Field("y", FieldType.FLOAT64)
    assert Field("y", FieldType.FLOAT64, optional=True).expected() == "float64, or null"
    assert field.expected() == "float64"
