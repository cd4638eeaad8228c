"""What the flavors on numpy share: the steps of a package's own, and columns back to records."""

from collections.abc import Callable, Sequence
from types import ModuleType

import numpy as np

from halftone.domain.signature import Field
from halftone.serving.loading import Record

Arrays = dict[str, "np.ndarray"]


def step(module: ModuleType | None, name: str) -> Callable[..., object] | None:
    """The function of that name in a package's module of steps, if it is there."""
    found = getattr(module, name, None)
    return found if callable(found) else None


def unstack(fields: Sequence[Field]) -> Callable[[Arrays], list[Record]]:
    """From an array of shape (records, *shape) for each field to records of plain values."""
    shapes = {field.name: field.shape for field in fields}

    def unstacked(outputs: Arrays) -> list[Record]:
        # A model may keep an axis of size 1 for a scalar; the signature's shape decides.
        columns = {
            name: array.reshape(len(array), *shapes[name]).tolist()
            for name, array in outputs.items()
        }
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    return unstacked
