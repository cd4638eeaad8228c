"""An OpenAPI 3.1 document of one endpoint, made from the signature of its model.

Source: the OpenAPI Specification 3.1.1; its schemas are JSON Schema 2020-12.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from halftone.domain.model.manifest import Interface, Manifest
from halftone.domain.model.schema import Field, FieldType

Schema = dict[str, Any]

_FORMATS: Mapping[FieldType, str] = {
    FieldType.FLOAT32: "float",
    FieldType.FLOAT64: "double",
    FieldType.INT32: "int32",
    FieldType.INT64: "int64",
}
_PROBLEM: Schema = {
    "type": "object",
    "required": ["title", "status", "detail"],
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What was wrong, and what was expected."},
        "field": {"type": "string", "description": "Where in the request."},
        "value": {"description": "What stood there."},
    },
}
_V2_ERROR: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string"}},
}


def document(manifest: Manifest, endpoint: str) -> dict[str, Any]:
    """The document of ``endpoint`` while it serves the model of ``manifest``.

    It is the same for every version with the same manifest: nothing of a deployment is in it.
    """
    schemas: dict[str, Schema] = {"Problem": _PROBLEM}
    here = f"/endpoints/{endpoint}"
    if manifest.interface is Interface.HTTP:
        paths = {f"{here}/app/{{path}}": _app(manifest)}
    else:
        asked = _free(manifest)
        if manifest.interface is Interface.RECORDS:
            schemas.update(_records(manifest))
            asked = _plain(manifest)
        paths = {
            f"{here}/invocations": {"post": asked},
            f"{here}/versions/{{version}}/invocations": {
                "parameters": [_parameter("version", "path", "A version or a deployment's name.")],
                "post": {**asked, "operationId": "invokeVersion"},
            },
        }
        if manifest.interface is Interface.RECORDS:
            schemas["V2Error"] = _V2_ERROR
            paths[f"/v2/models/{endpoint}/infer"] = {"post": _infer()}
    paths[f"{here}/health"] = _health()
    return {
        "openapi": "3.1.0",
        "info": {"title": endpoint, "version": "1", "description": manifest.description},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": schemas},
    }


def schema_of(field: Field) -> Schema:
    """The JSON Schema of one field."""
    found = _element(field)
    for size in reversed(field.shape):
        found = {"type": "array", "items": found, "minItems": size, "maxItems": size}
    if field.optional and field.shape:
        found = {**found, "type": [found["type"], "null"]}
    if field.description:
        found["description"] = field.description
    if field.example is not None:
        found["examples"] = [field.example]
    if field.default is not None:
        found["default"] = field.default
    return found


def _element(field: Field) -> Schema:
    found = _present(field)
    return {**found, "type": [found["type"], "null"]} if field.optional else found


def _present(field: Field) -> Schema:
    if field.type is FieldType.STRING:
        return {"type": "string"}
    if field.type is FieldType.BOOL:
        return {"type": "boolean"}
    least, most = field.bounds
    if not field.type.is_float:
        # Bounds may be fractions, also of whole numbers.
        least, most = math.ceil(least), math.floor(most)
    found: Schema = {"type": "number" if field.type.is_float else "integer"}
    if field.type in _FORMATS:
        found["format"] = _FORMATS[field.type]
    return {**found, "minimum": least, "maximum": most}


def _records(manifest: Manifest) -> dict[str, Schema]:
    either: Schema = {
        "anyOf": [
            _list_of("Record"),
            {**_ref("Record"), "description": "One record, of scalars."},
            {
                "type": "object",
                "description": "Columns: for each field a list with one value a record.",
                "properties": {
                    field.name: {"type": "array", "items": schema_of(field)}
                    for field in manifest.inputs
                },
                "minProperties": 1,
            },
        ]
    }
    shapes: dict[str, Schema] = {
        "instances": either,
        "inputs": either,
        "dataframe_records": _list_of("Record"),
        "dataframe_split": {
            "type": "object",
            "required": ["data"],
            "properties": {
                "columns": {"type": "array"},
                "index": {"type": "array"},
                "data": {"type": "array", "items": {"type": "array"}},
            },
        },
    }
    return {
        "Record": _record(manifest.inputs),
        # A model's answer has every field, be it null.
        "Prediction": {
            **_record(manifest.outputs),
            "required": [field.name for field in manifest.outputs],
        },
        "Request": {
            "type": "object",
            "description": "One of the shapes that MLflow's scoring server takes.",
            "properties": {**shapes, "params": {"type": "object"}},
            "additionalProperties": False,
            "oneOf": [{"required": [name]} for name in shapes],
        },
        "Response": {
            "type": "object",
            "required": ["predictions"],
            "properties": {"predictions": _list_of("Prediction")},
        },
    }


def _list_of(name: str) -> Schema:
    return {"type": "array", "minItems": 1, "items": _ref(name)}


def _record(fields: Sequence[Field]) -> Schema:
    return {
        "type": "object",
        "properties": {field.name: schema_of(field) for field in fields},
        "required": [field.name for field in fields if not field.may_be_absent],
        "additionalProperties": False,
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _plain(manifest: Manifest) -> Schema:
    sample = manifest.samples[0].as_given()
    answer = {"schema": _ref("Response")}
    if "predictions" in sample:
        answer["example"] = {"predictions": sample["predictions"]}
    told = _operation(
        "invoke",
        "Predict for each record.",
        {"schema": _ref("Request"), "example": {"instances": sample["instances"]}},
        answer,
    )
    if not any(field.shape for field in manifest.inputs):
        told["requestBody"]["content"]["text/csv"] = {
            "schema": {"type": "string", "description": "A header of the fields, then records."}
        }
    return told


def _free(manifest: Manifest) -> Schema:
    sample = manifest.samples[0].as_given()
    return _operation(
        "invoke",
        "Ask the model; it takes and gives JSON of its own.",
        {"schema": {}, "example": sample.get("request")},
        {"schema": {}, "example": sample.get("response")},
    )


def _operation(name: str, summary: str, asked: Schema, answered: Schema) -> Schema:
    return {
        "operationId": name,
        "summary": summary,
        "parameters": [
            _parameter(
                "x-halftone-deployment",
                "header",
                "Pins the request to a version or to a deployment's name.",
                required=False,
            )
        ],
        "requestBody": {"required": True, "content": {"application/json": asked}},
        "responses": {
            "200": {
                "description": "The model's answer.",
                "headers": {
                    name: {"schema": {"type": "string"}}
                    for name in ("x-request-id", "x-halftone-version")
                },
                "content": {"application/json": answered},
            },
            **{
                status: {
                    "description": what,
                    "content": {"application/problem+json": {"schema": _ref("Problem")}},
                }
                for status, what in (
                    ("400", "No JSON, or none that could be read."),
                    ("401", "A token is needed, and none that counts was given."),
                    ("404", "There is no such deployment."),
                    ("413", "The request, or its answer, is too large."),
                    ("422", "A value does not fit the signature."),
                    ("500", "The model failed."),
                    ("503", "The endpoint does not serve now."),
                )
            },
        },
    }


def _infer() -> Schema:
    tensors = {"type": "array", "items": {"type": "object"}}
    body = {
        "schema": {
            "type": "object",
            "required": ["inputs"],
            "properties": {"id": {"type": "string"}, "inputs": tensors, "outputs": tensors},
        }
    }
    error = {"application/json": {"schema": _ref("V2Error")}}
    return {
        "operationId": "infer",
        "summary": "The same in tensors: Open Inference Protocol v2, also with binary data.",
        "requestBody": {"required": True, "content": {"application/json": body}},
        "responses": {
            "200": {
                "description": "The outputs.",
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            "default": {"description": "An error.", "content": error},
        },
    }


def _app(manifest: Manifest) -> Schema:
    operation = {
        "summary": manifest.description or "The application.",
        "responses": {"default": {"description": "What the application answers."}},
    }
    methods = ("get", "post", "put", "patch", "delete")
    return {
        "parameters": [_parameter("path", "path", "The application's own path.")],
        **{method: {**operation, "operationId": f"app-{method}"} for method in methods},
    }


def _health() -> Schema:
    about = "The version or deployment to ask; by default the one that is reached."
    return {
        "get": {
            "operationId": "health",
            "summary": "Whether the model is loaded, and how its last minute went.",
            "parameters": [_parameter("version", "query", about, required=False)],
            "responses": {
                status: {"description": what, "content": {"application/json": {"schema": {}}}}
                for status, what in (("200", "It is."), ("503", "It is not."))
            },
        }
    }


def _parameter(name: str, where: str, about: str, *, required: bool = True) -> Schema:
    return {
        "name": name,
        "in": where,
        "required": required,
        "description": about,
        "schema": {"type": "string"},
    }
