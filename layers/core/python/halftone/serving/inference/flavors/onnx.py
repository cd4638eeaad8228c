"""Flavor ``onnx``: a graph run by onnxruntime, with an optional Python step on either side.

Without a preprocessor every input field becomes the graph input of that name: an array of the
field's type and of shape (records, *shape). A graph with one input of another name takes the fields
as its columns (``arrays.columns``), in its own type. Without a postprocessor every output field is
read from the graph output of that name; a single field from a single output whatever its name. The
preprocessor's module may define either or both:

    preprocess(instances: list[dict]) -> dict[str, numpy.ndarray]     graph inputs
    postprocess(outputs: dict[str, numpy.ndarray]) -> list[dict]      predictions
"""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from halftone.domain.errors import InvalidPackage
from halftone.domain.model.manifest import Manifest
from halftone.domain.model.schema import Field
from halftone.serving.http.caller import NOBODY, Context
from halftone.serving.inference.arrays import Arrays, columns, stack, step, unstack
from halftone.serving.inference.loader import Predict, import_private
from halftone.serving.protocols.validation import Record

Given = Mapping[str, "np.ndarray"]

_TYPES = {"float": "float32", "double": "float64", "string": "object"}
"""Element types that ONNX calls otherwise than numpy does."""


def load(folder: Path, manifest: Manifest, digest: str) -> Predict:
    """The package's graph with its steps around it.

    Raises:
        InvalidPackage: if the file is no ONNX graph, or lacks an input or output that it needs.
        Exception: whatever the preprocessor's module raises while it is imported.
    """
    session = _session(folder / manifest.entry)
    steps = import_private(folder, manifest.preprocess, digest) if manifest.preprocess else None
    before, after = step(steps, "preprocess"), step(steps, "postprocess")
    names = asked = [value.name for value in session.get_outputs()]
    if after is None:
        names, asked = _outputs(manifest, asked)
    feed = None if before else _feed(manifest, session.get_inputs())
    made = before or stack(manifest.inputs)
    finish = after or unstack(manifest.outputs)

    def on_arrays(given: Given) -> Arrays:
        fed = given if feed is None else feed(given)
        return dict(zip(names, session.run(asked, fed), strict=True))

    def predict(instances: list[Record], _context: Context = NOBODY) -> object:
        return finish(on_arrays(made(instances)))

    if before is None and after is None:
        predict.arrays = on_arrays  # type: ignore[attr-defined]
    return predict


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    # Waiting threads must not spin: a Lambda function is given a share of its cores' time.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors: warnings about the host's CPUs would fill the log
    try:
        # By its path, because a graph may keep its weights in files beside it.
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # onnxruntime's errors share no base class of their own.
        why = f"{type(error).__name__}: {error}"
        raise InvalidPackage("entry", why, "a graph that loads", source=path.name) from error


def _outputs(manifest: Manifest, graph: Sequence[str]) -> tuple[list[str], list[str]]:
    """The output fields, and the graph's names for them."""
    wanted = [field.name for field in manifest.outputs]
    if len(wanted) == len(graph) == 1:
        return wanted, list(graph)
    _agree("outputs", wanted, [name for name in graph if name in wanted], manifest.entry)
    return wanted, wanted


def _feed(manifest: Manifest, graph: Sequence[Any]) -> Callable[[Given], Given] | None:
    """From arrays by field to the graph's inputs; None if they are the same."""
    fields = manifest.inputs
    names = [field.name for field in fields]
    inputs = [value.name for value in graph]
    if len(graph) != 1:
        _agree("inputs", names, inputs, manifest.entry)
        return None
    (only,) = graph
    kind = str(only.type).removeprefix("tensor(").removesuffix(")")
    kind = _TYPES.get(kind, kind)
    sizes = list(only.shape[1:])
    if len(fields) == 1 and len(sizes) == len(fields[0].shape) and sizes:
        _fit(list(fields[0].shape), sizes, manifest.entry)
        (name,) = names
        if name == only.name and str(fields[0].type).replace("string", "object") == kind:
            return None
        return lambda given: {only.name: given[name].astype(kind, copy=False)}
    _fit([_count(fields)], sizes, manifest.entry)
    joined = columns(fields)
    return lambda given: {only.name: joined(given).astype(kind, copy=False)}


def _count(fields: Sequence[Field]) -> int:
    return sum(prod(field.shape) for field in fields)


def _fit(found: list[int], graph: list[object], source: str) -> None:
    """A size that the graph leaves open is a name or None."""
    fits = len(found) == len(graph) and all(
        size == wanted or not isinstance(wanted, int)
        for size, wanted in zip(found, graph, strict=True)
    )
    if not fits:
        expected = f"fields that make rows of the graph's only input, of shape {graph}"
        raise InvalidPackage("inputs", found, expected, source=source)


def _agree(field: str, manifest: Sequence[str], graph: Sequence[str], source: str) -> None:
    if sorted(manifest) != sorted(graph):
        expected = f"the graph's own, {sorted(graph)}"
        raise InvalidPackage(field, sorted(manifest), expected, source=source)
