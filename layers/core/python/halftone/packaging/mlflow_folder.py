"""From a directory that MLflow saved to what the manifest of a package made of it says.

``MLmodel`` names the flavor, the file and the signature, and the input example becomes a sample.
What ``model.yaml`` says itself goes before it. Everything is resolved to a flavor of Halftone's
own, so that the model server needs neither MLflow nor YAML.

    MLflow's flavor     runs as
    onnx                onnx
    sklearn (skops)     sklearn
    sklearn (pickle)    sklearn, where model.yaml says ``allow_pickle: true``
    any other           pyfunc, by MLflow itself, in the environment that was saved with it
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from halftone.domain.errors import InvalidInput, InvalidPackage
from halftone.domain.model.schema import FieldType
from halftone.domain.model.target import Target
from halftone.packaging.yaml import read_yaml

MLMODEL = "MLmodel"

NOTES = (
    MLMODEL,
    "conda.yaml",
    "constraints.txt",
    "input_example.json",
    "python_env.yaml",
    "registered_model_meta",
    "requirements.txt",
    "serving_input_example.json",
)
"""What MLflow writes beside a model and no model server reads; times and random ids are in it."""

_COLUMNS = {
    "boolean": FieldType.BOOL,
    "integer": FieldType.INT32,
    "long": FieldType.INT64,
    "float": FieldType.FLOAT32,
    "double": FieldType.FLOAT64,
    "string": FieldType.STRING,
}
_TENSORS = {
    **{str(kind): kind for kind in FieldType},
    "str": FieldType.STRING,
    "object": FieldType.STRING,
}


def resolve(folder: Path, declared: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest of a package in ``folder`` whose ``model.yaml`` says ``given``.

    Raises:
        InvalidPackage: naming what in ``MLmodel`` can't be served, and what can.
    """
    try:
        return _resolved(folder, declared)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        # A mapping where a list should be, or the other way round: MLflow never writes that.
        why = f"{type(error).__name__}: {error}"
        raise InvalidPackage(MLMODEL, why, "as MLflow writes it", source=str(folder)) from None


def _resolved(folder: Path, declared: Mapping[str, Any]) -> dict[str, Any]:
    entry = declared.get("entry", MLMODEL)
    source = folder / entry if isinstance(entry, str) else folder
    path = PurePosixPath(str(entry))
    if path.name != MLMODEL or path.is_absolute() or ".." in path.parts or not source.is_file():
        expected = f"the MLmodel file of a directory saved by MLflow, in {folder}"
        raise InvalidPackage("entry", entry, expected, source=str(folder))
    saved = _read(source)
    manifest = {**_model(saved, path.parent), **declared}
    flavor, file = _flavor_and_file(saved, path.parent)
    manifest["flavor"], manifest["entry"] = flavor, file
    if flavor == "pyfunc":
        manifest.setdefault("requirements", _requirements(source.parent, path.parent, str(folder)))
    signature = saved.get("signature") or {}
    for name, alone in (("inputs", "input"), ("outputs", "prediction")):
        if name not in declared:
            manifest[name] = _fields(name, signature.get(name), alone, str(source))
    manifest.setdefault("name", _name(folder))
    if manifest["flavor"] == "sklearn" and len(manifest["outputs"]) == 1:
        manifest.setdefault("methods", _method(saved, manifest["outputs"][0]))
    if "samples" not in manifest:
        manifest["samples"] = _samples(saved, source.parent, manifest["inputs"])
    return manifest


def _read(source: Path) -> dict[str, Any]:
    try:
        saved = read_yaml(source.read_bytes())
    except OSError as error:
        why = error.strerror or str(error)
        raise InvalidPackage(MLMODEL, why, "a file", source=str(source)) from None
    except InvalidInput as error:
        raise InvalidPackage(error.field, error.value, error.expected, source=str(source)) from None
    flavors = saved.get("flavors") if isinstance(saved, dict) else None
    if not isinstance(saved, dict) or not isinstance(flavors, dict):
        raise InvalidPackage("flavors", flavors, "a mapping, as MLflow writes", source=str(source))
    return saved


def _flavor_and_file(saved: Mapping[str, Any], below: PurePosixPath) -> tuple[str, str]:
    has_params = bool((saved.get("signature") or {}).get("params"))
    for flavor, key in (("onnx", "data"), ("sklearn", "pickled_model")):
        conf = saved["flavors"].get(flavor)
        if isinstance(conf, dict) and isinstance(conf.get(key), str):
            if conf.get("code") or has_params:
                break
            return flavor, str(below / conf[key])
    return "pyfunc", str(below / MLMODEL)


_SAVED = ("requirements.txt", "conda.yaml")


def _requirements(saved: Path, below: PurePosixPath, source: str) -> str:
    """The file of the saved directory that says what its model needs."""
    name = next((name for name in _SAVED if (saved / name).is_file()), None)
    if name is None:
        expected = f"{' or '.join(_SAVED)} beside {MLMODEL}, or `requirements` in model.yaml"
        raise InvalidPackage("requirements", None, expected, source=source)
    return str(below / name)


_CHANGING = (
    "artifact_path",
    "databricks_runtime",
    "is_signature_from_type_hint",
    "model_id",
    "model_size_bytes",
    "model_uuid",
    "prompts",
    "run_id",
    "utc_time_created",
)
"""What ``MLmodel`` says of the run that saved it: another when the model is saved again."""


def lasting_mlmodel(source: Path) -> bytes:
    """``MLmodel`` as JSON, which YAML readers read, without what differs from run to run."""
    saved = _read(source)
    kept = {name: value for name, value in saved.items() if name not in _CHANGING}
    return json.dumps(kept, indent=1, sort_keys=True, default=str).encode()


def check_python(source: Path, target: Target) -> None:
    """Refuse a model by cloudpickle that another Python than the target's wrote.

    Its bytecode would end the process that loads it.

    Raises:
        InvalidPackage: with the runtime that would do.
    """
    written = str(_read(source)["flavors"].get("python_function", {}).get("python_version", ""))
    minor = ".".join(written.split(".")[:2])
    if minor and minor != target.python:
        expected = (
            f"Python {target.python}, which the package is for: a model by cloudpickle loads in the"
            f" Python alone that wrote it; save it there, or take --runtime python{minor}"
        )
        raise InvalidPackage("python_version", written, expected, source=str(source))


def _model(saved: Mapping[str, Any], below: PurePosixPath) -> dict[str, Any]:
    manifest: dict[str, Any] = {
        "description": f"Saved by MLflow {saved.get('mlflow_version', '')}."
    }
    flavor, _ = _flavor_and_file(saved, below)
    trusted = saved["flavors"].get(flavor, {}).get("skops_trusted_types")
    return {**manifest, "trusted": trusted} if flavor == "sklearn" and trusted else manifest


def _method(saved: Mapping[str, Any], output: object) -> dict[str, str]:
    function = saved["flavors"].get("python_function") or {}
    name = output.get("name") if isinstance(output, dict) else None
    return {str(name): function.get("predict_fn", "predict")}


def _fields(at: str, text: object, alone: str, source: str) -> list[dict[str, Any]]:
    """The fields of one side of a signature, which ``MLmodel`` has as a text of JSON."""
    try:
        specs = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        specs = None
    if not isinstance(specs, list) or not specs:
        expected = f"a signature: save the model with one, or write {at} in model.yaml"
        raise InvalidPackage(f"signature.{at}", text, expected, source=source)
    fields = []
    for spec in specs:
        name = spec.get("name", alone if len(specs) == 1 else None)
        kind, shape = _type(spec)
        if name is None or kind is None:
            expected = (
                "columns of type " + ", ".join(_COLUMNS) + ", or tensors with a free"
                f" first axis of type {', '.join(FieldType)}; or write {at} in model.yaml"
            )
            raise InvalidPackage(f"signature.{at}", spec, expected, source=source)
        field: dict[str, Any] = {"name": str(name), "type": str(kind)}
        if shape:
            field["shape"] = shape
        if spec.get("required", True) is not True:
            field["optional"] = True
        fields.append(field)
    return fields


def _type(spec: Mapping[str, Any]) -> tuple[FieldType | None, list[int]]:
    if spec.get("type") != "tensor":
        return _COLUMNS.get(str(spec.get("type"))), []
    tensor = spec.get("tensor-spec") or {}
    first, *rest = tensor.get("shape") or [0]
    free = first == -1 and all(type(size) is int and size > 0 for size in rest)
    return (_TENSORS.get(str(tensor.get("dtype"))), rest) if free else (None, [])


def _name(folder: Path) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower())
    return name.strip("-0123456789")[:32].strip("-") or "model"


def _samples(saved: Mapping[str, Any], folder: Path, inputs: list[Any]) -> list[dict[str, Any]]:
    """The input example as a sample without predictions, which MLflow does not keep."""
    example_info = saved.get("saved_input_example_info") or {}
    path = folder / str(example_info.get("serving_input_path", "serving_input_example.json"))
    try:
        example = json.loads(path.read_text(encoding="utf-8"))
        instances = _records(example, [field["name"] for field in inputs])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        expected = "save the model with an input_example, or write samples in model.yaml"
        raise InvalidPackage("samples", None, expected, source=str(path)) from None
    return [{"instances": instances}]


def _records(example: Any, names: list[str]) -> list[dict[str, Any]]:
    if "dataframe_split" in example:
        table = example["dataframe_split"]
        columns = [str(name) for name in table["columns"]]
        return [dict(zip(columns, row, strict=True)) for row in table["data"]]
    if "dataframe_records" in example:
        return list(example["dataframe_records"])
    inputs = example["inputs"] if "inputs" in example else example["instances"]
    if isinstance(inputs, dict):
        rows = zip(*inputs.values(), strict=True)
        return [dict(zip(inputs, row, strict=True)) for row in rows]
    (name,) = names
    return [{name: row} for row in inputs]
