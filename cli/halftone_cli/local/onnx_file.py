"""An ONNX file of a linear model, written without onnx: a graph of one node is few bytes.

Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, and the encoding
is https://protobuf.dev/programming-guides/encoding.
"""

import struct
from collections.abc import Sequence

_IR_VERSION = 8
_OPSET = 13
_FLOAT = 1


def linear(coefficients: Sequence[float], intercept: float) -> bytes:
    """A graph that turns rows ``X`` of numbers into ``Y = X @ coefficients + intercept``.

    Float32; ``X`` has the shape (records, coefficients), ``Y`` (records, 1).
    """
    width = len(coefficients)
    node = _texts(1, "X", "W", "b") + _texts(2, "Y") + _texts(4, "Gemm")
    graph = (
        _block(1, node)
        + _texts(2, "linear")
        + _block(5, _tensor("W", (width, 1), coefficients))
        + _block(5, _tensor("b", (1,), [intercept]))
        + _block(11, _rows("X", width))
        + _block(12, _rows("Y", 1))
    )
    return _number(1, _IR_VERSION) + _block(7, graph) + _block(8, _number(2, _OPSET))


def _tensor(name: str, shape: Sequence[int], values: Sequence[float]) -> bytes:
    """A TensorProto: dims, data_type, name, raw_data."""
    dims = b"".join(_number(1, size) for size in shape)
    raw = struct.pack(f"<{len(values)}f", *values)
    return dims + _number(2, _FLOAT) + _texts(8, name) + _block(9, raw)


def _rows(name: str, width: int) -> bytes:
    """A ValueInfoProto of any number of rows: name, and type with element type and shape."""
    shape = _block(1, _texts(2, "records")) + _block(1, _number(1, width))
    kind = _block(1, _number(1, _FLOAT) + _block(2, shape))
    return _texts(1, name) + _block(2, kind)


def _texts(field: int, *texts: str) -> bytes:
    return b"".join(_block(field, text.encode()) for text in texts)


def _block(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the highest bit says that more follow."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
