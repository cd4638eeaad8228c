"""What the flavors on numpy share: a package's own steps, records to arrays and back, and columns.

An array of a field has the field's type and the shape (records, *shape); texts are in arrays of
objects.
"""

from collections.abc import Callable, Mapping, Sequence
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


def stack(fields: Sequence[Field]) -> Callable[[list[Record]], Arrays]:
    """From records to an array for each field."""
    types = {field.name: _dtype(field.type) for field in fields}

    def stacked(instances: list[Record]) -> Arrays:
        return {
            name: np.array([record[name] for record in instances], dtype=kind)
            for name, kind in types.items()
        }

    return stacked


def unstack(fields: Sequence[Field]) -> Callable[[Mapping[str, "np.ndarray"]], list[Record]]:
    """From an array for each field to records of plain values."""
    shapes = {field.name: field.shape for field in fields}

    def unstacked(outputs: Mapping[str, "np.ndarray"]) -> list[Record]:
        # A model may keep an axis of size 1 for a scalar; the signature's shape decides.
        columns = {
            name: array.reshape(len(array), *shapes[name]).tolist()
            for name, array in outputs.items()
        }
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    return unstacked


def columns(fields: Sequence[Field]) -> Callable[[Mapping[str, "np.ndarray"]], "np.ndarray"]:
    """From an array for each field to one of shape (records, columns), in the order of the fields.

    A field with a shape gives as many columns as it has elements, the last axis first. Fields of
    one type make an array of it, numbers of several types float64, and strings among them objects.
    """
    names = [field.name for field in fields]
    types = {field.type for field in fields}
    kind = _dtype(types.pop()) if len(types) == 1 else "float64"
    if FieldType.STRING in types:
        kind = "object"

    def joined(given: Mapping[str, "np.ndarray"]) -> "np.ndarray":
        parts = [given[name].reshape(len(given[name]), -1).astype(kind) for name in names]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    return joined


def _dtype(kind: FieldType) -> str:
    return "object" if kind is FieldType.STRING else str(kind)
