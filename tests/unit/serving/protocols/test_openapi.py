"""The OpenAPI document of an endpoint: valid, and true of the signature."""

import json

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from halftone.domain.model.schema import Field, FieldType
from halftone.packaging.folder import open_package
from halftone.serving.protocols.openapi import document, schema_of

MODELS = ("breast-cancer/models/champion", "digits/models/champion")


@pytest.mark.parametrize("path", MODELS)
def test_it_is_valid_and_takes_the_packages_samples(request, path):
    manifest = open_package(request.config.rootpath / "examples" / path).manifest
    found = document(manifest, "tried")
    OpenAPIV31SpecValidator(found).validate()
    schemas = found["components"]["schemas"]
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
    found = json.loads(answer["body"])
    OpenAPIV31SpecValidator(found).validate()
    assert found["info"]["title"] == "double"
    assert "/endpoints/double/versions/{version}/invocations" in found["paths"]
    assert "/v2/models/double/infer" in found["paths"]


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
    ],
)
def test_a_field_is_a_schema(field, schema):
    assert schema_of(field) == schema
