"""Tensors of every datatype come back as they were sent: by a model on records, and one on arrays,
in JSON and in bytes, read by numpy and not by our own code.
"""

import base64
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halftone.domain.model.manifest import Flavor, Manifest
from halftone.domain.model.schema import FieldType
from halftone.serving.http.request import route
from halftone.serving.http.response import Problem, to_lambda
from halftone.serving.inference.loader import LoadedModel
from halftone.serving.inference.scoring import Scorer
from halftone.serving.protocols.tensors import DATATYPES, flat, from_bytes, nested, to_bytes
from tests.property.serving.signatures import elements, fields, present, shaped

LENGTH = "inference-header-content-length"


def echo(signature, *, arrays):
    """A model that answers each field with itself."""
    manifest = Manifest("echo", Flavor.PYTHON, "predict.py", signature, signature, ())
    model = LoadedModel(
        manifest,
        "d" * 64,
        lambda records, _: records,
        arrays=(lambda given: given) if arrays else None,
    )
    return Scorer(model, "echo", 10_000_000)


def ask(scorer, body, rest=None):
    text = json.dumps(body).encode()
    event = {
        "rawPath": "/v2/models/echo/infer",
        "requestContext": {"http": {"method": "POST"}},
        "headers": {} if rest is None else {"Inference-Header-Content-Length": str(len(text))},
        "body": base64.b64encode(text + (rest or b"")).decode(),
        "isBase64Encoded": True,
    }
    return scorer.score(route(event, "echo"), version="3")


def packed(field, values):
    """The bytes of a tensor, by numpy."""
    if field.type is FieldType.STRING:
        texts = [text.encode() for text in values]
        return b"".join(np.uint32(len(text)).tobytes() + text for text in texts)
    return np.array(values, np.dtype(field.type.value).newbyteorder("<")).tobytes()


def data_in(answer):
    """Name to what an answer holds of it: elements or bytes."""
    if isinstance(answer.body, str):
        body, rest = json.loads(answer.body), b""
    else:
        length = int(answer.headers[LENGTH])
        body, rest = json.loads(answer.body[:length]), answer.body[length:]
    fields = {}
    for output in body["outputs"]:
        if "data" in output:
            fields[output["name"]] = output["data"]
        else:
            size = output["parameters"]["binary_data_size"]
            fields[output["name"]], rest = rest[:size], rest[size:]
    assert rest == b""
    return body, fields


@settings(max_examples=150)
@given(data=st.data(), arrays=st.booleans(), count=st.integers(1, 3))
def test_a_tensor_of_any_datatype_comes_back(data, arrays, count):
    signature = (data.draw(fields("first")), data.draw(fields("second")))
    scorer = echo(signature, arrays=arrays)
    inputs, outputs, rest, sent = [], [], b"", {}
    for field in signature:
        shape = (count, *field.shape)
        tree = data.draw(shaped(elements(field), shape))
        values = flat(tree)
        tensor = {"name": field.name, "datatype": DATATYPES[field.type], "shape": list(shape)}
        try:
            raw = packed(field, values)
        except (OverflowError, TypeError, AttributeError):
            raw = None  # no bytes stand for it, such as a whole number that is missing
        exact = raw is not None and from_bytes(field.type, raw) == values
        if exact and data.draw(st.booleans(), "in bytes"):
            tensor["parameters"] = {"binary_data_size": len(raw)}
            rest += raw
        else:
            tensor["data"] = tree if data.draw(st.booleans(), "nested") else values
        request = exact and data.draw(st.booleans(), "as bytes")
        outputs.append({"name": field.name, "parameters": {"binary_data": request}})
        sent[field.name] = raw if request else values
        inputs.append(tensor)
    answer = ask(scorer, {"id": "7", "inputs": inputs, "outputs": outputs}, rest)
    body, result = data_in(answer)
    assert (body["model_name"], body["model_version"], body["id"]) == ("echo", "3", "7")
    assert [output["shape"] for output in body["outputs"]] == [
        [count, *field.shape] for field in signature
    ]
    for field in signature:
        expected = sent[field.name]
        if arrays and field.type.is_float and not isinstance(expected, bytes):
            rounded = np.array(expected, field.type.value).tolist()
            pairs = zip(expected, rounded, strict=True)
            expected = [None if element is None else number for element, number in pairs]
        assert result[field.name] == expected
    records = answer.exchange.instances()
    assert len(records) == count
    assert json.dumps(records) == json.dumps(answer.exchange.predictions())
    assert len(answer.exchange.output("first")) == count


@settings(max_examples=100)
@given(data=st.data(), field=fields(), arrays=st.booleans(), raw=st.binary(max_size=64))
def test_any_bytes_are_taken_or_named(data, field, arrays, raw):
    scorer = echo((field,), arrays=arrays)
    count = data.draw(st.integers(0, 4))
    tensor = {
        "name": "x",
        "datatype": DATATYPES[field.type],
        "shape": [count, *field.shape],
        "parameters": {"binary_data_size": data.draw(st.just(len(raw)) | st.integers(-1, 70))},
    }
    body = {"inputs": [tensor], "parameters": {"binary_data_output": data.draw(st.booleans())}}
    problem = answer = None
    try:
        answer = ask(scorer, body, raw)
    except Problem as raised:
        problem = raised
    if answer is not None:
        json.dumps(to_lambda(answer, request_id="r", version="3"))
    else:
        assert problem.status == 422
        assert problem.members["field"].startswith(("inputs[0]", "body"))


@settings(max_examples=100)
@given(data=st.data(), shape=st.lists(st.integers(1, 3), min_size=1, max_size=4))
def test_nested_is_the_inverse_of_flat(data, shape):
    tree = data.draw(shaped(st.integers(), shape))
    assert nested(flat(tree), shape) == tree


@settings(max_examples=100)
@given(data=st.data(), field=fields())
def test_bytes_are_the_inverse_of_elements(data, field):
    values = data.draw(st.lists(present(field), max_size=5))
    if field.type in (FieldType.FLOAT16, FieldType.FLOAT32):
        values = np.array(values, field.type.value).tolist()
    assert from_bytes(field.type, to_bytes(field.type, values)) == values


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"\x01\x00\x00", "element 0 has no length"),
        (b"\x05\x00\x00\x00abc", "element 0 has 3 bytes, not 5"),
        (b"\x00\x00\x00\x00\x01\x00\x00\x00\xff", "element 1 is no UTF-8"),
    ],
)
def test_broken_texts_are_told(raw, why):
    with pytest.raises(ValueError, match=why):
        from_bytes(FieldType.STRING, raw)
