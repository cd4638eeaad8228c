"""The Open Inference Protocol v2 over HTTP, with the binary tensor extension.

A field F of shape S is the tensor F of shape [records, *S]; a scalar field may also come in the
shape [records, 1], as MLServer's codecs send it. Every field of the signature is asked for, and
every output field is answered unless ``outputs`` names some. Data is JSON, flat or nested, or
stands as bytes after the JSON, whose length the header ``Inference-Header-Content-Length`` says.
Parameters that are not known are passed over, as the protocol has it; null are none.

Sources: "Open Inference Protocol", HTTP/REST, Inference; "Binary Tensor Data Extension".
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from halftone.domain.errors import InvalidInput
from halftone.domain.model.schema import Field
from halftone.serving.http.response import Response
from halftone.serving.protocols.tensors import DATATYPES, element_size, flat
from halftone.serving.protocols.validation import decode, encode

LENGTH = "inference-header-content-length"
BINARY = "application/octet-stream"


@dataclass(slots=True)
class Tensor:
    """One input. ``elements`` are flat and unchecked; None where ``data`` holds its bytes."""

    at: str
    field: Field
    elements: list[object] | None = None
    data: bytes = b""


@dataclass(slots=True)
class Inference:
    """An inference request in the terms of a signature: ``count`` records, a tensor per field.

    ``outputs`` are the fields to answer, each with whether it is wanted as bytes.
    """

    id: str | None
    count: int
    tensors: list[Tensor]
    outputs: list[tuple[Field, bool]]


@dataclass(slots=True)
class _Bytes:
    """What stands after the JSON, taken from its front."""

    data: bytes
    at: int = 0

    def take(self, path: str, size: object) -> bytes:
        if type(size) is not int or not 0 <= size <= len(self.data) - self.at:
            left = len(self.data) - self.at
            raise InvalidInput(path, size, f"a number of bytes, of which {left} are left")
        self.at += size
        return self.data[self.at - size : self.at]


def read(
    body: str | bytes,
    headers: Mapping[str, str],
    inputs: Sequence[Field],
    outputs: Sequence[Field],
) -> Inference:
    """The inference that a body asks for.

    Raises:
        Problem: 400 if there is no JSON in it.
        InvalidInput: naming what does not fit the protocol or the signature.
    """
    text, rest = _parts(body, headers.get(LENGTH))
    asked = decode(text)
    if type(asked) is not dict:
        raise InvalidInput("body", asked, 'an object such as {"inputs": [{…}]}')
    given = asked.get("inputs")
    if type(given) is not list:
        raise InvalidInput("inputs", given, "a list of tensors")
    known = {one.name: one for one in inputs}
    found: dict[str, Tensor] = {}
    count = 0
    for i, tensor in enumerate(given):
        at = f"inputs[{i}]"
        one, size = _shaped(at, tensor, known)
        if one.name in found:
            raise InvalidInput(f"{at}.name", one.name, "a tensor that is not given yet")
        if found and size != count:
            raise InvalidInput(f"{at}.shape", tensor["shape"], f"{count} records, as before it")
        count = size
        found[one.name] = _filled(at, one, tensor, rest, count)
    missing = [name for name in known if name not in found]
    if found and all(known[name].may_be_absent for name in missing):
        found |= {name: _absent(known[name], count) for name in missing}
    elif missing:
        raise InvalidInput("inputs", list(found), f"also the tensor {missing[0]}")
    if rest.at != len(rest.data):
        left = len(rest.data) - rest.at
        raise InvalidInput("body", f"{left} bytes after the last tensor", "no byte after it")
    return Inference(_id(asked), count, [found[name] for name in known], _wanted(asked, outputs))


def _absent(one: Field, count: int) -> Tensor:
    """The tensor of a field that no tensor was sent for."""
    if one.default is None:
        elements: list[object] = [None] * math.prod(one.shape)
    else:
        elements = flat([one.default])
    return Tensor(f"inputs.{one.name}", one, elements * count)


def _parts(body: str | bytes, length: str | None) -> tuple[str | bytes, _Bytes]:
    if length is None:
        return body, _Bytes(b"")
    data = body.encode(errors="replace") if isinstance(body, str) else body
    # Python reads no more than 4,300 digits.
    size = int(length) if length.isascii() and length.isdecimal() and len(length) < 20 else -1
    if not 0 <= size <= len(data):
        expected = f"the bytes of the JSON before the tensors, at most {len(data)}"
        raise InvalidInput("Inference-Header-Content-Length", length, expected)
    return data[:size], _Bytes(data[size:])


def _shaped(at: str, tensor: object, known: Mapping[str, Field]) -> tuple[Field, int]:
    if type(tensor) is not dict:
        raise InvalidInput(at, tensor, "a tensor: {name, datatype, shape, data}")
    name, datatype, shape = tensor.get("name"), tensor.get("datatype"), tensor.get("shape")
    if type(name) is not str or name not in known:
        raise InvalidInput(f"{at}.name", name, f"one of {', '.join(known)}")
    one = known[name]
    if datatype != DATATYPES[one.type]:
        raise InvalidInput(f"{at}.datatype", datatype, f"{DATATYPES[one.type]} for {name}")
    # MLServer's codecs send a column of scalars as [records, 1].
    if type(shape) is list and shape[1:] in ([*one.shape], [*one.shape] or [1]):
        count = shape[0] if shape else None
        if type(count) is int and 0 < count < 2**31:
            return one, count
    whole = ", ".join(map(str, ("records", *one.shape)))
    raise InvalidInput(f"{at}.shape", shape, f"[{whole}] for {name}")


def _filled(at: str, one: Field, tensor: dict[str, object], rest: _Bytes, count: int) -> Tensor:
    parameters = _parameters(f"{at}.parameters", tensor)
    size = count * math.prod(one.shape)
    if "binary_data_size" in parameters:
        path = f"{at}.parameters.binary_data_size"
        if "data" in tensor:
            raise InvalidInput(path, parameters["binary_data_size"], "nothing: there is data")
        taken = rest.take(path, parameters["binary_data_size"])
        width = element_size(one.type)
        if width is not None and len(taken) != size * width:
            expected = f"{size * width}: {size} elements of {width} bytes"
            raise InvalidInput(path, len(taken), expected)
        return Tensor(at, one, None, taken)
    data = tensor.get("data")
    if not isinstance(data, list):
        raise InvalidInput(f"{at}.data", data, "a list of elements, or parameters.binary_data_size")
    elements = flat(data)
    if len(elements) != size:
        raise InvalidInput(f"{at}.data", data, f"{size} elements, as the shape says")
    return Tensor(at, one, elements)


def _id(asked: dict[str, object]) -> str | None:
    found = asked.get("id")
    if found is None:
        return None
    # JSON can spell half of a surrogate pair, which no encoding of the answer can carry.
    if type(found) is not str or found != found.encode(errors="replace").decode():
        raise InvalidInput("id", found, "a text")
    return found


def _wanted(asked: dict[str, object], outputs: Sequence[Field]) -> list[tuple[Field, bool]]:
    parameters = _parameters("parameters", asked)
    binary = _flag("parameters", parameters, "binary_data_output", default=False)
    wanted = asked.get("outputs")
    if wanted is None or wanted == []:
        return [(one, binary) for one in outputs]
    if type(wanted) is not list:
        raise InvalidInput("outputs", wanted, "a list of outputs: {name, parameters}")
    known = {one.name: one for one in outputs}
    found = []
    for i, output in enumerate(wanted):
        at = f"outputs[{i}]"
        name = output.get("name") if type(output) is dict else None
        if type(name) is not str or name not in known:
            raise InvalidInput(f"{at}.name", name, f"one of {', '.join(known)}")
        parameters = _parameters(f"{at}.parameters", output)
        as_bytes = _flag(f"{at}.parameters", parameters, "binary_data", default=binary)
        if parameters.get("classification"):
            path = f"{at}.parameters.classification"
            raise InvalidInput(path, parameters["classification"], "nothing: it is not offered")
        found.append((known[name], as_bytes))
        del known[name]  # a second time it is not among them
    return found


def _parameters(at: str, of: dict[str, object]) -> dict[str, object]:
    """The parameters of a request or of a part of it; null are none, as of an id."""
    parameters = of.get("parameters")
    if parameters is None:
        return {}
    if type(parameters) is not dict:
        raise InvalidInput(at, parameters, "an object")
    return parameters


def _flag(at: str, parameters: Mapping[str, object], name: str, *, default: bool) -> bool:
    value = parameters.get(name, default)
    if type(value) is not bool:
        raise InvalidInput(f"{at}.{name}", value, "true or false")
    return value


class Reply:
    """The answer to ``count`` records, one output after the other."""

    def __init__(self, model: str, version: str, request_id: str | None, count: int) -> None:
        self._told: dict[str, object] = {"model_name": model, "model_version": version}
        if request_id is not None:
            self._told["id"] = request_id
        self._count = count
        self._outputs: list[dict[str, object]] = []
        self._bytes: list[bytes] = []

    def add(self, one: Field, data: list[object] | bytes) -> None:
        """The output of a field: its elements, flat, or its bytes."""
        output: dict[str, object] = {
            "name": one.name,
            "datatype": DATATYPES[one.type],
            "shape": [self._count, *one.shape],
        }
        if isinstance(data, bytes):
            output["parameters"] = {"binary_data_size": len(data)}
            self._bytes.append(data)
        else:
            output["data"] = data
        self._outputs.append(output)

    def to_response(self) -> Response:
        """The answer as the protocol has it."""
        text = encode({**self._told, "outputs": self._outputs})
        if not self._bytes:
            return Response(200, text.decode())
        headers = {LENGTH: str(len(text))}
        return Response(200, b"".join((text, *self._bytes)), BINARY, headers)
