"""The OpenAPI document does not break its clients unless the changelog says so.

``openapi.released.json`` is the document as it was released last. A release replaces it by
docs/openapi.json, and takes the announcements out of the changelog's unreleased part.
"""

import json
import re
from copy import deepcopy
from pathlib import Path

import pytest

from tests.support.breaking import breaking

ROOT = Path(__file__).parents[3]
RELEASED = json.loads(Path(__file__).with_name("openapi.released.json").read_text())
NOW = json.loads((ROOT / "docs" / "openapi.json").read_text())
_ANNOUNCED = re.compile(r"Breaking API change: `([^`]+)`")


def announced() -> set[str]:
    """What the changelog's unreleased part says to break: ``Breaking API change: `<line>` ``."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    unreleased = changelog.partition("## [Unreleased]")[2].partition("\n## ")[0]
    return {*_ANNOUNCED.findall(unreleased)}


def test_what_breaks_clients_is_announced():
    unannounced = [line for line in breaking(RELEASED, NOW) if line not in announced()]
    assert not unannounced, "say in CHANGELOG.md: Breaking API change: `<line>` and what to do"


def test_what_is_announced_is_so():
    assert announced() <= {*breaking(RELEASED, NOW)}


def test_a_document_does_not_break_itself():
    assert breaking(NOW, NOW) == []


# The comparison itself: each change to a copy of the real document, and the line that it must give.

ENDPOINT = "/v1/endpoints/{endpoint}"
ROLLBACK = f"{ENDPOINT}/rollback"
RELEASES = f"{ENDPOINT}/releases"


def schema(document, name):
    return document["components"]["schemas"][name]


def field(document, shape, name):
    return schema(document, shape)["properties"][name]


def parameter(document, path, method, name):
    parameters = document["paths"][path][method]["parameters"]
    return next(p for p in parameters if p["name"] == name)


def gone(mapping, name):
    del mapping[name]


BREAKING = {
    "GET /v1/me: gone": lambda d: gone(d["paths"], "/v1/me"),
    "GET /v1/endpoints: query mine: gone": lambda d: d["paths"]["/v1/endpoints"]["get"].update(
        parameters=[
            p for p in d["paths"]["/v1/endpoints"]["get"]["parameters"] if p["name"] != "mine"
        ]
    ),
    "GET /v1/endpoints: query group: required": lambda d: parameter(
        d, "/v1/endpoints", "get", "group"
    ).update(required=True),
    "GET /v1/endpoints: query limit: maximum 100 is now 50": lambda d: parameter(
        d, "/v1/endpoints", "get", "limit"
    )["schema"].update(maximum=50),
    "GET /v1/endpoints: query limit: multipleOf None is now 5": lambda d: parameter(
        d, "/v1/endpoints", "get", "limit"
    )["schema"].update(multipleOf=5),
    "GET /v1/endpoints: query stage: new and required": lambda d: d["paths"]["/v1/endpoints"][
        "get"
    ]["parameters"].append({"in": "query", "name": "stage", "required": True, "schema": {}}),
    f"POST {RELEASES}: body.digest: no longer null": lambda d: field(
        d, "ReleaseWanted", "digest"
    ).update(anyOf=[field(d, "ReleaseWanted", "digest")["anyOf"][0]]),
    f"POST {RELEASES}: body.supersede: gone": lambda d: gone(
        schema(d, "ReleaseWanted")["properties"], "supersede"
    ),
    f"POST {RELEASES}: body.message: required": lambda d: schema(d, "ReleaseWanted").update(
        required=["message"]
    ),
    f"POST {RELEASES}: body.message: maxLength 1000 is now 10": lambda d: field(
        d, "ReleaseWanted", "message"
    ).update(maxLength=10),
    f"POST {RELEASES}: answer 202: gone": lambda d: gone(
        d["paths"][RELEASES]["post"]["responses"], "202"
    ),
    f"POST {RELEASES}: answer 201: new": lambda d: d["paths"][RELEASES]["post"]["responses"].update(
        {"201": {}}
    ),
    f"GET {ENDPOINT}: answer 200.owner: gone": lambda d: gone(
        schema(d, "Endpoint")["properties"], "owner"
    ),
    f"GET {ENDPOINT}: answer 200.owner: may be missing": lambda d: schema(d, "Endpoint")[
        "required"
    ].remove("owner"),
    f"GET {ENDPOINT}: answer 200.name: also null": lambda d: field(d, "Endpoint", "name").update(
        anyOf=[{"type": "string"}, {"type": "null"}]
    ),
    f"GET {ENDPOINT}: answer 200.revision: also string": lambda d: field(
        d, "Endpoint", "revision"
    ).update(type="string"),
    f"GET {ENDPOINT}: answer 200.champion.version: also integer": lambda d: field(
        d, "Champion", "version"
    ).update(type="integer"),
    f"GET {ENDPOINT}: answer 404: no longer application/problem+json": lambda d: d["paths"][
        ENDPOINT
    ]["get"]["responses"]["404"].update(content={}),
    f"POST {ENDPOINT}/rollback: body: required": lambda d: d["paths"][f"{ENDPOINT}/rollback"][
        "post"
    ]["requestBody"].update(required=True),
}


@pytest.mark.parametrize("line", BREAKING)
def test_what_breaks_is_found(line):
    after = deepcopy(NOW)
    BREAKING[line](after)
    assert line in breaking(NOW, after)


HARMLESS = {
    "an operation more": lambda d: d["paths"].update({"/v1/new": {"get": {"responses": {}}}}),
    "a parameter more": lambda d: d["paths"]["/v1/endpoints"]["get"]["parameters"].append(
        {"in": "query", "name": "stage", "schema": {"type": "string"}}
    ),
    "a wider bound": lambda d: parameter(d, "/v1/endpoints", "get", "limit")["schema"].update(
        maximum=200
    ),
    "a field more to send": lambda d: schema(d, "ReleaseWanted")["properties"].update(new={}),
    "a field more to read": lambda d: schema(d, "Endpoint")["properties"].update(new={}),
    "another word in an answer": lambda d: schema(d, "Status")["enum"].append("Sleeping"),
    "a sentence": lambda d: schema(d, "Endpoint").update(description="Another."),
    "an error more": lambda d: d["paths"][ENDPOINT]["get"]["responses"].update({"410": {}}),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_harmless_is_not(name):
    after = deepcopy(NOW)
    HARMLESS[name](after)
    assert breaking(NOW, after) == []
