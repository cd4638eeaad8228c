"""From the mapping that a YAML or JSON reader made to a ``Manifest``, or to the value at fault."""

import json
import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from halftone.domain.errors import InvalidInput, InvalidPackage, unknown_field
from halftone.domain.model.environment import Environment, load_environment
from halftone.domain.model.manifest import (
    MANIFEST_NAME,
    METHODS_OF,
    PICKLE_SUFFIXES,
    SOURCE_NAME,
    Flavor,
    Manifest,
)
from halftone.domain.model.samples import (
    AnySample,
    parse_app_samples,
    parse_json_samples,
    parse_record_samples,
)
from halftone.domain.model.schema import Field, parse_fields
from halftone.domain.names import checked_name
from halftone.domain.texts import check_texts

_UNREADABLE = ("authorization", "proxy-authorization", "cookie")
_HEADER = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,64}")
_TYPE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_ON_RECORDS = (
    Flavor.PYTHON,
    Flavor.ONNX,
    Flavor.SKLEARN,
    Flavor.LIGHTGBM,
    Flavor.XGBOOST,
    Flavor.PYFUNC,
)
_TAKEN_BY: Mapping[str, tuple[Flavor, ...]] = {
    "preprocess": (Flavor.ONNX, Flavor.SKLEARN, Flavor.LIGHTGBM, Flavor.XGBOOST),
    "headers": (Flavor.PYTHON,),
    "trusted": (Flavor.SKLEARN,),
    "methods": tuple(METHODS_OF),
    "allow_pickle": (Flavor.SKLEARN, Flavor.PYFUNC),
    "params": (Flavor.PYFUNC,),
    "inputs": _ON_RECORDS,
    "outputs": _ON_RECORDS,
}


def manifest_from_json(text: bytes, *, source: str = MANIFEST_NAME) -> Manifest:
    """The manifest in ``text``.

    Raises:
        InvalidPackage: naming ``source``, the field and its value.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidPackage(MANIFEST_NAME, str(error), "JSON", source=source) from None
    return load_manifest(value, source=source)


def load_manifest(value: object, *, source: str = SOURCE_NAME) -> Manifest:
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
    value = {key: part for key, part in value.items() if key != "$schema"}  # for editors
    check_texts("", value)
    for key in value:
        if key not in Manifest.__dataclass_fields__:
            raise unknown_field(str(key), value[key], Manifest.__dataclass_fields__)
    flavor = _flavor(value.get("flavor"))
    for key, flavors in _TAKEN_BY.items():
        if flavor not in flavors and value.get(key) is not None:
            expected = f"nothing: flavor {flavor} has none, only {', '.join(flavors)}"
            raise InvalidInput(key, value[key], expected)
    inputs, outputs = _signature(flavor, value)
    preprocess = value.get("preprocess")
    return Manifest(
        name=checked_name("name", value.get("name")),
        flavor=flavor,
        entry=_entry(flavor, value),
        inputs=inputs,
        outputs=outputs,
        samples=_samples(flavor, value.get("samples"), inputs, outputs),
        description=_description(value.get("description", "")),
        preprocess=None if preprocess is None else _path("preprocess", preprocess, (".py",)),
        headers=_headers(value.get("headers", [])),
        trusted=_types(value.get("trusted", [])),
        methods=_methods(flavor, value.get("methods", {}), outputs),
        allow_pickle=value.get("allow_pickle") is True,
        params=_params(value.get("params", {})),
        requirements=_requirements(value.get("requirements")),
        environment=_environment(value.get("environment")),
    )


def _flavor(value: object) -> Flavor:
    try:
        return Flavor(str(value))
    except ValueError:
        raise InvalidInput("flavor", value, f"one of {', '.join(Flavor)}, mlflow") from None


def _signature(
    flavor: Flavor, document: Mapping[str, object]
) -> tuple[tuple[Field, ...], tuple[Field, ...]]:
    inputs, outputs = document.get("inputs"), document.get("outputs")
    if flavor is Flavor.ASGI or (flavor is Flavor.PYTHON and inputs is None and outputs is None):
        return (), ()
    answered = parse_fields("outputs", outputs)
    for i, field in enumerate(answered):
        if field.default is not None:
            expected = "nothing: a model answers each of its outputs"
            raise InvalidInput(f"outputs[{i}].default", field.default, expected)
    return parse_fields("inputs", inputs), answered


def _samples(
    flavor: Flavor, value: object, inputs: tuple[Field, ...], outputs: tuple[Field, ...]
) -> tuple[AnySample, ...]:
    if flavor is Flavor.ASGI:
        return parse_app_samples(value)
    return parse_record_samples(value, inputs, outputs) if inputs else parse_json_samples(value)


def _entry(flavor: Flavor, document: Mapping[str, object]) -> str:
    entry, allowed = document.get("entry"), document.get("allow_pickle")
    if allowed is not None and not isinstance(allowed, bool):
        raise InvalidInput("allow_pickle", allowed, "true or false")
    if flavor is Flavor.PYFUNC:
        if not isinstance(entry, str) or PurePosixPath(entry).name != "MLmodel":
            raise InvalidInput("entry", entry, "the MLmodel file of a directory saved by MLflow")
        return _path("entry", entry, ("",))
    if flavor is not Flavor.SKLEARN:
        return _path("entry", entry, _SUFFIXES[flavor])
    pickled = isinstance(entry, str) and PurePosixPath(entry).suffix in PICKLE_SUFFIXES
    if pickled and not allowed:
        expected = (
            f"true, because {entry} is a pickle, and loading one runs whatever code it carries;"
            " or save the model with skops"
        )
        raise InvalidInput("allow_pickle", allowed, expected)
    if allowed and not pickled:
        raise InvalidInput("allow_pickle", allowed, f"nothing: {entry} is no pickle")
    return _path("entry", entry, PICKLE_SUFFIXES[:3] if allowed else (".skops",))


_REQUIREMENTS = (".txt", ".in", ".yaml", ".yml")
"""A requirements file, or an environment of conda, of which the pip part is taken."""

_SUFFIXES: Mapping[Flavor, tuple[str, ...]] = {
    Flavor.PYTHON: (".py",),
    Flavor.ASGI: (".py",),
    Flavor.ONNX: (".onnx",),
    Flavor.LIGHTGBM: (".txt",),
    Flavor.XGBOOST: (".ubj", ".json"),
}


def _requirements(value: object) -> str | None:
    return None if value is None else _path("requirements", value, _REQUIREMENTS)


def _environment(value: object) -> Environment | None:
    return None if value is None else load_environment("environment", value)


def _params(value: object) -> dict[str, object]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise InvalidInput("params", value, "a mapping of names to values, such as {top_k: 3}")
    return dict(value)


def _path(at: str, value: object, suffixes: tuple[str, ...]) -> str:
    expected = (
        f"a file of the package that ends in {' or '.join(suffixes)}, such as model{suffixes[0]}"
    )
    if not isinstance(value, str) or "\\" in value:
        raise InvalidInput(at, value, expected)
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or path.suffix not in suffixes:
        raise InvalidInput(at, value, expected)
    if str(path) != value:
        raise InvalidInput(at, value, expected)
    return value


def _description(value: object) -> str:
    if not isinstance(value, str) or len(value) > 1000:
        raise InvalidInput("description", value, "a text of at most 1000 characters")
    return value


def _headers(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > 20:
        raise InvalidInput("headers", value, "a list of at most 20 headers, such as [x-region]")
    names: list[str] = []
    for i, header in enumerate(value):
        name = header.lower() if isinstance(header, str) else ""
        if not _HEADER.fullmatch(name):
            raise InvalidInput(f"headers[{i}]", header, "the name of a header, such as x-region")
        if name in _UNREADABLE:
            expected = "another header: a model sees who calls, never a secret of the caller's"
            raise InvalidInput(f"headers[{i}]", header, expected)
        if name in names:
            raise InvalidInput(f"headers[{i}]", header, "a header that is not named before")
        names.append(name)
    return tuple(names)


def _types(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise InvalidInput("trusted", value, "a list of types, such as [numpy.dtype]")
    for i, name in enumerate(value):
        if not isinstance(name, str) or not _TYPE.fullmatch(name):
            raise InvalidInput(f"trusted[{i}]", name, "a type as skops names it: module.Type")
    return tuple(value)


def _methods(flavor: Flavor, value: object, outputs: tuple[Field, ...]) -> dict[str, str]:
    if flavor not in METHODS_OF:
        return {}
    methods = METHODS_OF[flavor]
    if not isinstance(value, Mapping):
        expected = f"a mapping of output fields to methods, such as {{risk: {methods[1]}}}"
        raise InvalidInput("methods", value, expected)
    names = [output.name for output in outputs]
    for name, method in value.items():
        if name not in names:
            raise InvalidInput(f"methods.{name}", method, f"an output among {', '.join(names)}")
        if method not in methods:
            raise InvalidInput(f"methods.{name}", method, f"one of {', '.join(methods)}")
    return {name: str(value.get(name) or _default_method(name, names, methods)) for name in names}


def _default_method(name: str, outputs: list[str], methods: tuple[str, ...]) -> str:
    if name in methods or len(outputs) > 1:
        if name not in methods:
            expected = f"one of {', '.join(methods)}, because there are several outputs"
            raise InvalidInput(f"methods.{name}", None, expected)
        return name
    return "predict"
