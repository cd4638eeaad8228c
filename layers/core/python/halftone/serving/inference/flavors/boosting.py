"""What boosters of trees share: their columns, what they are asked for, and the steps around them.

    predict      the model's response: a value, a probability, or one for each class
    label        the number of the class: of the largest probability, or 1 above one half
    raw_score    sums of leaves before they become a response

An optional module (``preprocess``) may define either or both:

    preprocess(instances: list[dict]) -> array or frame               the model's rows
    postprocess(outputs: dict[str, numpy.ndarray]) -> list[dict]      predictions
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from halftone.domain.errors import InvalidPackage
from halftone.domain.model.manifest import Manifest
from halftone.serving.http.caller import NOBODY, Context
from halftone.serving.inference.arrays import Arrays, columns, stack, step, unstack
from halftone.serving.inference.loader import Predict, import_private
from halftone.serving.protocols.validation import Record

MakeRows = Callable[[Mapping[str, "np.ndarray"]], Any]


class Booster(Protocol):
    """A model of trees that takes rows."""

    def predict(self, rows: Any) -> "np.ndarray":
        """Responses of shape (rows,) or (rows, classes)."""
        ...

    def raw_score(self, rows: Any) -> "np.ndarray":
        """Sums of leaves of the same shape."""
        ...


@dataclass(frozen=True)
class Rows:
    """The columns that a model was fitted with; ``names`` are empty where it kept none."""

    count: int
    names: Sequence[str]


def predictor(
    folder: Path,
    manifest: Manifest,
    digest: str,
    *,
    model: Booster,
    rows: Rows,
    make: Callable[[], MakeRows] | None = None,
) -> Predict:
    """The model with the package's steps around it. ``make`` gives what makes rows of arrays by
    field; without it they are the fields as columns. A step ``preprocess`` makes them itself.

    Raises:
        InvalidPackage: if the fields are not the columns that the model was fitted with.
        Exception: whatever the preprocessor's module raises while it is imported.
    """
    steps = import_private(folder, manifest.preprocess, digest) if manifest.preprocess else None
    before, after = step(steps, "preprocess"), step(steps, "postprocess")
    if before is None:
        _check_columns(manifest, rows)
    asked = set(manifest.methods.values())
    stacked, finish = stack(manifest.inputs), after or unstack(manifest.outputs)
    make_rows: MakeRows | None = None
    if before is None:
        make_rows = make() if make else columns(manifest.inputs)
    wide = {field.name: bool(field.shape) for field in manifest.outputs}

    def outputs(made: Any) -> Arrays:
        found: Arrays = {}
        if asked != {"raw_score"}:
            found["predict"] = model.predict(made)
        if "raw_score" in asked:
            found["raw_score"] = model.raw_score(made)
        if "label" in asked:
            found["label"] = _labels(found["predict"])
        return {
            name: _both_classes(found[method]) if wide[name] else found[method]
            for name, method in manifest.methods.items()
        }

    def on_arrays(given: Mapping[str, "np.ndarray"]) -> Arrays:
        assert make_rows is not None  # noqa: S101
        return outputs(make_rows(given))

    def predict(instances: list[Record], _context: Context = NOBODY) -> object:
        if before is not None:
            return finish(outputs(before(instances)))
        return finish(on_arrays(stacked(instances)))

    if before is None and after is None:
        predict.arrays = on_arrays  # type: ignore[attr-defined]
    return predict


def _labels(responses: "np.ndarray") -> "np.ndarray":
    if responses.ndim == 1:
        return (responses > 0.5).astype(np.int64)
    labels: np.ndarray = responses.argmax(axis=1)
    return labels


def _both_classes(responses: "np.ndarray") -> "np.ndarray":
    """A field with a shape gets one value for each class, also of a model of two classes."""
    if responses.ndim == 1:
        return np.stack([1 - responses, responses], axis=1)
    return responses


def _check_columns(manifest: Manifest, rows: Rows) -> None:
    count = sum(prod(field.shape) for field in manifest.inputs)
    if count != rows.count:
        expected = f"the {rows.count} columns that the model was fitted with"
        raise InvalidPackage("inputs", count, expected, source=manifest.entry)
    names = [field.name for field in manifest.inputs]
    if names != [*rows.names] and sorted(names) == sorted(rows.names):
        expected = f"the order that the model was fitted with, {[*rows.names]}"
        raise InvalidPackage("inputs", names, expected, source=manifest.entry)
