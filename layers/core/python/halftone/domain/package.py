"""The manifest of a model package: what ``model.yaml`` says, checked and in one form.

Parsing takes the mapping that a YAML or JSON reader made, so that this module needs no YAML. In a
built package the manifest stands as canonical JSON, so that the model server needs none either.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from halftone.domain.audit import canonical_json
from halftone.domain.errors import InvalidInput, InvalidPackage
from halftone.domain.names import checked_name
from halftone.domain.signature import Field, fields_as_given, parse_fields, read_records

SOURCE_NAME = "model.yaml"
"""The manifest in a package's folder, as its author writes it."""

MANIFEST_NAME = "model.json"
"""The manifest in a built package."""

DEFAULT_TOLERANCE = 1e-6


class Flavor(StrEnum):
    """How a package's model is loaded and called.

    ``python``: the entry is a module with ``run(instances)`` and, if it likes, ``init()``.
    ``onnx``: the entry is an ONNX file, run by onnxruntime.
    """

    PYTHON = "python"
    ONNX = "onnx"


@dataclass(frozen=True)
class Sample:
    """A request that the model must answer with ``predictions``.

    Floats may differ by ``tolerance``, absolute up to a magnitude of 1 and relative above it;
    everything else must be equal.
    """

    instances: tuple[Mapping[str, object], ...]
    predictions: tuple[Mapping[str, object], ...]
    tolerance: float = DEFAULT_TOLERANCE


@dataclass(frozen=True)
class Manifest:
    """What a package says of itself. ``entry`` and ``preprocess`` are paths within the package."""

    name: str
    flavor: Flavor
    entry: str
    inputs: tuple[Field, ...]
    outputs: tuple[Field, ...]
    samples: tuple[Sample, ...]
    description: str = ""
    preprocess: str | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """The files that the package must hold."""
        return (self.entry,) if self.preprocess is None else (self.entry, self.preprocess)

    def as_given(self) -> dict[str, object]:
        """The manifest in the form that ``parse_manifest`` reads."""
        return {
            "name": self.name,
            "description": self.description,
            "flavor": str(self.flavor),
            "entry": self.entry,
            **({} if self.preprocess is None else {"preprocess": self.preprocess}),
            "inputs": fields_as_given(self.inputs),
            "outputs": fields_as_given(self.outputs),
            "samples": [
                {
                    "instances": [dict(record) for record in sample.instances],
                    "predictions": [dict(record) for record in sample.predictions],
                    "tolerance": sample.tolerance,
                }
                for sample in self.samples
            ],
        }

    def to_json(self) -> bytes:
        """The one JSON text of this manifest; ``manifest_from_json`` reads it back."""
        return canonical_json(self.as_given())


def manifest_from_json(text: bytes, *, source: str = MANIFEST_NAME) -> Manifest:
    """The manifest in ``text``.

    Raises:
        InvalidPackage: naming ``source``, the field and its value.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidPackage(MANIFEST_NAME, str(error), "JSON", source=source) from None
    return parse_manifest(value, source=source)


def parse_manifest(value: object, *, source: str = SOURCE_NAME) -> Manifest:
    """The manifest in ``value``, as a YAML or JSON reader made it.

    Raises:
        InvalidPackage: naming ``source``, the field and its value.
    """
    try:
        return _parse(value)
    except InvalidInput as error:
        raise InvalidPackage(error.field, error.value, error.expected, source=source) from None


def _parse(value: object) -> Manifest:
    if not isinstance(value, Mapping):
        raise InvalidInput("manifest", value, "a mapping with at least name, flavor and entry")
    for key in value:
        if key not in Manifest.__dataclass_fields__:
            known = ", ".join(Manifest.__dataclass_fields__)
            raise InvalidInput(str(key), value[key], f"no such field; known: {known}")
    flavor = _flavor(value.get("flavor"))
    suffix = ".py" if flavor is Flavor.PYTHON else ".onnx"
    preprocess = value.get("preprocess")
    if preprocess is not None and flavor is not Flavor.ONNX:
        raise InvalidInput("preprocess", preprocess, "nothing: flavor python does it in run()")
    inputs = parse_fields("inputs", value.get("inputs"))
    outputs = parse_fields("outputs", value.get("outputs"))
    return Manifest(
        name=checked_name("name", value.get("name")),
        flavor=flavor,
        entry=_path("entry", value.get("entry"), suffix),
        inputs=inputs,
        outputs=outputs,
        samples=_samples(value.get("samples"), inputs, outputs),
        description=_description(value.get("description", "")),
        preprocess=None if preprocess is None else _path("preprocess", preprocess, ".py"),
    )


def _flavor(value: object) -> Flavor:
    try:
        return Flavor(str(value))
    except ValueError:
        raise InvalidInput("flavor", value, f"one of {', '.join(Flavor)}") from None


def _path(at: str, value: object, suffix: str) -> str:
    expected = f"a file of the package that ends in {suffix}, such as model{suffix}"
    if not isinstance(value, str) or "\\" in value:
        raise InvalidInput(at, value, expected)
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or path.suffix != suffix or str(path) != value:
        raise InvalidInput(at, value, expected)
    return value


def _description(value: object) -> str:
    if not isinstance(value, str) or len(value) > 1000:
        raise InvalidInput("description", value, "a text of at most 1000 characters")
    return value


def _samples(
    value: object, inputs: tuple[Field, ...], outputs: tuple[Field, ...]
) -> tuple[Sample, ...]:
    if not isinstance(value, list) or not value:
        expected = "a list of at least one sample: {instances, predictions, tolerance}"
        raise InvalidInput("samples", value, expected)
    return tuple(_sample(f"samples[{i}]", given, inputs, outputs) for i, given in enumerate(value))


def _sample(
    at: str, given: object, inputs: tuple[Field, ...], outputs: tuple[Field, ...]
) -> Sample:
    if not isinstance(given, Mapping):
        raise InvalidInput(at, given, "a mapping of instances, predictions and tolerance")
    for key in given:
        if key not in Sample.__dataclass_fields__:
            expected = "no such field; known: instances, predictions, tolerance"
            raise InvalidInput(f"{at}.{key}", given[key], expected)
    instances = read_records(f"{at}.instances", inputs, given.get("instances"))
    predictions = read_records(f"{at}.predictions", outputs, given.get("predictions"))
    if len(predictions) != len(instances):
        expected = f"one prediction for each of the {len(instances)} instances"
        raise InvalidInput(f"{at}.predictions", predictions, expected)
    tolerance = given.get("tolerance", DEFAULT_TOLERANCE)
    if type(tolerance) not in (int, float) or not 0 <= tolerance < 1:
        raise InvalidInput(f"{at}.tolerance", tolerance, "a number from 0 to 1, such as 0.0001")
    return Sample(tuple(instances), tuple(predictions), float(tolerance))
