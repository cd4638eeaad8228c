"""Tensors of the Open Inference Protocol as plain values: datatypes, bytes, shapes.

A tensor's bytes are its elements in row-major order, little-endian and without padding; a BOOL is
one byte, 0 or 1; an element of BYTES is its length in four bytes and then as many bytes, which are
UTF-8 here, because a field of type ``string`` is a text.
Source: the binary tensor data extension, "Binary Tensor Request".
"""

import struct
from collections.abc import Mapping, Sequence
from itertools import chain

from halftone.domain.model.schema import FieldType

DATATYPES: Mapping[FieldType, str] = {
    FieldType.FLOAT16: "FP16",
    FieldType.FLOAT32: "FP32",
    FieldType.FLOAT64: "FP64",
    FieldType.INT8: "INT8",
    FieldType.INT16: "INT16",
    FieldType.INT32: "INT32",
    FieldType.INT64: "INT64",
    FieldType.UINT8: "UINT8",
    FieldType.UINT16: "UINT16",
    FieldType.UINT32: "UINT32",
    FieldType.UINT64: "UINT64",
    FieldType.BOOL: "BOOL",
    FieldType.STRING: "BYTES",
}
_CODES: Mapping[FieldType, str] = dict(
    zip(
        (kind for kind in DATATYPES if kind is not FieldType.STRING),
        ("e", "f", "d", "b", "h", "i", "q", "B", "H", "I", "Q", "?"),
        strict=True,
    )
)


def element_size(kind: FieldType) -> int | None:
    """Bytes of one element; None for strings, which say it themselves."""
    return None if kind is FieldType.STRING else struct.calcsize(f"<{_CODES[kind]}")


def from_bytes(kind: FieldType, data: bytes) -> list[object]:
    """The elements in ``data``, flat.

    Raises:
        ValueError: if the bytes are no whole elements, with what is wrong in words.
    """
    if kind is FieldType.STRING:
        return _texts(data)
    code = _CODES[kind]
    count, rest = divmod(len(data), struct.calcsize(f"<{code}"))
    if rest:
        raise ValueError(f"{len(data)} bytes are no whole number of elements")
    return list(struct.unpack(f"<{count}{code}", data))


def to_bytes(kind: FieldType, elements: Sequence[object]) -> bytes:
    """The inverse of ``from_bytes``, for elements that fit a field of that type."""
    if kind is FieldType.STRING:
        texts = [str(element).encode() for element in elements]
        return b"".join(chain.from_iterable((struct.pack("<I", len(t)), t) for t in texts))
    return struct.pack(f"<{len(elements)}{_CODES[kind]}", *elements)


def _texts(data: bytes) -> list[object]:
    found: list[object] = []
    at = 0
    while at < len(data):
        if at + 4 > len(data):
            raise ValueError(f"element {len(found)} has no length of four bytes")
        (length,) = struct.unpack_from("<I", data, at)
        at += 4
        if at + length > len(data):
            raise ValueError(f"element {len(found)} has {len(data) - at} bytes, not {length}")
        try:
            found.append(data[at : at + length].decode())
        except UnicodeDecodeError:
            raise ValueError(f"element {len(found)} is no UTF-8") from None
        at += length
    return found


def flat(value: list[object]) -> list[object]:
    """The elements of nested lists in row-major order."""
    while value and all(type(part) is list for part in value):
        value = list(chain.from_iterable(value))  # type: ignore[arg-type]
    return value


def nested(elements: list[object], shape: Sequence[int]) -> list[object]:
    """Flat elements as nested lists of that shape, whose first size follows from the rest."""
    for size in reversed(shape[1:]):
        elements = [elements[i : i + size] for i in range(0, len(elements), size)]
    return elements
