"""Flavor ``onnx``: a graph run by onnxruntime, with an optional Python step on either side.

Without a preprocessor every input field becomes the graph input of that name: an array of the
input's type and of shape (records, *shape). A graph with a single input takes the fields as its
columns (``arrays.columns``), whatever its name. Without a postprocessor every output field is read
from the graph output of that name; a single field from a single output whatever its name. Which
shapes fit is the concern of ``onnx_shapes``. The preprocessor's module may define either or both:

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
from halftone.serving.inference.arrays import Arrays, array_type, columns, stack, step, unstack
from halftone.serving.inference.flavors.onnx_shapes import (
    GraphValue,
    check_first_axis,
    check_input_type,
    check_output,
    count_of,
    gives_one,
    joined,
    rows_shape,
)
from halftone.serving.inference.loader import Predict, import_private
from halftone.serving.protocols.validation import Record

Given = Mapping[str, "np.ndarray"]
Make = Callable[[Given], "np.ndarray"]


def load(folder: Path, manifest: Manifest, digest: str) -> Predict:
    """The package's graph with its steps around it.

    Raises:
        InvalidPackage: if the file is no ONNX graph, lacks an input or output that it needs, or has
            one of a shape or type that the signature's fields do not make.
        Exception: whatever the preprocessor's module raises while it is imported.
    """
    session = _session(folder / manifest.entry)
    steps = import_private(folder, manifest.preprocess, digest) if manifest.preprocess else None
    before, after = step(steps, "preprocess"), step(steps, "postprocess")
    graph = _Graph(session, manifest, has_before=before is not None, has_after=after is not None)
    made = before or stack(manifest.inputs)
    finish = after or unstack(manifest.outputs)

    def predict(instances: list[Record], _context: Context = NOBODY) -> object:
        return finish(graph.run(made(instances)))

    if before is None and after is None:
        predict.arrays = graph.run  # type: ignore[attr-defined]
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


class _Graph:
    """A session, and how a signature's fields become its inputs and its outputs predictions.

    ``has_before`` and ``has_after`` say that a step of the package makes the inputs, or reads the
    outputs: then nothing is known of them here but a fixed first axis of 1.
    """

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        manifest: Manifest,
        *,
        has_before: bool,
        has_after: bool,
    ) -> None:
        self._session = session
        self._inputs = [GraphValue.of(value) for value in session.get_inputs()]
        outputs = [GraphValue.of(value) for value in session.get_outputs()]
        self._names = self._asked = [value.name for value in outputs]
        self._shapes: list[tuple[int, ...] | None] = [None] * len(outputs)
        self._alone = any(value.runs_alone for value in self._inputs)
        self._makers: dict[str, Make] | None = None
        self._scalars: frozenset[str] = frozenset()
        if not has_before:
            self._read_inputs(manifest)
        if not has_after:
            self._read_outputs(manifest, outputs)

    def run(self, given: Given) -> Arrays:
        """Outputs by their names, of arrays by field, or by input where a step made them."""
        fed = given
        if self._makers is not None:
            fed = {name: make(given) for name, make in self._makers.items()}
        count = count_of(fed)
        if self._alone and (count > 1 or self._scalars):
            return self._run_alone(fed, count)
        found = dict(zip(self._names, self._session.run(self._asked, fed), strict=True))
        if count > 1 and self._is_of_one(found, count):
            # An output of unknown rank that has no axis of records.
            self._alone = True
            return self._run_alone(fed, count)
        return self._with_records(found) if count == 1 else found

    def _run_alone(self, fed: Given, count: int) -> Arrays:
        runs = [
            self._session.run(
                self._asked,
                {
                    name: array[i] if name in self._scalars else _record(array, i, count)
                    for name, array in fed.items()
                },
            )
            for i in range(count)
        ]
        parts = zip(self._names, zip(*runs, strict=True), self._shapes, strict=True)
        return {name: joined(arrays, shape) for name, arrays, shape in parts}

    def _with_records(self, found: Arrays) -> Arrays:
        """The outputs of one record, with the axis of records that a graph may leave out."""
        return {
            name: np.reshape(found[name], (1, *shape))
            if shape is not None and np.size(found[name]) == prod(shape)
            else found[name]
            for name, shape in zip(self._names, self._shapes, strict=True)
        }

    def _is_of_one(self, found: Arrays, count: int) -> bool:
        return any(
            shape is not None and np.size(found[name]) == prod(shape) != count * prod(shape)
            for name, shape in zip(self._names, self._shapes, strict=True)
        )

    def _read_outputs(self, manifest: Manifest, graph: list[GraphValue]) -> None:
        fields = manifest.outputs
        self._names = [field.name for field in fields]
        known = {value.name: value for value in graph}
        if len(fields) == len(graph) == 1:
            self._asked = [graph[0].name]
        else:
            named = [name for name in known if name in self._names]
            _agree("outputs", self._names, named, known, manifest.entry)
            self._asked = self._names
        for field, name in zip(fields, self._asked, strict=True):
            check_output(field, known[name], manifest.entry)
            self._alone = self._alone or gives_one(field, known[name])
        self._shapes = [field.shape for field in fields]

    def _read_inputs(self, manifest: Manifest) -> None:
        fields, source = manifest.inputs, manifest.entry
        for value in self._inputs:
            check_first_axis("inputs", value, source)
        makers: dict[str, Make] = {}
        if len(self._inputs) == 1:
            (only,) = self._inputs
            check_input_type(fields, only, source)
            makers[only.name] = _maker_of_one(fields, only, source)
        else:
            known = {value.name: value for value in self._inputs}
            _agree("inputs", [field.name for field in fields], known, known, source)
            for field in fields:
                check_input_type([field], known[field.name], source)
                makers[field.name] = _maker(field, known[field.name], source)
        self._makers = makers
        self._scalars = self._find_scalars(fields)
        self._alone = self._alone or bool(self._scalars)
        if all(_is_itself(field, makers.get(field.name)) for field in fields):
            self._makers = None

    def _find_scalars(self, fields: Sequence[Field]) -> frozenset[str]:
        """The inputs that take a scalar, and not a list of them.

        Their shape is the empty one that values of unknown rank have, too: one record tells.
        """
        unknown = [value.name for value in self._inputs if not value.shape]
        if not unknown or self._makers is None:
            return frozenset()
        zeros = {field.name: np.zeros((1, *field.shape), array_type(field)) for field in fields}
        texts = {f.name: np.full((1, *f.shape), "", object) for f in fields if f.type == "string"}
        given = {**zeros, **texts}
        try:
            self._session.run(None, {name: make(given) for name, make in self._makers.items()})
        except Exception as error:  # noqa: BLE001 - onnxruntime's errors share no base class
            text = str(error)
            if "Invalid rank" in text:
                return frozenset(name for name in unknown if f"input: {name} " in text) or (
                    frozenset(unknown)
                )
        return frozenset()


def _record(array: "np.ndarray", i: int, count: int) -> "np.ndarray":
    """One record of an input; an array that a step made for all records goes in whole."""
    return array[i : i + 1] if np.ndim(array) and len(array) == count else array


def _maker_of_one(fields: Sequence[Field], value: GraphValue, source: str) -> Make:
    """From arrays by field to the graph's only input."""
    if len(fields) == 1:
        return _maker(fields[0], value, source)
    dtype, rows = value.dtype, columns(fields)
    total = sum(prod(field.shape) for field in fields)
    if value.shape and len(value.shape) != 2:
        expected = f"fields that make rows of {value.name}, of shape {list(value.shape)}"
        raise InvalidPackage("inputs", [total], expected, source=source)
    rows_shape("inputs", (total,), value, source)
    return lambda given: rows(given).astype(dtype, copy=False)


def _maker(field: Field, value: GraphValue, source: str) -> Make:
    """From arrays by field to the input that one of them is."""
    name, dtype = field.name, value.dtype
    shape = rows_shape("inputs", field.shape, value, source)
    if shape is None:
        if array_type(field) == dtype:
            return _ItsOwn(name)
        return lambda given: given[name].astype(dtype, copy=False)
    return lambda given: given[name].reshape(-1, *shape).astype(dtype, copy=False)


class _ItsOwn:
    """The array of a field as it is."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, given: Given) -> "np.ndarray":
        return given[self.name]


def _is_itself(field: Field, make: Make | None) -> bool:
    return isinstance(make, _ItsOwn) and make.name == field.name


def _agree(
    at: str,
    manifest: Sequence[str],
    found: Mapping[str, Any] | Sequence[str],
    graph: Mapping[str, Any],
    source: str,
) -> None:
    if sorted(manifest) != sorted(found):
        raise InvalidPackage(
            at, sorted(manifest), f"the graph's own, {sorted(graph)}", source=source
        )
