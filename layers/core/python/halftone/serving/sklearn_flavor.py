"""Flavor ``sklearn``: a scikit-learn model in a skops file, which loads no code that is not named.

The input fields are the model's columns, in the order of the signature; a field with a shape gives
as many as it has elements, row by row. Fields of one number type make an array of it, of several
float64, and strings among them make it an array of objects. Each output field is the answer of a
method (``methods`` of the manifest). An optional module (``preprocess``) may define either or both:

    preprocess(instances: list[dict]) -> array                        the model's rows
    postprocess(outputs: dict[str, numpy.ndarray]) -> list[dict]      predictions

A pickle is loaded only where the manifest says ``allow_pickle: true``.
"""

import operator
import warnings
from collections.abc import Callable, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import skops.io

from halftone.domain.errors import InvalidPackage
from halftone.domain.package import Manifest
from halftone.domain.signature import Field, FieldType
from halftone.serving.arrays import step, unstack
from halftone.serving.context import NOBODY, Context
from halftone.serving.loading import Predict, Record, import_private

Rows = Callable[[list[Record]], Any]


def load(folder: Path, manifest: Manifest, digest: str) -> Predict:
    """The package's model with its steps around it.

    Raises:
        InvalidPackage: if the file can't be loaded, asks for types that the manifest does not
            trust, or its model has not the methods or the columns that the manifest names.
        Exception: whatever the preprocessor's module raises while it is imported.
    """
    path = folder / manifest.entry
    model = _unpickled(path) if manifest.allow_pickle else _read(path, manifest.trusted)
    steps = import_private(folder, manifest.preprocess, digest) if manifest.preprocess else None
    before, after = step(steps, "preprocess"), step(steps, "postprocess")
    if before is None:
        _agree(model, manifest)
        before = _columns(manifest.inputs)
    rows: Rows = before
    finish = after or unstack(manifest.outputs)
    methods = {name: _method(model, name, method) for name, method in manifest.methods.items()}

    def predict(instances: list[Record], _context: Context = NOBODY) -> object:
        given = rows(instances)
        return finish({name: np.asarray(ask(given)) for name, ask in methods.items()})

    return predict


def _read(path: Path, trusted: Sequence[str]) -> Any:
    try:
        asked = skops.io.get_untrusted_types(file=path)
    except Exception as error:
        # skops tells of a broken file by whatever its parts raise.
        why = f"{type(error).__name__}: {error}"
        raise InvalidPackage("entry", why, "a skops file", source=path.name) from error
    unknown = sorted(set(asked) - set(trusted))
    if unknown:
        expected = f"also {', '.join(unknown)}: {path.name} asks for them, and skops knows no harm"
        expected = f"{expected} or good of them. Name them if whoever made the file is trusted"
        raise InvalidPackage("trusted", list(trusted), expected, source=path.name)
    try:
        return skops.io.load(path, trusted=asked)
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        raise InvalidPackage("entry", why, "a model that loads", source=path.name) from error


def _unpickled(path: Path) -> Any:
    import joblib  # noqa: PLC0415  (reads pickles of every kind that scikit-learn's users make)

    return joblib.load(path)


def _agree(model: Any, manifest: Manifest) -> None:
    count = sum(prod(field.shape) for field in manifest.inputs)
    wanted = getattr(model, "n_features_in_", count)
    if wanted != count:
        expected = f"the {wanted} columns that the model was fitted with"
        raise InvalidPackage("inputs", count, expected, source=manifest.entry)
    fitted = [str(name) for name in getattr(model, "feature_names_in_", ())]
    names = [field.name for field in manifest.inputs]
    if names != fitted and sorted(names) == sorted(fitted):
        expected = f"the order that the model was fitted with, {fitted}"
        raise InvalidPackage("inputs", names, expected, source=manifest.entry)
    if fitted:
        # The columns have no names here, and their order was just checked.
        warnings.filterwarnings("ignore", message="X does not have valid feature names")


def _method(model: Any, name: str, method: str) -> Callable[[Any], Any]:
    found = getattr(model, method, None)
    if not callable(found):
        expected = f"a method of {type(model).__name__}"
        raise InvalidPackage(f"methods.{name}", method, expected)
    asked: Callable[[Any], Any] = found
    return asked


def _columns(fields: Sequence[Field]) -> Rows:
    names = [field.name for field in fields]
    kind = _kind(fields)
    if len(fields) == 1:
        name = names[0]
        return lambda instances: np.array(
            [record[name] for record in instances], dtype=kind
        ).reshape(len(instances), -1)
    if any(field.shape for field in fields):
        return lambda instances: np.array(
            [[one for name in names for one in _flat(record[name])] for record in instances],
            dtype=kind,
        )
    values = operator.itemgetter(*names)
    return lambda instances: np.array([values(record) for record in instances], dtype=kind)


def _kind(fields: Sequence[Field]) -> str:
    types = {field.type for field in fields}
    if FieldType.STRING in types:
        return "object"
    return str(types.pop()) if len(types) == 1 else "float64"


def _flat(value: object) -> list[object]:
    if not isinstance(value, list):
        return [value]
    return [one for inner in value for one in _flat(inner)]
