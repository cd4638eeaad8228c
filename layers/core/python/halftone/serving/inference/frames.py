"""Records as frames of pandas, for models that were fitted on named columns.

Used where the package's environment has pandas; no layer has.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from halftone.domain.errors import InvalidPackage
from halftone.domain.model.manifest import Manifest
from halftone.domain.model.schema import Field, FieldType

Frame = Any
MakeFrame = Callable[[Mapping[str, "np.ndarray"]], Frame]


def has_pandas() -> bool:
    """Whether frames can be made."""
    return find_spec("pandas") is not None


def has_texts(fields: Sequence[Field]) -> bool:
    """Whether a field is a text."""
    return any(field.type is FieldType.STRING for field in fields)


def frame(fields: Sequence[Field]) -> MakeFrame:
    """From an array for each field to a frame with a column of each, in the order of the fields.

    A field with a shape is a column of arrays. Texts are columns of objects, and what is missing is
    NaN, or None among texts.
    """
    import pandas as pd  # noqa: PLC0415

    names = [field.name for field in fields]

    def made(given: Mapping[str, "np.ndarray"]) -> Frame:
        return pd.DataFrame({name: _column(given[name]) for name in names}, copy=False)

    return made


def _column(array: "np.ndarray") -> Any:
    return array if array.ndim == 1 else list(array)


def categorical_frame(manifest: Manifest, categories: Sequence[Sequence[Any]]) -> MakeFrame:
    """As ``frame``, with the texts as categories; ``categories`` are those of the model's columns.

    Raises:
        InvalidPackage: if the environment has no pandas, or the model has not as many columns with
            categories as there are texts.
    """
    texts = [field.name for field in manifest.inputs if field.type is FieldType.STRING]
    if not has_pandas():
        expected = "numbers, or pandas among `requirements`: texts become its categories"
        raise InvalidPackage("inputs", texts, expected, source=manifest.entry)
    if len(categories) != len(texts):
        expected = f"as many texts as the model has columns with categories, {len(categories)}"
        raise InvalidPackage("inputs", texts, expected, source=manifest.entry)
    import pandas as pd  # noqa: PLC0415

    kinds = {
        name: pd.CategoricalDtype([*known]) for name, known in zip(texts, categories, strict=True)
    }
    plain = frame(manifest.inputs)

    def made(given: Mapping[str, "np.ndarray"]) -> Frame:
        return plain(given).astype(kinds)

    return made
