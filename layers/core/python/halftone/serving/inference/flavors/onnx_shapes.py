"""The shapes of an ONNX graph against those of a signature, read when the model is loaded.

A graph's own shape has sizes and free axes; the first axis is that of the records. A field of
shape S fits an input or an output whose other axes hold as many elements as S: ``[n]`` and
``[n, 1]`` hold one, so a scalar fits both. A graph with a fixed first axis of 1, or without one, is
run for each record alone. Any other fixed first axis is refused, because no request has always that
many records.

onnxruntime tells a scalar and a value of unknown rank by the same empty shape.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from halftone.domain.errors import InvalidPackage
from halftone.domain.model.schema import Field, FieldType

_TYPES = {"float": "float32", "double": "float64", "string": "object"}
"""Element types that ONNX calls otherwise than numpy does."""

_REMEDY = (
    "a free first axis, for any number of records: export the graph with one, such as"
    " dynamic_axes={{'{name}': {{0: 'records'}}}} of torch.onnx.export"
)


@dataclass(frozen=True)
class GraphValue:
    """An input or an output of a graph. ``dtype`` is None for what is no tensor of numpy's.

    ``shape`` has a text or None for a free axis; it is empty for a scalar, and where the rank is
    not known.
    """

    name: str
    dtype: str | None
    shape: tuple[int | str | None, ...]
    type: str

    @classmethod
    def of(cls, value: Any) -> "GraphValue":
        """The value that onnxruntime describes."""
        kind = str(value.type)
        inner = kind.removeprefix("tensor(").removesuffix(")") if kind.startswith("tensor(") else ""
        dtype = _TYPES.get(inner, inner)
        known = dtype == "object" or dtype in np.sctypeDict
        return cls(value.name, dtype if known else None, tuple(value.shape or ()), kind)

    @property
    def runs_alone(self) -> bool:
        """Whether its first axis is of one record."""
        return bool(self.shape) and self.shape[0] == 1


def check_first_axis(at: str, value: GraphValue, source: str) -> None:
    """Refuse a fixed first axis of any other size than 1.

    Raises:
        InvalidPackage: with the way to export the graph otherwise.
    """
    first = value.shape[0] if value.shape else None
    if isinstance(first, int) and first != 1:
        shown = f"{value.name} of shape {list(value.shape)}"
        raise InvalidPackage(at, shown, _REMEDY.format(name=value.name), source=source)


def rows_shape(
    at: str, sizes: tuple[int, ...], value: GraphValue, source: str
) -> tuple[int, ...] | None:
    """The axes after the first of what is fed for elements of shape ``sizes``; None: as it is.

    Raises:
        InvalidPackage: if the graph's axes do not hold as many elements.
    """
    if not value.shape:
        return None
    axes = value.shape[1:]
    pairs = zip(axes, sizes, strict=False)
    if len(axes) == len(sizes) and all(not isinstance(a, int) or a == s for a, s in pairs):
        return None
    free = [axis for axis in axes if not isinstance(axis, int)]
    fixed = prod(axis for axis in axes if isinstance(axis, int))
    count = prod(sizes)
    if (not free and fixed == count) or (len(free) == 1 and fixed and count % fixed == 0):
        return tuple(axis if isinstance(axis, int) else count // fixed for axis in axes)
    expected = f"fields that make rows of {value.name}, of shape {list(value.shape)}"
    raise InvalidPackage(at, list(sizes), expected, source=source)


def check_input_type(fields: Sequence[Field], value: GraphValue, source: str) -> None:
    """Refuse fields whose values the graph's input can't hold.

    Raises:
        InvalidPackage: naming the field and the types that can be.
    """
    if value.dtype is None:
        expected = "a graph that takes tensors; or a preprocess step that makes what it takes"
        raise InvalidPackage("inputs", f"{value.name}: {value.type}", expected, source=source)
    for field in fields:
        why = _misfit(field, value.dtype)
        if why:
            given = f"{field.name}: {field.type}"
            expected = f"{why}: the graph's input {value.name} is of {value.dtype}"
            raise InvalidPackage("inputs", given, expected, source=source)


def _misfit(field: Field, dtype: str) -> str | None:
    """Why values of the field do not go into arrays of ``dtype``."""
    is_text, takes_text = field.type is FieldType.STRING, dtype == "object"
    if is_text or takes_text:
        if is_text is not takes_text:
            return "a text" if takes_text else "a number"
        return "a field that is not optional" if field.optional else None
    takes_floats = dtype.startswith("float")
    if field.optional and not takes_floats:
        return "a field that is not optional, because only floats have a NaN"
    if takes_floats or field.type is FieldType.BOOL:
        return None
    if field.type.is_float:
        return f"a whole number, such as type: {dtype}"
    if dtype == "bool":
        return "type: bool"
    least, most = field.bounds
    holds = np.iinfo(dtype)
    if holds.min <= least and most <= holds.max:
        return None
    return f"type: {dtype}, or a minimum and maximum within it"


def check_output(field: Field, value: GraphValue, source: str) -> None:
    """Refuse an output that the field can't be made of.

    Raises:
        InvalidPackage: naming what the graph gives, and the remedy.
    """
    if value.dtype is None:
        expected = (
            "a tensor: convert the model with zipmap=False (skl2onnx), or say in a postprocess"
            " step what the predictions are"
        )
        raise InvalidPackage("outputs", f"{value.name}: {value.type}", expected, source=source)
    if value.shape == field.shape and field.shape:
        return  # without an axis of records: each is run alone
    check_first_axis("outputs", value, source)
    rows_shape("outputs", field.shape, value, source)


def gives_one(field: Field, value: GraphValue) -> bool:
    """Whether the output is of one record, however many the graph is given."""
    return value.runs_alone or (value.shape == field.shape and bool(field.shape))


def joined(parts: Sequence[Any], shape: tuple[int, ...] | None) -> Any:
    """An output of several runs of one record each.

    ``shape`` is that of one record; None where nobody knows: then a first axis of 1 is that of the
    record.
    """
    if shape is None and not isinstance(parts[0], np.ndarray):
        return [element for part in parts for element in part]
    arrays = [np.asarray(part) for part in parts]
    if shape is not None:
        return np.stack([array.reshape(shape) for array in arrays])
    if all(array.ndim and len(array) == 1 for array in arrays):
        return np.concatenate(arrays)
    return np.stack(arrays)


def count_of(arrays: Mapping[str, Any]) -> int:
    """How many records arrays stand for: the longest first axis."""
    return max((len(array) for array in arrays.values() if np.ndim(array)), default=1)
