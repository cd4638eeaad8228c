"""Flavor ``sklearn``: a scikit-learn model in a skops file, which loads no code that is not named.

The input fields are the model's columns, in the order of the signature (``arrays.columns``). One
that was fitted on named columns gets a frame with these names, where the environment has pandas. A
model that begins with a text vectorizer takes the single field of type string as a list of texts.
Each output field is the answer of a method (``methods`` of the manifest). An optional module
(``preprocess``) may define either or both:

    preprocess(instances: list[dict]) -> array                        the model's rows
    postprocess(outputs: dict[str, numpy.ndarray]) -> list[dict]      predictions

A pickle is loaded only where the manifest says ``allow_pickle: true``.
"""

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

# Before the libraries that read it are loaded. A function is given a share of its cores' time, and
# OpenMP's threads spin while they wait for one another: on a busy machine a row took 1.4 s, where
# one thread took 3 ms.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import joblib
import numpy as np
import skops.io
from sklearn.utils import get_tags

from halftone.domain.errors import InvalidPackage
from halftone.domain.model.manifest import Manifest
from halftone.domain.model.schema import FieldType
from halftone.serving.http.caller import NOBODY, Context
from halftone.serving.inference.arrays import Arrays, columns, stack, step, unstack
from halftone.serving.inference.frames import frame, has_pandas
from halftone.serving.inference.loader import Predict, import_private
from halftone.serving.protocols.validation import Record


def load(folder: Path, manifest: Manifest, digest: str) -> Predict:
    """The package's model with its steps around it.

    Raises:
        InvalidPackage: if the file can't be loaded, asks for types that the manifest does not
            trust, or its model has not the methods or the columns that the manifest names.
        Exception: whatever the preprocessor's module raises while it is imported, or a pickle.
    """
    path = folder / manifest.entry
    # joblib reads pickles of every kind that scikit-learn's users make.
    model = joblib.load(path) if manifest.allow_pickle else _read(path, manifest.trusted)
    methods = {name: _method(model, name, asked) for name, asked in manifest.methods.items()}
    steps = import_private(folder, manifest.preprocess, digest) if manifest.preprocess else None
    before, after = step(steps, "preprocess"), step(steps, "postprocess")
    texts = before is None and _takes_texts(model)
    if before is None and not texts:
        _agree(model, manifest)
    stacked = stack(manifest.inputs)
    joined = _texts(model, manifest) if texts else _rows(model, manifest)
    finish = after or unstack(manifest.outputs)

    def answers(rows: Any) -> Arrays:
        return {name: np.asarray(ask(rows)) for name, ask in methods.items()}

    def on_arrays(given: Mapping[str, "np.ndarray"]) -> Arrays:
        return answers(joined(given))

    def predict(instances: list[Record], _context: Context = NOBODY) -> object:
        rows = joined(stacked(instances)) if before is None else before(instances)
        return finish(answers(rows))

    if before is None and after is None:
        predict.arrays = on_arrays  # type: ignore[attr-defined]
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
        expected = f"also what {path.name} asks for, if its maker is trusted: {', '.join(unknown)}"
        raise InvalidPackage("trusted", list(trusted), expected, source=path.name)
    try:
        return skops.io.load(path, trusted=asked)
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        raise InvalidPackage("entry", why, "a model that loads", source=path.name) from error


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


def _rows(model: Any, manifest: Manifest) -> Callable[[Mapping[str, "np.ndarray"]], Any]:
    """From arrays by field to a frame, if the model was fitted on one and there is pandas."""
    fitted = [str(name) for name in getattr(model, "feature_names_in_", ())]
    named = fitted == [field.name for field in manifest.inputs]
    flat = not any(field.shape for field in manifest.inputs)
    return frame(manifest.inputs) if named and flat and has_pandas() else columns(manifest.inputs)


_INNER = ("best_estimator_", "estimator", "base_estimator")
"""Where a model that wraps another one keeps it."""


def _takes_texts(model: Any) -> bool:
    """Whether the model takes a list of texts, as a vectorizer does, and no table."""
    steps = getattr(model, "steps", None) or getattr(model, "transformer_list", None)
    if steps:
        return _takes_texts(steps[0][1])
    inner = next((found for name in _INNER if (found := getattr(model, name, None))), None)
    if inner is not None:
        return _takes_texts(inner)
    try:
        tags = get_tags(model).input_tags
    except (AttributeError, TypeError):  # it is no estimator of scikit-learn's own
        return False
    return bool(tags.string and not tags.two_d_array)


def _texts(model: Any, manifest: Manifest) -> Callable[[Mapping[str, "np.ndarray"]], Any]:
    """From the array of the only field to a list of texts."""
    field = manifest.inputs[0]
    single = len(manifest.inputs) == 1 and field.type is FieldType.STRING and not field.shape
    if not single or field.optional:
        given = ", ".join(f"{each.name}: {each.expected()}" for each in manifest.inputs)
        expected = f"a single text that is not optional: {type(model).__name__} takes texts"
        raise InvalidPackage("inputs", given, expected, source=manifest.entry)
    return lambda arrays: arrays[field.name].tolist()


def _method(model: Any, name: str, method: str) -> Callable[[Any], Any]:
    found = getattr(model, method, None)
    if not callable(found):
        expected = f"a method of {type(model).__name__}"
        raise InvalidPackage(f"methods.{name}", method, expected)
    asked: Callable[[Any], Any] = found
    return asked
