"""Small ONNX graphs with inputs and outputs of any shape, written without onnx.

Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

FLOAT, UINT8, INT32, INT64, STRING, BOOL, DOUBLE = 1, 2, 6, 7, 8, 9, 11
Shape = Sequence[int | str] | None
"""Sizes; a text is a free axis. None: of unknown rank."""


@dataclass(frozen=True)
class Value:
    """An input or an output."""

    name: str
    shape: Shape
    kind: int = FLOAT


@dataclass(frozen=True)
class Node:
    """One operation. ``attributes`` are whole numbers."""

    operation: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    attributes: tuple[tuple[str, int], ...] = ()


def graph(
    nodes: Sequence[Node],
    inputs: Sequence[Value],
    outputs: Sequence[Value],
    whole_numbers: Sequence[tuple[str, Sequence[int]]] = (),
) -> bytes:
    """The file of a graph. ``whole_numbers`` are its constants."""
    body = b"".join(_block(1, _node(node)) for node in nodes)
    body += _text(2, "graph")
    body += b"".join(_block(5, _constant(name, values)) for name, values in whole_numbers)
    body += b"".join(_block(11, _value(value)) for value in inputs)
    body += b"".join(_block(12, _value(value)) for value in outputs)
    return _number(1, 8) + _block(7, body) + _block(8, _number(2, 13))


def identity(inputs: Shape, outputs: Shape, kind: int = FLOAT) -> bytes:
    """A graph that gives its input ``x`` as ``y``."""
    return graph(
        [Node("Identity", ["x"], ["y"])], [Value("x", inputs, kind)], [Value("y", outputs, kind)]
    )


def added(one: Shape, other: Shape, result: Shape) -> bytes:
    """A graph that gives ``y = a + b``."""
    return graph(
        [Node("Add", ["a", "b"], ["y"])],
        [Value("a", one), Value("b", other)],
        [Value("y", result)],
    )


def _node(node: Node) -> bytes:
    text = b"".join(_text(1, name) for name in node.inputs)
    text += b"".join(_text(2, name) for name in node.outputs) + _text(4, node.operation)
    for name, value in node.attributes:
        text += _block(5, _text(1, name) + _number(3, value) + _number(20, 2))
    return text


def _constant(name: str, values: Sequence[int]) -> bytes:
    raw = struct.pack(f"<{len(values)}q", *values)
    return _number(1, len(values)) + _number(2, INT64) + _text(8, name) + _block(9, raw)


def _value(value: Value) -> bytes:
    kind = _number(1, value.kind)
    if value.shape is not None:
        sizes = b"".join(
            _block(1, _text(2, size) if isinstance(size, str) else _number(1, size))
            for size in value.shape
        )
        kind += _block(2, sizes)
    return _text(1, value.name) + _block(2, _block(1, kind))


def _text(field: int, text: str) -> bytes:
    return _block(field, text.encode())


def _block(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _varint(value: int) -> bytes:
    result = bytearray()
    while value > 0x7F:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*result, value])
