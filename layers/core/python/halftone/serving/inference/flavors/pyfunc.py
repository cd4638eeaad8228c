"""Flavor ``pyfunc``: whatever MLflow loads as ``python_function``, in the package's environment.

The entry is the ``MLmodel`` of the saved directory. The model gets what its signature says: a frame
of pandas with its columns, or arrays by name, or the one array of a signature of one tensor. The
values of ``params`` go with every request.

    the model answers     and a field is
    a frame               the column of its name, else the one at its place
    a dict                the value of its name
    an array, a list      the only field, or the column at its place
"""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

# A function is given a share of its cores' time, and threads spin while they wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import mlflow.pyfunc
import numpy as np

from halftone.domain.model.manifest import Manifest
from halftone.domain.model.schema import Field
from halftone.serving.http.caller import NOBODY, Context
from halftone.serving.inference.arrays import Arrays, stack, unstack
from halftone.serving.inference.frames import frame
from halftone.serving.inference.loader import Predict
from halftone.serving.protocols.validation import Record


def load(folder: Path, manifest: Manifest, digest: str) -> Predict:  # noqa: ARG001
    """The saved model, as MLflow loads it.

    Raises:
        Exception: whatever MLflow or the model's own code raises while it is loaded.
    """
    model = mlflow.pyfunc.load_model(str((folder / manifest.entry).parent))
    make = _input(model, manifest.inputs)
    read = _output(manifest.outputs)
    stacked, finish = stack(manifest.inputs), unstack(manifest.outputs)
    params = dict(manifest.params) or None

    def on_arrays(given: Mapping[str, "np.ndarray"]) -> Arrays:
        return read(model.predict(make(given), params=params))

    def predict(instances: list[Record], _context: Context = NOBODY) -> object:
        return finish(on_arrays(stacked(instances)))

    predict.arrays = on_arrays  # type: ignore[attr-defined]
    return predict


def _input(model: Any, fields: Sequence[Field]) -> Callable[[Mapping[str, "np.ndarray"]], Any]:
    schema = model.metadata.get_input_schema()
    if schema is None or not schema.is_tensor_spec():
        return frame(fields)
    if schema.has_input_names():
        return dict
    (field,) = fields
    return lambda arrays: arrays[field.name]


def _output(fields: Sequence[Field]) -> Callable[[Any], Arrays]:
    names = [field.name for field in fields]

    def read(found: Any) -> Arrays:
        if hasattr(found, "columns"):  # a frame of pandas
            columns = [*found.columns]
            if set(names) <= {*columns}:
                return {name: found[name].to_numpy() for name in names}
            found = found.to_numpy()
        if isinstance(found, Mapping):
            return {name: np.asarray(found[name]) for name in names}
        array = np.asarray(found)
        if len(names) == 1:
            return {names[0]: array}
        return {name: array[:, i] for i, name in enumerate(names)}

    return read
