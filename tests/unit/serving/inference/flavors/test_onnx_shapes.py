"""ONNX graphs of any shape: served for one record and for several, or refused when loaded."""

import json

import numpy as np
import onnxruntime
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from halftone.domain.errors import InvalidPackage
from halftone.domain.model.manifest_schema import load_manifest
from halftone.serving.inference.loader import load
from tests.support.onnx_graphs import (
    BOOL,
    DOUBLE,
    FLOAT,
    INT32,
    INT64,
    STRING,
    Node,
    Value,
    added,
    graph,
    identity,
)

SUM = Node("ReduceSum", ["x"], ["y"], (("keepdims", 0),))
N = "n"


def field(name="x", kind="float32", shape=(), **more):
    return {"name": name, "type": kind, **({"shape": list(shape)} if shape else {}), **more}


def manifest_of(inputs, outputs, **more):
    return {
        "name": "graph",
        "flavor": "onnx",
        "entry": "model.onnx",
        "inputs": inputs,
        "outputs": outputs,
        "samples": [{"instances": [{f["name"]: nested(1, f) for f in inputs}]}],
        **more,
    }


def nested(value, given_field):
    for size in reversed(given_field.get("shape", [])):
        value = [value] * size
    return {"string": "a", "bool": True}.get(given_field["type"], value)


def loaded(tmp_path, data, inputs, outputs, steps=None):
    (tmp_path / "model.onnx").write_bytes(data)
    more = {}
    if steps:
        (tmp_path / "steps.py").write_text(steps)
        more = {"preprocess": "steps.py"}
    manifest = load_manifest(manifest_of(inputs, outputs, **more))
    return load(tmp_path, manifest, tmp_path.name)


X, Y = [field()], [field("y")]
PAIR = [field(shape=(2,))]
AB = [field("a"), field("b")]

SERVED = [
    ("a fixed batch of 1", identity([1, 2], [1, 2]), PAIR, [field("y", shape=(2,))],
     [[1, 2], [3, 4]]),
    ("a scalar in, a scalar out", identity([], []), X, Y, [1, 2]),
    ("an unknown rank", identity(None, None), X, Y, [1, 2]),
    ("a vector of scalars", identity([N], [N]), X, Y, [1, 2]),
    ("a column", identity([N, 1], [N, 1]), X, Y, [1, 2]),
    ("a column of a free width", identity([N, "m"], [N, "m"]), X, Y, [1, 2]),
    ("a batch of 1, a vector", identity([1], [1]), X, Y, [1, 2]),
    ("a batch of 1, a column", identity([1, 1], [1, 1]), X, Y, [1, 2]),
    ("a row of another shape", identity([N, 4], [N, 4]), [field(shape=(2, 2))],
     [field("y", shape=(2, 2))], [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]),
    ("a whole number that fits", identity([N], [N], INT32), [field(kind="int8")],
     [field("y", "int32")], [1, 2]),
    ("whole numbers as floats", identity([N], [N]), [field(kind="int64")], Y, [1, 2]),
    ("float64 as float32", identity([N, 1], [N, 1]), [field(kind="float64")], Y, [1, 2]),
    ("a truth value", identity([N], [N], BOOL), [field(kind="bool")], [field("y", "bool")],
     [True, False]),
    ("texts", identity([N, 1], [N, 1], STRING), [field(kind="string")], [field("y", "string")],
     ["a", "b"]),
]  # fmt: skip


@pytest.mark.parametrize("case", [c[1:] for c in SERVED], ids=[c[0] for c in SERVED])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_graph_is_asked_one_record_or_several(tmp_path, case, count):
    data, inputs, outputs, values = case
    model = loaded(tmp_path, data, inputs, outputs)
    records = [{"x": values[i % len(values)]} for i in range(count)]
    assert model.predict(records) == [{"y": record["x"]} for record in records]


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize(
    ("one", "other", "result"),
    [
        ([N], [N], [N]),
        ([N, 1], [N, 1], [N, 1]),
        ([N], [N], [N, 1]),
        ([1], [1], [1]),
        ([1, 1], [1, 1], [1, 1]),
        ([], [], []),
        ([N], [], [N]),
        ([1], [N], [1]),
    ],
    ids=str,
)
def test_a_graph_of_two_inputs_is_asked_one_record_or_several(tmp_path, one, other, result, count):
    if result == [N, 1]:
        nodes = [Node("Add", ["a", "b"], ["s"]), Node("Reshape", ["s", "to"], ["y"])]
        values = [Value("a", one), Value("b", other)]
        data = graph(nodes, values, [Value("y", result)], [("to", [-1, 1])])
    else:
        data = added(one, other, result)
    model = loaded(tmp_path, data, AB, Y)
    records = [{"a": float(i), "b": 10.0} for i in range(count)]
    assert model.predict(records) == [{"y": i + 10.0} for i in range(count)]


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("shape", [[N, 2], [1, 2]], ids=str)
def test_an_output_without_a_record_axis_is_of_each_record(tmp_path, shape, count):
    model = loaded(tmp_path, graph([SUM], [Value("x", shape)], [Value("y", [])]), PAIR, Y)
    records = [{"x": [float(i), 1.0]} for i in range(count)]
    assert model.predict(records) == [{"y": i + 1.0} for i in range(count)]


def test_an_output_that_is_the_field_alone_is_of_each_record(tmp_path):
    nodes = [Node("Reshape", ["x", "to"], ["y"])]
    data = graph(nodes, [Value("x", [1, 2])], [Value("y", [2])], [("to", [2])])
    model = loaded(tmp_path, data, PAIR, [field("y", shape=(2,))])
    assert model.predict([{"x": [1.0, 2.0]}, {"x": [3.0, 4.0]}]) == [
        {"y": [1.0, 2.0]},
        {"y": [3.0, 4.0]},
    ]


def test_columns_of_a_batch_of_one_are_asked_one_by_one(tmp_path):
    model = loaded(tmp_path, graph([SUM], [Value("x", [1, 2])], [Value("y", [])]), AB, Y)
    assert model.predict([{"a": 1.0, "b": 2.0}, {"a": 3.0, "b": 4.0}]) == [{"y": 3.0}, {"y": 7.0}]


STEPS = """
import numpy as np

def preprocess(instances):
    return {"x": np.array([r["x"] for r in instances], np.float32)}

def postprocess(outputs):
    return [{"y": float(row.sum())} for row in outputs["y"]]
"""


@pytest.mark.parametrize("shape", [[N, 2], [1, 2]], ids=str)
@pytest.mark.parametrize("count", [1, 3])
def test_steps_around_a_batch_of_one_see_all_records(tmp_path, shape, count):
    model = loaded(tmp_path, identity(shape, shape), PAIR, Y, STEPS)
    records = [{"x": [float(i), 1.0]} for i in range(count)]
    assert model.predict(records) == [{"y": i + 1.0} for i in range(count)]


REFUSED = [
    ("a fixed batch of 4", identity([4, 2], [4, 2]), PAIR, [field("y", shape=(2,))],
     r"inputs is 'x of shape \[4, 2\]', expected a free first axis.*dynamic_axes"),
    ("a fixed batch of two inputs", added([2], [2], [2]), AB, Y, "inputs is 'a of shape .*free"),
    ("a vector for two fields", identity([N], [N]), AB, Y, "inputs is .*rows of x, of shape"),
    ("another width", identity([N, 3], [N, 3]), PAIR, [field("y", shape=(3,))], "inputs is .*rows"),
    ("another width of an output", identity([N, 2], [N, 2]), PAIR, Y, "outputs is .*rows of y"),
    ("a number for a text", identity([N], [N], STRING), X, Y, "x: float32.*expected a text"),
    ("a text for a number", identity([N], [N]), [field(kind="string")], Y, "expected a number"),
    ("a float for a whole number", identity([N], [N], INT64), X, [field("y", "int64")],
     "x: float32.*expected a whole number, such as type: int64"),
    ("a whole number too large", identity([N], [N], INT32), [field(kind="int64")],
     [field("y", "int32")], "x: int64.*expected type: int32, or a minimum and maximum within it"),
    ("a missing whole number", identity([N], [N], INT64), [field(kind="int64", optional=True)],
     [field("y", "int64")], "x: int64.*not optional, because only floats have a NaN"),
    ("a missing text", identity([N], [N], STRING), [field(kind="string", optional=True)],
     [field("y", "string")], "x: string.*not optional"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "inputs", "outputs", "match"),
    [case[1:] for case in REFUSED],
    ids=[case[0] for case in REFUSED],
)
def test_what_can_not_be_served_is_refused_when_it_is_loaded(
    tmp_path, data, inputs, outputs, match
):
    with pytest.raises(InvalidPackage, match=match):
        loaded(tmp_path, data, inputs, outputs)


class Described:
    """A session as onnxruntime describes one whose probabilities are ZipMap's."""

    def __init__(self, real):
        self._real = real

    def get_inputs(self):
        return self._real.get_inputs()

    def get_outputs(self):
        values = self._real.get_outputs()
        kinds = ["tensor(float)", "seq(map(int64,tensor(float)))"]
        return [Output(v.name, kind, []) for v, kind in zip(values, kinds, strict=True)]


class Output:
    def __init__(self, name, kind, shape):
        self.name, self.type, self.shape = name, kind, shape


def test_what_zipmap_makes_is_refused_with_the_remedy(tmp_path, monkeypatch):
    nodes = [Node("Identity", ["x"], ["label"]), Node("Identity", ["x"], ["probabilities"])]
    outputs = [Value("label", [N, 2]), Value("probabilities", [N, 2])]
    data = graph(nodes, [Value("x", [N, 2])], outputs)
    real = onnxruntime.InferenceSession
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *a, **k: Described(real(*a, **k)))
    expected = [field("label", shape=(2,)), field("probabilities", shape=(2,))]
    with pytest.raises(InvalidPackage, match=r"probabilities: seq.*zipmap=False.*postprocess"):
        loaded(tmp_path, data, PAIR, expected)


@settings(max_examples=60, deadline=None)
@given(
    first=st.sampled_from([N, 1, 2, 3]),
    axes=st.lists(st.sampled_from(["m", 1, 2, 4]), max_size=2),
    shape=st.lists(st.sampled_from([1, 2, 4]), max_size=2),
    kind=st.sampled_from([FLOAT, DOUBLE]),
)
def test_any_graph_is_refused_or_answers_any_number_of_records(
    first, axes, shape, kind, tmp_path_factory
):
    data = identity([first, *axes], [first, *axes], kind)
    outputs = [field("y", "float64" if kind == DOUBLE else "float32", shape)]
    try:
        model = loaded(tmp_path_factory.mktemp("graph"), data, [field(shape=tuple(shape))], outputs)
    except InvalidPackage:
        assume(isinstance(first, int) or axes != shape)
        return
    for count in (1, 2, 3):
        values = np.arange(count * int(np.prod(shape)), dtype=float).reshape(count, *shape)
        records = [{"x": value} for value in values.tolist()]
        assert model.predict(records) == [{"y": record["x"]} for record in records]


def test_two_records_are_answered_over_http(serve):
    manifest = manifest_of(PAIR, [field("y", shape=(2,))])
    served = serve(manifest=manifest, files={"model.onnx": identity([1, 2], [1, 2])})
    answer = served.post({"instances": [{"x": [1, 2]}, {"x": [3, 4]}]})
    assert json.loads(answer["body"]) == {"predictions": [{"y": [1.0, 2.0]}, {"y": [3.0, 4.0]}]}
