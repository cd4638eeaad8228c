"""The JSON schemas accept what the parsers accept, and name every field that the parsers know."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from halftone.domain.endpoint.spec import load_spec
from halftone.domain.errors import InvalidInput
from halftone.domain.model.manifest_schema import load_manifest
from halftone.domain.traffic.policy_schema import FIELDS
from halftone_cli.local import json_schemas, scaffold
from halftone_cli.local.scaffold import Flavor
from tests.support.checkout import ROOT

PARSERS = {"endpoint": load_spec, "model": load_manifest}
FILES = {
    name: sorted(path for path in (ROOT / "examples").rglob(f"{name}.yaml")) for name in PARSERS
}
LEAST: Mapping[str, dict[str, Any]] = {
    "endpoint": {"name": "churn", "model": "models/v1"},
    "model": {
        "name": "churn",
        "flavor": "python",
        "entry": "predict.py",
        "samples": [{"request": 1, "response": 2}],
    },
}
ACCEPTED: Mapping[str, list[dict[str, Any]]] = {
    "endpoint": [
        {"$schema": "endpoint.schema.json"},
        {"timeout": "29s", "late_after": "1.5s", "memory": 128, "max_body": 6_000_000},
        {"tags": {"team": "risk"}, "group": "risk", "deploy_waits": "promoted"},
        {"guardrails": {"late": {"rate": "0.1 %", "count": 1, "breaches": 2, "periods": 3}}},
        {"plan": "all-at-once"},
        {"plan": {"preset": "gradual", "bake": False, "alpha": 0.01, "on_inconclusive": "hold"}},
        {"plan": {"steps": [{"mirror": 10}, {"weight": "5 %", "min_time": "1h 30m"}]}},
        {"plan": {"bake": "2h", "margins": {"errors": {"regression": 1.5}}, "latency_floor": "0"}},
        {"plan": {"bake": {"weight": 90, "max_time": "1d"}, "margins": {"changed": {}}}},
        {"concurrency": 20, "throttle": {"rate": 0.5, "burst": 1}},
        {"concurrency": None, "throttle": None, "salt": None, "label": None, "stopped": None},
        {"mode": "guarded", "access": "private", "key": {"header": "x-user"}, "salt": "s"},
        {"key": "client", "latency_budget": "250ms", "label": "risk", "stopped": "moved"},
        {"key": "none", "mirror": "none", "latency_budget": "none", "capture": "5 %"},
        {"traffic": {"champion": 90, "green": "10 %"}, "mirror": {"green": 10}},
        {"mirror": {"to": 3, "share": 10, "match": {"clients": "mobile"}}, "capture": 5},
        {"rules": [{"match": {"headers": {"x-tier": ["gold"]}}, "to": 7}]},
        {"capture": {"share": 10, "redact": ["user.id"]}, "mode": "guarded"},
        {"cors": {"origins": ["https://shop.example"], "headers": ["x-user"], "max_age": "10m"}},
        {"cors": "none"},
    ],
    "model": [
        {"$schema": "model.schema.json", "description": "A model."},
        {"headers": ["x-region"], "inputs": None},
        {"flavor": "asgi", "samples": [{"method": "GET", "path": "/", "status": 404}]},
        {
            "inputs": [
                {"name": "a", "type": "float32", "shape": [2], "minimum": 0},
                {"name": "c", "type": "int64", "optional": True, "description": "C", "example": 1},
                {"name": "d", "type": "int64", "default": 7},
            ],
            "outputs": [{"name": "b", "type": "string"}],
            "samples": [{"instances": [{"a": [1, 2]}], "predictions": [{"b": "x"}]}],
        },
    ],
}
REFUSED: Mapping[str, list[dict[str, Any]]] = {
    "endpoint": [
        {"name": "Churn"},
        {"memroy": 512},
        {"memory": "512"},
        {"timeout": 10},
        {"mode": "sticky"},
        {"plan": "no-such-preset"},
        {"plan": {"steps": []}},
        {"plan": {"steps": [{"wieght": 5}]}},
        {"guardrails": {"errors": {"rates": 5}}},
        {"guardrails": {"slow": {"rate": 5}}},
        {"log_retention_days": 31},
        {"throttle": {"rate": 5}},
        {"rules": [{"to": "green"}]},
        {"key": {"cookie": "x"}},
        {"cors": {"origins": []}},
    ],
    "model": [
        {"flavor": "pmml"},
        {"samples": []},
        {"entyr": "predict.py"},
        {"allow_pickle": "yes"},
        {"inputs": [{"name": "a", "type": "float"}]},
        {"samples": [{"method": "FETCH", "path": "/"}], "flavor": "asgi"},
    ],
}


def schema(name: str) -> Draft202012Validator:
    document = json_schemas.SCHEMAS[name]()
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)


def cases(values: Mapping[str, list[dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    return [(name, LEAST[name] | value) for name, inner in values.items() for value in inner]


@pytest.mark.parametrize("name", PARSERS)
def test_the_published_schema_is_the_generated_one(name: str) -> None:
    published = (ROOT / "docs" / f"{name}.schema.json").read_text(encoding="utf-8")
    remedy = "run: python -m halftone_cli.local.json_schemas docs"
    assert published == json_schemas.text(name), remedy


@pytest.mark.parametrize(
    ("name", "path"), [(name, path) for name, paths in FILES.items() for path in paths]
)
def test_the_examples_are_valid(name: str, path: Path) -> None:
    schema(name).validate(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize("flavor", Flavor)
def test_what_init_writes_is_valid(flavor: Flavor) -> None:
    for path, data in scaffold.files("eta", "v1", flavor).items():
        name = Path(path).name.removesuffix(".yaml")
        if name in PARSERS:
            schema(name).validate(yaml.safe_load(data))


@pytest.mark.parametrize(("name", "value"), cases(ACCEPTED), ids=str)
def test_what_the_parser_takes_is_valid(name: str, value: dict[str, Any]) -> None:
    PARSERS[name](value)
    schema(name).validate(value)


@pytest.mark.parametrize(("name", "value"), cases(REFUSED), ids=str)
def test_what_is_not_valid_the_parser_refuses(name: str, value: dict[str, Any]) -> None:
    assert not schema(name).is_valid(value)
    with pytest.raises(InvalidInput):
        PARSERS[name](value)


def test_every_field_changed_without_a_deploy_has_a_case() -> None:
    tried = {field for value in ACCEPTED["endpoint"] for field in value}
    assert {*FIELDS} <= tried


def test_a_directory_saved_by_mlflow_needs_its_flavor_alone() -> None:
    assert schema("model").is_valid({"flavor": "mlflow"})
    assert not schema("model").is_valid({"flavor": "onnx"})


def test_the_command_prints_a_schema(offline: Any) -> None:
    assert offline("schema", "endpoint").json["title"] == "endpoint.yaml"
