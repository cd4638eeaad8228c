"""Flavor ``onnx``: a graph run by onnxruntime, with an optional Python step on either side.

Without a preprocessor every input field becomes the graph input of that name: an array of the
field's type and of shape (records, *shape). Without a postprocessor every output field is read from
the graph output of that name. The preprocessor's module may define either or both:

    preprocess(instances: list[dict]) -> dict[str, numpy.ndarray]     graph inputs
    postprocess(outputs: dict[str, numpy.ndarray]) -> list[dict]      predictions
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from halftone.domain.errors import InvalidPackage
from halftone.domain.package import Manifest
from halftone.domain.signature import Field
from halftone.serving.arrays import Arrays, step, unstack
from halftone.serving.context import NOBODY, Context
from halftone.serving.loading import Predict, Record, import_private


def load(folder: Path, manifest: Manifest, digest: str) -> Predict:
    """The package's graph with its steps around it.

    Raises:
        InvalidPackage: if the file is no ONNX graph, or lacks an input or output that it needs.
        Exception: whatever the preprocessor's module raises while it is imported.
    """
    session = _session(folder / manifest.entry)
    steps = import_private(folder, manifest.preprocess, digest) if manifest.preprocess else None
    before: Callable[[list[Record]], Any] = step(steps, "preprocess") or _stack(manifest.inputs)
    after = step(steps, "postprocess") or unstack(manifest.outputs)
    inputs = [value.name for value in session.get_inputs()]
    outputs = [value.name for value in session.get_outputs()]
    if step(steps, "preprocess") is None:
        _agree("inputs", [field.name for field in manifest.inputs], inputs, manifest.entry)
    if step(steps, "postprocess") is None:
        wanted = [field.name for field in manifest.outputs]
        _agree("outputs", wanted, [name for name in outputs if name in wanted], manifest.entry)
        outputs = wanted

    def on_arrays(given: Arrays) -> Arrays:
        return dict(zip(outputs, session.run(outputs, given), strict=True))

    def predict(instances: list[Record], _context: Context = NOBODY) -> object:
        return after(on_arrays(before(instances)))

    if step(steps, "preprocess") is None and step(steps, "postprocess") is None:
        predict.arrays = on_arrays  # type: ignore[attr-defined]
    return predict


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    # Waiting threads must not spin: a Lambda function is given a share of its cores' time.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors: warnings about the host's CPUs would fill the log
    try:
        return onnxruntime.InferenceSession(
            path.read_bytes(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        # onnxruntime's errors share no base class of their own.
        why = f"{type(error).__name__}: {error}"
        raise InvalidPackage("entry", why, "a graph that loads", source=path.name) from error


def _agree(field: str, manifest: Sequence[str], graph: Sequence[str], source: str) -> None:
    if sorted(manifest) != sorted(graph):
        expected = f"the graph's own, {sorted(graph)}"
        raise InvalidPackage(field, sorted(manifest), expected, source=source)


def _stack(fields: Sequence[Field]) -> Callable[[list[Record]], Arrays]:
    types = {
        field.name: "object" if field.type == "string" else str(field.type) for field in fields
    }

    def stack(instances: list[Record]) -> Arrays:
        return {
            name: np.array([record[name] for record in instances], dtype=kind)
            for name, kind in types.items()
        }

    return stack
