"""Every time, number and size that a request may carry, at its ends and beyond: never a fault.

The parameters are read from the OpenAPI document, so that a new one is tried as well.
"""

import base64
import json
from urllib.parse import quote

import pytest

from halftone.api.app import create_app
from halftone.api.authorizer import ApiContext
from halftone.api.openapi import document
from halftone.domain.rollout.phase import Phase
from tests.support.control import Api, on
from tests.support.engine import NAME, Endpoint

WHOLE = [0, -1, 1, 9, 10, 100, 101, 2**31, 2**53, 2**63 - 1, 2**63, 2**64, 10**30, 10**4000]
REAL = [0.0, -0.0, 5e-324, 1e-300, 1e-9, 0.001, 1e9, 1e300, 1.7976931348623157e308]
TIMES = [
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:59:59-14:00",
    "1969-12-31T23:59:59Z",
    "1999-12-31T23:59:59Z",
    "2000-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59.999999-14:00",
    "2026-01-31T12:00:00",
    "0",
    "-1e11",
    "1e20",
    "nan",
    "inf",
]
WORDS = ["nan", "inf", "-inf", "1e999", "1_0", "\u0661", "", " 1", "0x10", "1.0", "9" * 5000]


@pytest.fixture(scope="module")
def api() -> Api:
    """The API on an endpoint with a rollout under way."""
    endpoint = Endpoint()
    endpoint.serve("first")
    endpoint.serve("second")
    endpoint.release("third")
    endpoint.tick_until(Phase.OBSERVING)
    return on(endpoint.world)


def operations():
    """Method, path and what the document says of each operation."""
    endpoint = Endpoint()
    spec = document(create_app(ApiContext(endpoint.ports, lambda _: "")))
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation, spec["components"]["schemas"]


def kinds(schema, schemas):
    """The types of number and time that a schema takes."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rsplit("/", 1)[-1]]
    if schema.get("format") == "date-time":
        yield "time"
    elif schema.get("type") in ("integer", "number"):
        yield schema["type"]
    for name in ("anyOf", "oneOf", "allOf"):
        for inner in schema.get(name, ()):
            yield from kinds(inner, schemas)


def ends(schema, schemas):
    """Values at and beyond the ends of what a schema takes."""
    bounds = [
        end
        for inner in (schema, *schema.get("anyOf", ()))
        for name, end in inner.items()
        if name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
    ]
    near = [end + step for end in bounds for step in (-1, 0, 1)]
    for kind in kinds(schema, schemas):
        if kind == "time":
            yield from TIMES
        else:
            yield from [*WHOLE, *near, *(REAL if kind == "number" else ())]


def asked():
    """Every parameter and field with a number or a time, and a value for it."""
    for method, path, operation, schemas in operations():
        for parameter in operation.get("parameters", ()):
            values = list(ends(parameter["schema"], schemas))
            for value in [*values, *WORDS] if values else []:
                yield method, path, parameter["in"], parameter["name"], value
        body = operation.get("requestBody")
        if body:
            schema = body["content"]["application/json"]["schema"]
            inner = next((s for s in (schema, *schema.get("anyOf", ())) if "$ref" in s), {})
            name = inner.get("$ref", "").rsplit("/", 1)[-1]
            fields = schemas.get(name, {}).get("properties", {})
            for name, schema in fields.items():
                for value in ends(schema, schemas):
                    yield method, path, "body", name, value


CASES = list(asked())
THERE = {
    "endpoint": NAME,
    "group": "team",
    "deployment": "1",
    "model": "first",
    "number": "1",
    "alias": "challenger",
    "client": "clinic",
}


def send(api: Api, case):
    """The answer to a request with one value of interest."""
    method, path, where, name, value = case
    there = {**THERE, "rollout": api.ports.store.load(NAME).rollout.id}
    body = {name: value} if where == "body" else None
    if where == "path":
        there[name] = quote(str(value), safe="") or "%20"
    for existing, value_there in there.items():
        path = path.replace(f"{{{existing}}}", value_there)
    if where == "query":
        path += f"?{name}={quote(str(value), safe='')}"
    return api.ask(method, path, body)


def test_the_table_holds_all_there_is():
    named = {(path, name) for _, path, _, name, _ in CASES}
    assert ("/v1/endpoints/{endpoint}/metrics", "until") in named
    assert ("/v1/endpoints/{endpoint}/deployments/{deployment}", "replicas") in named
    assert ("/v1/models/{model}/audit", "since") in named


@pytest.mark.parametrize("operation", sorted({case[:2] for case in CASES}), ids=" ".join)
def test_no_number_and_no_time_is_a_fault(api: Api, operation):
    for case in CASES:
        if case[:2] == operation:
            reply = send(api, case)
            assert reply.status < 500, (case[2:4], str(case[4])[:50], reply.text)
            if reply.status == 400:
                assert reply.problem.get("field"), (case, reply.text)


@pytest.mark.parametrize("name", ["since", "until"])
@pytest.mark.parametrize("value", TIMES[:5])
def test_a_time_before_there_were_figures_is_refused_by_field(api: Api, name, value):
    reply = api.get(f"/v1/endpoints/{NAME}/metrics?{name}={quote(value)}")
    assert (reply.status, reply.problem["field"]) == (400, name)


@pytest.mark.parametrize("moment", [*TIMES, "\ud800"])
@pytest.mark.parametrize("place", ["1", "\ud800", None, [], 1e300])
@pytest.mark.parametrize("stream", ["2026/01/31/[1]a", "\ud800", ""])
def test_a_cursor_of_any_moment_is_no_fault(api: Api, moment, place, stream):
    text = json.dumps([moment, {stream: place}]).encode()
    cursor = base64.urlsafe_b64encode(text).rstrip(b"=").decode()
    reply = api.get(f"/v1/endpoints/{NAME}/logs?cursor={cursor}")
    assert reply.status < 500, reply.text


@pytest.mark.parametrize("expires", ["0s", "1ms", "365d", "366d", "9" * 400 + "d", "-1d", "1e9d"])
def test_a_token_of_any_span_is_no_fault(api: Api, expires):
    reply = api.post(f"/v1/endpoints/{NAME}/clients", {"name": "c", "expires": expires})
    assert reply.status in (201, 400, 409), reply.text


@pytest.mark.parametrize("share", [0, -1, 5e-324, 1e-300, 50, 100, 100.0000001, 1e300, "1e308 %"])
@pytest.mark.parametrize("rest", [0, 50, 100, 1e300])
def test_shares_at_their_ends_are_no_fault(api: Api, share, rest):
    reply = api.put(f"/v1/endpoints/{NAME}/traffic", {"traffic": {"champion": rest, "1": share}})
    assert reply.status < 500
    reply = api.put(f"/v1/endpoints/{NAME}/mirror", {"mirror": {"1": share}})
    assert reply.status < 500
    reply = api.ask("PATCH", f"/v1/endpoints/{NAME}/serving", {"capture": share})
    assert reply.status < 500
    reply = api.ask(
        "PATCH", f"/v1/endpoints/{NAME}/settings", {"throttle": {"rate": share, "burst": rest}}
    )
    assert reply.status < 500


PLANS = [
    {"alpha": 5e-324},
    {"alpha": 0.5, "latency_floor": "365d"},
    {"alpha": 1e-300, "latency_floor": "0.001ms"},
    {"steps": [{"weight": 0.1, "min_time": "0", "max_time": "0"}], "bake": "none"},
    {"steps": [{"weight": 99.99, "min_time": "365d", "min_requests": 2**63}], "bake": "none"},
    {"steps": [{"weight": 5, "min_requests": 10**4000}]},
    {"margins": {"errors": {"tolerance": 0, "regression": 1, "safety": 1.0000000000000002}}},
    {"margins": {"errors": {"tolerance": 5e-324, "regression": 99.99, "safety": 100}}},
    {"margins": {"errors": {"tolerance": 50, "regression": 100, "safety": 100}}},
    {"margins": {"changed": {"tolerance": 5e-324}, "latency": {"tolerance": 50}}},
]
RATES = ["", "&requests_a_second=0.001", "&requests_a_second=1e6&errors_percent=50"]
KEYS = ["", "&keys_an_hour=5e-324", "&keys_an_hour=3.6e9"]


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: json.dumps(plan)[:40])
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("keys", KEYS)
def test_a_plan_at_its_ends_is_previewed_or_refused(api: Api, plan, rate, keys):
    asked_plan = quote(json.dumps(plan))
    reply = api.get(f"/v1/endpoints/{NAME}/preview?plan={asked_plan}{rate}{keys}")
    assert reply.status in (200, 400, 409), reply.text
