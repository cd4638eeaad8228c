"""JSON schemas of ``endpoint.yaml`` and ``model.yaml``, for editors.

Names, enumerations and defaults come from the tables and classes that the parsers use, so that a
new field or word is in the schema by itself or fails its test. A schema accepts whatever the parser
accepts. What concerns several fields at once (shares that sum to 100) the parser alone checks.

``python -m halftone_cli.local.json_schemas docs`` writes both files to the folder ``docs``.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from halftone.domain.endpoint.spec import DeployWaits, EndpointSpec, Guardrail, load_spec
from halftone.domain.model.manifest import BOOSTER_METHODS, Flavor, Manifest
from halftone.domain.model.manifest import METHODS as PREDICTION_METHODS
from halftone.domain.model.samples import METHODS as HTTP_METHODS
from halftone.domain.model.samples import AppSample, JsonSample, Sample
from halftone.domain.model.schema import MAX_DESCRIPTION, Field, FieldType
from halftone.domain.rollout.plan import PRESETS, Margins, OnInconclusive
from halftone.domain.traffic.policy import Access, KeySource, Match, Mode
from halftone.domain.traffic.policy_schema import FIELDS

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_NAME = {"type": "string", "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$", "maxLength": 32}
_DURATION = {
    "type": "string",
    "pattern": r"^ *(0|([0-9]+(\.[0-9]+)? *(ms|s|m|h|d) *)+) *$",
    "description": "A duration such as 250ms, 30m or 1h30m.",
}
_PERCENTAGE = {
    "oneOf": [
        {"type": "number", "minimum": 0, "maximum": 100},
        {"type": "string", "pattern": r"^\s*-?[0-9.]+([eE][+-]?[0-9]+)?\s*%?\s*$"},
    ],
    "description": "Percent, such as 5 or 5 %.",
}
_DEPLOYMENT = {"type": ["string", "integer"], "description": "A deployment's name or version."}
_TEXTS = {
    "oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]
}
_NONE = {"enum": ["none", None]}


def _object(properties: Mapping[str, Schema], required: Sequence[str] = ()) -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": dict(properties),
        "additionalProperties": False,
    }
    return {**schema, "required": list(required)} if required else schema


def _whole(least: int, most: int | None = None) -> Schema:
    bounds: Schema = {"type": "integer", "minimum": least}
    return bounds if most is None else {**bounds, "maximum": most}


def _text(most: int) -> Schema:
    return {"type": "string", "maxLength": most}


def _one_of(*schemas: Schema) -> Schema:
    return {"anyOf": list(schemas)}


def _words(kind: type[StrEnum]) -> Schema:
    return {"enum": [str(choice) for choice in kind]}


_MATCH = _object(
    {
        "headers": {"type": "object", "additionalProperties": _TEXTS},
        "query": {"type": "object", "additionalProperties": _TEXTS},
        "clients": _TEXTS,
        "addresses": _TEXTS,
    }
)
_STAGE_FIELDS: Mapping[str, Schema] = {
    "weight": _PERCENTAGE,
    "mirror": _one_of(_PERCENTAGE, _NONE),
    "match": _one_of(_MATCH, _NONE),
    "min_time": _DURATION,
    "max_time": _DURATION,
    "min_requests": _whole(1),
    "approval": {"enum": ["before", "none"]},
}
_MARGINS = _object(
    {
        "regression": {"type": "number", "minimum": 1, "maximum": 100},
        "safety": {"type": "number", "minimum": 1, "maximum": 100},
        "tolerance": _PERCENTAGE,
    }
)
_PLAN = _one_of(
    {"enum": sorted(PRESETS)},
    _object(
        {
            "preset": {"enum": sorted(PRESETS)},
            "steps": {"type": "array", "minItems": 1, "items": _object(_STAGE_FIELDS)},
            "bake": _one_of(_DURATION, {"enum": ["none", None, False]}, _object(_STAGE_FIELDS)),
            "alpha": {"type": "number", "minimum": 0.000001, "maximum": 0.5},
            "on_inconclusive": _words(OnInconclusive),
            "latency_floor": _DURATION,
            "margins": _object(
                {
                    **dict.fromkeys(("errors", "late", "latency", "quality"), _MARGINS),
                    "changed": _object({"tolerance": _PERCENTAGE}),
                }
            ),
        }
    ),
)
_GUARDRAIL = _object(
    {"rate": _PERCENTAGE, "count": _whole(1), "breaches": _whole(1), "periods": _whole(1, 8640)}
)
_GUARDRAILS = ("errors", "late", "crashes")

_SERVING: Mapping[str, Schema] = {
    "mode": _words(Mode),
    "access": _words(Access),
    "key": _one_of(
        {"enum": [str(KeySource.CLIENT), str(KeySource.ADDRESS), "none", None]},
        *(
            _object({str(source): {"type": "string"}}, [str(source)])
            for source in (KeySource.HEADER, KeySource.QUERY, KeySource.BODY)
        ),
    ),
    "salt": _one_of(_text(100), {"type": "null"}),
    "rules": {
        "type": "array",
        "maxItems": 50,
        "items": _object({"match": _MATCH, "to": _DEPLOYMENT}, ["match", "to"]),
    },
    "traffic": {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 10,
        "additionalProperties": _PERCENTAGE,
    },
    "mirror": _one_of(
        _NONE,
        _object({"to": _DEPLOYMENT, "share": _PERCENTAGE, "match": _MATCH}, ["to", "share"]),
        {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": _PERCENTAGE,
        },
    ),
    "capture": _one_of(
        _PERCENTAGE,
        _object(
            {
                "share": _PERCENTAGE,
                "redact": {"type": "array", "maxItems": 100, "items": {"type": "string"}},
            }
        ),
    ),
    "latency_budget": _one_of(_DURATION, _NONE),
    "label": _one_of({"type": "string"}, {"type": "null"}),
    "stopped": _one_of(_text(200), {"type": "null"}),
    "cors": _one_of(
        _NONE,
        _object(
            {
                "origins": {"type": "array", "minItems": 1, "maxItems": 50, "items": _text(300)},
                "headers": {"type": "array", "maxItems": 50, "items": {"type": "string"}},
                "max_age": _one_of(_DURATION, {"type": "null"}),
            },
            ["origins"],
        ),
    ),
}
_ENDPOINT: Mapping[str, Schema] = {
    "name": _NAME,
    "model": {"type": "string", "description": "A path below the folder of this file."},
    "description": _text(200),
    "tags": {"type": "object", "maxProperties": 50, "additionalProperties": _text(200)},
    "memory": {**_whole(128, 10240), "description": "MB"},
    "timeout": _DURATION,
    "late_after": _DURATION,
    "max_body": {**_whole(1, 6_000_000), "description": "Bytes"},
    "log_retention_days": {"enum": [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731]},
    "group": _NAME,
    "deploy_waits": _words(DeployWaits),
    "plan": _PLAN,
    "concurrency": _one_of(_whole(1, 10_000), {"type": "null"}),
    "throttle": _one_of(
        _object(
            {
                "rate": {"type": "number", "exclusiveMinimum": 0, "maximum": 100_000},
                "burst": _whole(1, 50_000),
            },
            ["rate", "burst"],
        ),
        {"type": "null"},
    ),
}

_FIELD = _object(
    {
        "name": {"type": "string", "minLength": 1, "maxLength": 64},
        "type": _words(FieldType),
        "shape": {"type": "array", "maxItems": 8, "items": _whole(1, 1_000_000)},
        "minimum": {"type": ["number", "null"]},
        "maximum": {"type": ["number", "null"]},
        "optional": {"type": "boolean"},
        "description": _text(MAX_DESCRIPTION),
        "example": {},
        "default": {},
    },
    ["name", "type"],
)
_FIELDS = {"type": ["array", "null"], "items": _FIELD}
_RECORDS = {"type": "array", "items": {"type": "object"}}
_TOLERANCE = {"type": "number", "minimum": 0, "exclusiveMaximum": 1}
_SAMPLE = _one_of(
    _object(
        {"instances": _RECORDS, "predictions": _RECORDS, "tolerance": _TOLERANCE}, ["instances"]
    ),
    _object({"request": {}, "response": {}, "tolerance": _TOLERANCE}, ["request", "response"]),
    _object(
        {
            "method": {"enum": list(HTTP_METHODS)},
            "path": {"type": "string", "pattern": "^/[!-~]*$"},
            "body": {},
            "status": _whole(100, 599),
            "response": {},
            "tolerance": _TOLERANCE,
        },
        ["method", "path"],
    ),
)
_MLFLOW = "mlflow"
"""The word for what becomes a package of another flavor; it says the rest by itself."""

_MODEL: Mapping[str, Schema] = {
    "name": _NAME,
    "flavor": {"enum": [*map(str, Flavor), _MLFLOW]},
    "entry": {"type": "string", "description": "A file of the package."},
    "inputs": _FIELDS,
    "outputs": _FIELDS,
    "samples": _one_of(
        {"type": "array", "minItems": 1, "items": _SAMPLE},
        {"type": "string", "description": "A JSON file of the package with the list."},
    ),
    "description": _text(1000),
    "preprocess": {"type": ["string", "null"]},
    "headers": {"type": ["array", "null"], "maxItems": 20, "items": {"type": "string"}},
    "trusted": {"type": ["array", "null"], "items": {"type": "string"}},
    "methods": {
        "type": ["object", "null"],
        "additionalProperties": {"enum": [*PREDICTION_METHODS, *BOOSTER_METHODS[1:]]},
    },
    "allow_pickle": {"type": ["boolean", "null"]},
    "params": {"type": ["object", "null"]},
    "requirements": {
        "type": ["string", "null"],
        "description": "A requirements file of the folder: the packages that the model needs.",
    },
}


def endpoint_schema() -> Schema:
    """The schema of ``endpoint.yaml``."""
    names = _names(EndpointSpec) - {*_GUARDRAILS, "serving"}
    _same("endpoint.yaml", names | {*FIELDS}, {*_ENDPOINT, *_SERVING})
    _same("a guardrail", _names(Guardrail), {*_GUARDRAIL["properties"]})
    _same("margins", _names(Margins), {*_MARGINS["properties"]})
    _same("a match", _names(Match), {*_MATCH["properties"]})
    properties = {name: {**_ENDPOINT[name], **_default(name)} for name in _ENDPOINT}
    rails = dict.fromkeys(_GUARDRAILS, _GUARDRAIL)
    return _document(
        "endpoint.yaml", {**properties, "guardrails": _object(rails), **_SERVING}, ["name", "model"]
    )


def model_schema() -> Schema:
    """The schema of ``model.yaml``."""
    _same("model.yaml", _names(Manifest) - {"environment"}, {*_MODEL})
    _same("a field", _names(Field), {*_FIELD["properties"]})
    for kind, described in zip((Sample, JsonSample, AppSample), _SAMPLE["anyOf"], strict=True):
        _same(kind.__name__, _names(kind), {*described["properties"]})
    saved_by_mlflow = {"properties": {"flavor": {"const": _MLFLOW}}}
    return {
        **_document("model.yaml", _MODEL, ["flavor"]),
        "if": {"not": saved_by_mlflow},
        "then": {"required": ["name", "entry", "samples"]},
    }


def _names(kind: type[Any]) -> set[str]:
    return {field.name for field in fields(kind)}


def _same(what: str, read: set[str], described: set[str]) -> None:
    """Refuse a schema that does not have exactly the fields that the parser reads."""
    if read != described:
        raise LookupError(f"schema and parser differ for {what} in {sorted(read ^ described)}")


def _document(title: str, properties: Mapping[str, Schema], required: Sequence[str]) -> Schema:
    own = {"$schema": {"type": "string", "description": "For editors; nothing reads it."}}
    return {"$schema": DIALECT, "title": title, **_object({**own, **properties}, required)}


def _default(name: str) -> Schema:
    value = getattr(load_spec({"name": "x", "model": "x"}), name)
    plain = isinstance(value, str | int) and not isinstance(value, bool) and value != "x"
    return {"default": value} if plain and value != "" else {}


SCHEMAS: Mapping[str, Callable[[], Schema]] = {"endpoint": endpoint_schema, "model": model_schema}
"""The schemas by the names of the files that they are of."""


def text(name: str) -> str:
    """The schema called ``name``, as its file has it."""
    return f"{json.dumps(SCHEMAS[name](), indent=2)}\n"


def main(folder: Path) -> None:
    """Write ``<name>.schema.json`` for each schema."""
    for name in SCHEMAS:
        (folder / f"{name}.schema.json").write_text(text(name), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
