"""The OpenAPI document of an endpoint: valid, and true of the signature."""

import json

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from halftone.domain.model.manifest_schema import load_manifest
from halftone.domain.model.schema import Field, FieldType
from halftone.packaging.folder import open_package
from halftone.serving.protocols.openapi import document, schema_of

MODELS = ("breast-cancer/models/champion", "digits/models/champion")


@pytest.mark.parametrize("path", MODELS)
def test_it_is_valid_and_takes_the_packages_samples(request, path):
    manifest = open_package(request.config.rootpath / "examples" / path).manifest
    result = document(manifest, "tried")
    OpenAPIV31SpecValidator(result).validate()
    schemas = result["components"]["schemas"]
    validator = jsonschema.Draft202012Validator(
        {"$ref": "#/components/schemas/Request", "components": {"schemas": schemas}}
    )
    sample = manifest.samples[0].as_given()["instances"]
    validator.validate({"instances": sample})
    validator.validate({"dataframe_records": sample})
    assert not validator.is_valid({})
    assert not validator.is_valid({"instances": []})
    assert not validator.is_valid({"instances": sample, "inputs": sample})
    assert not validator.is_valid({"instances": [{}]})


def test_the_server_answers_it(serve):
    served = serve()
    path = "/endpoints/double/openapi.json"
    answer = served.send({"rawPath": path, "requestContext": {"http": {"method": "GET"}}})
    document = json.loads(answer["body"])
    OpenAPIV31SpecValidator(document).validate()
    assert document["info"]["title"] == "double"
    assert "/endpoints/double/versions/{version}/invocations" in document["paths"]
    assert "/v2/models/double/infer" in document["paths"]


def test_what_may_be_missing_may_be_missing_in_the_document():
    inputs = [
        {"name": "age", "type": "float64", "optional": True},
        {"name": "limit", "type": "int32", "default": 5},
        {"name": "sex", "type": "string"},
    ]
    outputs = [{"name": "y", "type": "float64", "optional": True}]
    fields = {"name": "n", "flavor": "python", "entry": "a.py", "inputs": inputs}
    samples = [{"instances": [{"sex": "f"}]}]
    result = document(load_manifest({**fields, "outputs": outputs, "samples": samples}), "tried")
    OpenAPIV31SpecValidator(result).validate()
    schemas = result["components"]["schemas"]

    def fits(name, value):
        reference = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
        return jsonschema.Draft202012Validator(reference).is_valid(value)

    assert fits("Request", {"instances": [{"sex": "f"}, {"sex": "f", "age": None, "limit": 1}]})
    assert not fits("Request", {"instances": [{"age": 1}]})
    assert not fits("Request", {"instances": [{"sex": "f", "limit": None}]})
    assert fits("Response", {"predictions": [{"y": None}]})
    assert not fits("Response", {"predictions": [{}]})


@pytest.mark.parametrize(
    ("field", "schema"),
    [
        (Field("x", FieldType.STRING), {"type": "string"}),
        (Field("x", FieldType.BOOL), {"type": "boolean"}),
        (Field("x", FieldType.UINT8), {"type": "integer", "minimum": 0, "maximum": 255}),
        (
            Field("x", FieldType.INT32, (), 0.5, 7.5),
            {"type": "integer", "format": "int32", "minimum": 1, "maximum": 7},
        ),
        (
            Field("x", FieldType.FLOAT64, (2,), 0, 1),
            {
                "type": "array",
                "minItems": 2,
                "maxItems": 2,
                "items": {"type": "number", "format": "double", "minimum": 0, "maximum": 1},
            },
        ),
        (
            Field("x", FieldType.INT8, optional=True, description="Years.", example=42, default=7),
            {
                "type": ["integer", "null"],
                "minimum": -128,
                "maximum": 127,
                "description": "Years.",
                "examples": [42],
                "default": 7,
            },
        ),
        (
            Field("x", FieldType.STRING, (1,), optional=True),
            {
                "type": ["array", "null"],
                "minItems": 1,
                "maxItems": 1,
                "items": {"type": ["string", "null"]},
            },
        ),
    ],
)
def test_a_field_is_a_schema(field, schema):
    assert schema_of(field) == schema
