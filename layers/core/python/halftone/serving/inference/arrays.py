"""What the flavors on numpy share: a package's own steps, records to arrays and back, and columns.

An array of a field has the field's type and the shape (records, *shape); texts are in arrays of
objects. Missing numbers of an optional field are NaN in an array of floats, missing texts None.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

from halftone.domain.model.schema import Field, FieldType
from halftone.serving.protocols.validation import Record

Arrays = dict[str, "np.ndarray"]


def step(module: ModuleType | None, name: str) -> Callable[..., Any] | None:
    """The function of that name in a package's module of steps, if it is there."""
    found = getattr(module, name, None)
    return found if callable(found) else None


def array_type(field: Field) -> str:
    """The name of the type of a field's array: an optional field's must have a NaN."""
    if field.type is FieldType.STRING:
        return "object"
    return "float64" if field.optional and not field.type.is_float else field.type.value


def stacked_values(field: Field, values: list[Any]) -> "np.ndarray":
    """The array of a field of many records; missing ones are None, as are missing elements."""
    if field.optional and field.shape and None in values:
        missing: Any = None
        for size in reversed(field.shape):
            missing = [missing] * size
        values = [missing if value is None else value for value in values]
    return np.array(values, dtype=array_type(field))


def plain_values(field: Field, array: "np.ndarray") -> list[Any]:
    """The plain values of a field's array, one for each record; None for missing ones."""
    values: list[Any] = array.tolist()
    return [_without_nan(field, value) for value in values] if field.optional else values


def _without_nan(field: Field, value: Any) -> Any:
    if type(value) is list:
        return [_without_nan(field, inner) for inner in value]
    if type(value) is not float:
        return value
    if value != value:  # noqa: PLR0124 - NaN alone is not equal to itself
        return None
    # An array with a NaN has whole numbers and truth values as floats.
    if field.type is FieldType.BOOL and value in (0.0, 1.0):
        return bool(value)
    whole = not field.type.is_float and field.type is not FieldType.STRING and value.is_integer()
    return int(value) if whole else value


def stack(fields: Sequence[Field]) -> Callable[[list[Record]], Arrays]:
    """From records to an array for each field."""

    def stacked(instances: list[Record]) -> Arrays:
        return {
            field.name: stacked_values(field, [record[field.name] for record in instances])
            for field in fields
        }

    return stacked


def unstack(fields: Sequence[Field]) -> Callable[[Mapping[str, "np.ndarray"]], list[Record]]:
    """From an array for each field to records of plain values."""
    known = {field.name: field for field in fields}

    def unstacked(outputs: Mapping[str, "np.ndarray"]) -> list[Record]:
        # A model may keep an axis of size 1 for a scalar; the signature's shape decides.
        columns = {
            name: plain_values(known[name], array.reshape(len(array), *known[name].shape))
            for name, array in outputs.items()
        }
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    return unstacked


class Rows(Mapping[str, "np.ndarray"]):
    """Arrays by field that are the columns of one array, which was made at once."""

    __slots__ = ("_places", "matrix")

    def __init__(self, places: Mapping[str, int], matrix: "np.ndarray") -> None:
        self._places = places
        self.matrix = matrix

    def __getitem__(self, name: str) -> "np.ndarray":
        """The column of a field."""
        column: np.ndarray = self.matrix[:, self._places[name]]
        return column

    def __iter__(self) -> Iterator[str]:
        """The names of the fields."""
        return iter(self._places)

    def __len__(self) -> int:
        """How many fields there are."""
        return len(self._places)


def columns(fields: Sequence[Field]) -> Callable[[Mapping[str, "np.ndarray"]], "np.ndarray"]:
    """From an array for each field to one of shape (records, columns), in the order of the fields.

    A field with a shape gives as many columns as it has elements, the last axis first. Fields of
    one type make an array of it, numbers of several types float64, and strings among them objects.
    """
    names = [field.name for field in fields]
    types = {array_type(field) for field in fields}
    kind = types.pop() if len(types) == 1 else "float64"
    if "object" in types:
        kind = "object"

    if kind != "object" and not any(field.shape for field in fields):
        return partial(_filled, names, kind)

    def joined(given: Mapping[str, "np.ndarray"]) -> "np.ndarray":
        parts = [given[name].reshape(len(given[name]), -1).astype(kind) for name in names]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    return joined


def _filled(names: list[str], kind: str, given: Mapping[str, "np.ndarray"]) -> "np.ndarray":
    """Columns of scalars: filling one array takes a fraction of the time of joining many."""
    if isinstance(given, Rows):
        return given.matrix.copy()
    rows = np.empty((len(given[names[0]]), len(names)), kind)
    for i, name in enumerate(names):
        rows[:, i] = given[name].reshape(-1)
    return rows
