"""Requests that no client of good will sends: each is refused by its fault, and changes nothing."""

import base64
import json
from urllib.parse import quote

import pytest

from halftone.api import responses
from halftone.domain.access import LONGEST_ARN
from tests.support.control import ACCOUNT, Api, on
from tests.support.engine import Endpoint

BASE = "/v1/endpoints/fraud"


@pytest.mark.parametrize(
    ("asked", "raw", "field"),
    [
        (("PATCH", f"{BASE}/settings"), '{"description": "a", "description": "b"}', "description"),
        (("PATCH", f"{BASE}/settings"), '{"tags": {"a": "1", "a": "2"}}', "a"),
        (("POST", f"{BASE}/rollback"), '{"message": "a", "message": "a"}', "message"),
        (("PUT", f"{BASE}/rules"), '{"rules": [{"to": "1", "to": "2", "match": {}}]}', "to"),
    ],
)
def test_a_field_that_is_named_twice_is_refused_by_its_name(
    api: Api, endpoint: Endpoint, asked, raw, field
):
    before = endpoint.state
    reply = api.ask(*asked, raw=raw)
    assert (reply.status, reply.problem["field"]) == (400, field)
    assert "once" in reply.problem["expected"]
    assert endpoint.state == before


HALF = "\ud800"
"""Half of a surrogate pair: JSON can spell it, and neither UTF-8 nor the table can hold it."""


@pytest.mark.parametrize(
    ("asked", "body", "field"),
    [
        (("PATCH", f"{BASE}/serving"), {"salt": HALF}, "salt"),
        (("PATCH", f"{BASE}/serving"), {"stopped": HALF}, "stopped"),
        (("PATCH", f"{BASE}/serving"), {"label": HALF}, "label"),
        (("PATCH", f"{BASE}/serving"), {"key": {"query": HALF}}, "key.query"),
        (("PATCH", f"{BASE}/serving"), {"capture": {"redact": [HALF]}}, "capture.redact[0]"),
        (("PATCH", f"{BASE}/serving"), {"message": HALF}, "message"),
        (("PATCH", f"{BASE}/serving"), {HALF: 1}, "\\ud800"),
        (
            ("PUT", f"{BASE}/rules"),
            {"rules": [{"match": {"query": {"a": [HALF]}}, "to": "1"}]},
            "rules[0].match.query.a[0]",
        ),
        (
            ("PUT", f"{BASE}/rules"),
            {"rules": [{"match": {"query": {HALF: ["a"]}}, "to": "1"}]},
            "rules[0].match.query.\\ud800",
        ),
        (
            ("PUT", f"{BASE}/mirror"),
            {"mirror": {"to": "1", "share": 1, "match": {"clients": HALF}}},
            "mirror.match.clients",
        ),
        (("PUT", f"{BASE}/traffic"), {"traffic": {HALF: 100}}, "traffic.\\ud800"),
        (("PATCH", f"{BASE}/settings"), {"description": HALF}, "description"),
        (("PATCH", f"{BASE}/settings"), {"tags": {"a": HALF}}, "tags.a"),
        (("PATCH", f"{BASE}/settings"), {"tags": {HALF: "a"}}, "tags.\\ud800"),
        (("PUT", f"{BASE}/owner"), {"owner": HALF}, "owner"),
        (("POST", f"{BASE}/disable"), {"message": HALF}, "message"),
        (("POST", f"{BASE}/rollback"), {"message": HALF}, "message"),
        (("POST", f"{BASE}/clients"), {"name": HALF}, "name"),
        (("POST", f"{BASE}/releases"), {"model": HALF}, "model"),
        (("POST", f"{BASE}/releases"), {"plan": {"on_inconclusive": HALF}}, "plan.on_inconclusive"),
        (("POST", "/v1/groups"), {"name": "g", "description": HALF}, "description"),
        (("POST", "/v1/models/m/versions"), {"metadata": {"a": [HALF]}}, "metadata.a[0]"),
        (("POST", "/v1/models/m/versions"), {"parameters": {"a": HALF}}, "parameters.a"),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else None,
)
def test_a_text_that_nothing_can_store_is_refused_by_its_field(
    api: Api, endpoint: Endpoint, asked, body, field
):
    before = endpoint.state
    reply = api.ask(*asked, body)
    assert (reply.status, reply.problem["field"]) == (400, field)
    assert endpoint.state == before


@pytest.mark.parametrize("plan", [f'{{"on_inconclusive": "{chr(92)}ud800"}}', "%ED%A0%80"])
def test_a_plan_in_a_query_that_nothing_can_store_is_refused(api: Api, plan):
    reply = api.get(f"{BASE}/preview?plan=" + quote(plan, safe="%"))
    assert (reply.status, reply.problem["field"].split(".")[0]) == (400, "plan")


def test_a_query_parameter_that_comes_twice_is_refused(api: Api, endpoint: Endpoint):
    before = endpoint.state
    reply = api.post(f"{BASE}/rollback?v=1&v=9")
    assert (reply.status, reply.problem["field"], reply.problem["value"]) == (400, "v", "9")
    assert endpoint.state == before


def test_a_plan_that_is_too_deep_is_bad_input(api: Api):
    reply = api.get(f"{BASE}/preview?plan=" + quote('{"a":' + "[" * 3900))
    assert (reply.status, reply.problem["field"]) == (400, "plan")


@pytest.mark.parametrize("name", ["a" * 3000, "FRAUD", "fraud\u0301"])
@pytest.mark.parametrize("path", ["/v1/endpoints/{}/rollback", "/v1/endpoints/{}/clients"])
def test_what_can_be_no_name_is_not_looked_up(api: Api, path, name):
    reply = api.post(path.format(name))
    assert (reply.status, reply.problem["field"]) == (400, "endpoint")


def test_a_cursor_of_what_can_be_no_key_is_refused(api: Api):
    text = json.dumps({"after": "\ud800"}).encode()
    reply = api.get(f"/v1/models?cursor={base64.urlsafe_b64encode(text).decode()}")
    assert (reply.status, reply.problem["field"]) == (400, "cursor")


@pytest.mark.parametrize("newest", ["true", "false"])
def test_pages_and_pieces_end_where_an_answer_would_be_too_long(
    api: Api, endpoint: Endpoint, monkeypatch, newest
):
    whole = api.get(f"{BASE}/audit?newest={newest}").json["items"]
    monkeypatch.setattr(responses, "LARGEST", 2 * len(json.dumps(whole[0])))
    observed, path = [], f"{BASE}/audit?newest={newest}"
    while path:
        document = api.get(path).json
        assert 1 <= len(document["items"]) < len(whole)
        observed += document["items"]
        path = document["next"] and f"{BASE}/audit?newest={newest}&cursor={document['next']}"
    assert observed == whole
    lines, more = [], "true"
    while more == "true":
        piece = api.get(f"{BASE}/audit/export?after={len(lines)}")
        lines += [json.loads(line) for line in piece.text.splitlines()]
        more = piece.headers["halftone-more"]
    assert [line["seq"] for line in lines] == list(range(1, endpoint.state.audit.seq + 1))


def test_a_group_and_its_record_fit_into_one_item(endpoint: Endpoint):
    api = on(endpoint.world)
    begin = f"arn:aws:iam::{ACCOUNT}:user/"

    def arns(letter: str) -> list[str]:
        return [
            f"{begin}{number:03d}{letter * (LONGEST_ARN - len(begin) - 3)}" for number in range(200)
        ]

    roles = ["viewer", "releaser", "approver", "admin"]
    body = {"members": dict.fromkeys(arns("x"), roles)}
    assert api.post("/v1/groups", {"name": "big", **body}).status == 201
    body = {"members": dict.fromkeys(arns("y"), roles)}
    assert api.put("/v1/groups/big", body, by=arns("x")[0]).status == 200
    record = endpoint.world.groups.records["big"][-1]
    assert record.reason == "added 200 members; removed 200 members"
    assert len(json.dumps({**vars(record), "at": ""})) < 400_000
    for no_arn in (arns("y")[0] + "y", f"{begin}\u00fc"):
        reply = api.put("/v1/groups/big", {"members": {no_arn: roles}}, by=arns("y")[0])
        assert (reply.status, reply.problem["field"]) == (400, "members")
