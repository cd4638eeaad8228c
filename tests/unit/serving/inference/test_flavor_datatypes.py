"""Tensors of every datatype through every flavor: what Triton's client sends comes back the same.

Each model answers its only field with itself: Python that returns its records, scikit-learn's
identity, a graph of one node. The client's own code writes the requests and reads the answers.
"""

import base64

import numpy as np
import pytest
import skops.io
import tritonclient.http as triton
from sklearn.preprocessing import FunctionTransformer
from tritonclient.http import InferResult

from halftone.domain.model.manifest_schema import load_manifest
from halftone.domain.model.schema import FieldType
from halftone.serving.http.request import route
from halftone.serving.inference.loader import load
from halftone.serving.inference.scoring import Scorer
from halftone.serving.protocols.tensors import DATATYPES

LENGTH = "inference-header-content-length"
# TensorProto.DataType of ONNX.
ELEMENTS = {
    FieldType.FLOAT32: 1,
    FieldType.UINT8: 2,
    FieldType.INT8: 3,
    FieldType.UINT16: 4,
    FieldType.INT16: 5,
    FieldType.INT32: 6,
    FieldType.INT64: 7,
    FieldType.STRING: 8,
    FieldType.BOOL: 9,
    FieldType.FLOAT16: 10,
    FieldType.FLOAT64: 11,
    FieldType.UINT32: 12,
    FieldType.UINT64: 13,
}


def part(number, value):
    """One field of a protobuf message; all here are shorter than 128 bytes, or small numbers."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    data = value.encode() if isinstance(value, str) else value
    size = bytes([len(data)]) if len(data) < 128 else bytes([len(data) & 127 | 128, len(data) >> 7])
    return bytes([number << 3 | 2]) + size + data


def identity(kind):
    """An ONNX graph that answers ``y`` as its input ``x``, of shape [n, 2]."""
    shape = part(1, part(2, "n")) + part(1, part(1, 2))
    tensor = part(2, part(1, part(1, ELEMENTS[kind]) + part(2, shape)))
    node = part(1, part(1, "x") + part(2, "y") + part(4, "Identity"))
    ends = part(11, part(1, "x") + tensor) + part(12, part(1, "y") + tensor)
    return part(1, 8) + part(7, node + part(2, "g") + ends) + part(8, part(2, 13))


@pytest.fixture
def scorer(tmp_path):
    """scorer(flavor, kind): a model of that flavor whose only field has that type."""

    def made(flavor, kind):
        zero = {FieldType.STRING: "", FieldType.BOOL: False}.get(kind, 0)
        field = {"type": str(kind), "shape": [2]}
        more = {
            "python": {"entry": "predict.py"},
            "sklearn": {"entry": "model.skops", "methods": {"y": "transform"}},
            "onnx": {"entry": "model.onnx"},
        }[flavor]
        manifest = load_manifest(
            {
                "name": "same",
                "flavor": flavor,
                "inputs": [{"name": "x", **field}],
                "outputs": [{"name": "y", **field}],
                "samples": [{"instances": [{"x": [zero, zero]}]}],
                **more,
            }
        )
        run = "def run(instances):\n    return [{'y': one['x']} for one in instances]\n"
        (tmp_path / "predict.py").write_text(run)
        (tmp_path / "model.onnx").write_bytes(identity(kind))
        skops.io.dump(FunctionTransformer(), tmp_path / "model.skops")
        return Scorer(load(tmp_path, manifest, f"{flavor}-{kind}"), "same", 1_000_000)

    return made


def extremes(kind):
    """Two records of the least, the greatest and two plain values of a type."""
    if kind is FieldType.STRING:
        return np.array([["", "a"], ["né 漢字", 'x"\\\n']], object)
    if kind is FieldType.BOOL:
        return np.array([[True, False], [False, True]])
    of = np.finfo(str(kind)) if kind.is_float else np.iinfo(str(kind))
    return np.array([[of.min, of.max], [1, 7]], str(kind))


@pytest.mark.parametrize("binary", [True, False], ids=["bytes", "JSON"])
@pytest.mark.parametrize("kind", FieldType)
@pytest.mark.parametrize("flavor", ["python", "sklearn", "onnx"])
def test_a_tensor_comes_back_as_it_was_sent(scorer, flavor, kind, binary):
    if kind is FieldType.FLOAT16 and not binary:
        pytest.skip("the protocol has no FP16 in JSON: Triton's client refuses to write it")
    model = scorer(flavor, kind)
    sent = extremes(kind)
    tensor = triton.InferInput("x", list(sent.shape), DATATYPES[kind])
    tensor.set_data_from_numpy(sent, binary_data=binary)
    output = triton.InferRequestedOutput("y", binary_data=binary)
    body, head = triton.InferenceServerClient.generate_request_body([tensor], outputs=[output])
    event = {
        "rawPath": "/v2/models/same/infer",
        "requestContext": {"http": {"method": "POST"}},
        "headers": {} if head is None else {LENGTH: str(head)},
        "body": base64.b64encode(body if isinstance(body, bytes) else body.encode()).decode(),
        "isBase64Encoded": True,
    }
    answer = model.score(route(event, "same"), version="1")
    text = answer.body if isinstance(answer.body, bytes) else answer.body.encode()
    length = answer.headers.get(LENGTH)
    result = InferResult.from_response_body(text, header_length=length and int(length)).as_numpy(
        "y"
    )
    if kind is FieldType.STRING:
        result = np.array(
            [[one.decode() if isinstance(one, bytes) else one for one in row] for row in result],
            object,
        )
    assert result.dtype == sent.dtype
    assert result.tolist() == sent.tolist()
    assert (model.model.arrays is None) == (flavor == "python"), (
        "no dict a row where none is asked for"
    )
