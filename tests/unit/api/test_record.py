"""The record over the API: history, audit, and what a plan would take."""

import json
from dataclasses import replace
from datetime import datetime
from urllib.parse import quote

import pytest

from halftone.domain.audit import AuditRecord, Author, verify
from halftone.domain.rollout.phase import Phase
from halftone.service.endpoints.retire import retire
from tests.support.control import ANN, on
from tests.support.engine import NAME, Endpoint

PATH = f"/v1/endpoints/{NAME}"


def test_history_tells_who_when_what_and_how_it_ended(api, endpoint):
    api.post(f"{PATH}/rollback", {"message": "too slow"})
    second, first = api.get(f"{PATH}/history").json["items"]
    assert (second["version"], second["phase"], second["serving"]) == ("2", "rolled_back", False)
    assert (second["actor"], second["message"]) == ("ann", "sharper at night")
    assert (first["version"], first["phase"], first["serving"]) == ("1", "promoted", True)
    assert not second["stopped"]
    assert first["ended_at"] < second["ended_at"]


def test_history_has_size_replicas_settings_and_every_event(api, endpoint):
    settings = {"description": "Is it fraud?", "tags": {"team": "risk"}}
    api.ask("PATCH", f"{PATH}/settings", settings)
    api.post(f"{PATH}/rollback", {"message": "too slow"})
    endpoint.serve("third")
    body = {"replicas": 2, "name": "blue"}
    api.ask("PATCH", f"{PATH}/deployments/1", body)
    api.post(f"{PATH}/deployments/1/stop", {"message": "leaks"})

    third, second, first = api.get(f"{PATH}/history").json["items"]

    assert (first["name"], first["memory"], first["replicas"]) == ("blue", 1024, 2)
    assert (third["description"], third["tags"]) == ("Is it fraud?", {"team": "risk"})
    assert (first["description"], first["tags"]) == ("", {})
    assert (first["stopped"], first["stopped_why"]) == (True, "stopped: leaks")
    actions = [event["action"] for event in first["events"]]
    assert actions[0] == "published"
    assert actions[-3:] == ["named", "scaled", "stopped"]
    assert first["events"][-1]["reason"] == "leaks"
    assert not second["stopped"]
    assert second["events"][-1]["action"] == "rolled-back"


def test_a_deleted_deployment_keeps_its_name_and_says_why(api, endpoint):
    api.post(f"{PATH}/rollback", {"message": "too slow"})
    named = {"name": "green"}
    api.ask("PATCH", f"{PATH}/deployments/2", named)
    api.ask("DELETE", f"{PATH}/deployments/green?message=cleaning")

    (entry,) = api.get(f"{PATH}/history?deployment=green").json["items"]

    assert (entry["name"], entry["deleted"], entry["stopped"]) == ("green", True, True)
    assert entry["stopped_why"] == "deleted: cleaning"
    listed = api.get(f"{PATH}/deployments?deleted=true").json["items"]
    assert listed[0]["name"] == "green"
    assert api.get(f"{PATH}/history?deployment=nope").status == 404


def test_a_deployment_that_was_taken_back_shows_its_own_reason(api):
    api.post(f"{PATH}/rollback", {"message": "too slow"})
    later = {"owner": None, "self_approval": True, "message": "later"}
    assert api.put(f"{PATH}/owner", later).status == 200
    api.post(f"{PATH}/disable", {"message": "night"})
    assert "too slow" in api.get(f"{PATH}/deployments/2").json["message"]


def test_the_sentence_of_an_endpoint_says_who_answers(api, endpoint):
    endpoint.serve("third")
    shares = {"mode": "guarded", "traffic": {"champion": 40, "1": 60}}
    assert api.ask("PATCH", f"{PATH}/serving", shares).status == 200
    endpoint.tick()
    (listed,) = api.get("/v1/endpoints").json["items"]
    assert "version 3 40 %" in listed["message"]
    assert "version 1 60 %" in listed["message"]


def test_history_comes_in_pages(api):
    page = api.get(f"{PATH}/history?limit=1").json
    assert [item["version"] for item in page["items"]] == ["2"]
    rest = api.get(f"{PATH}/history?limit=1&cursor={page['next']}").json
    assert ([item["version"] for item in rest["items"]], rest["next"]) == (["1"], None)


def test_what_served_before_the_endpoint_was_retired_is_stopped(api, endpoint):
    retire(endpoint.ports, NAME, author=Author(ANN, "moved"))
    assert all(item["stopped"] for item in api.get(f"{PATH}/history").json["items"])
    assert api.get(PATH).json["status"] == "Stopped"


@pytest.mark.parametrize("newest", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_audit_comes_whole_in_pages(api, endpoint, limit, newest):
    path, cursor, result = f"{PATH}/audit?limit={limit}&newest={newest}", "", []
    while True:
        page = api.get(path + cursor).json
        assert len(page["items"]) <= limit
        result += page["items"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    sequence = [record["seq"] for record in result]
    whole = list(range(1, endpoint.state.audit.seq + 1))
    assert sequence == (whole[::-1] if newest else whole)


@pytest.mark.parametrize(
    "cursor", ["x", "eyJh", "bnVsbA", "eyJhZnRlciI6MX0", "eyJhZnRlciI6Ii0xIn0"]
)
def test_a_cursor_that_no_page_gave_is_named(api, cursor):
    reply = api.get(f"{PATH}/audit?cursor={cursor}")
    assert (reply.status, reply.problem["field"], reply.problem["value"]) == (400, "cursor", cursor)


def test_an_export_verifies_without_halftone_s_service(api, endpoint):
    exported = api.get(f"{PATH}/audit/export")
    assert exported.headers["content-type"] == "application/x-ndjson"
    assert exported.headers["halftone-more"] == "false"
    lines = [json.loads(line) for line in exported.text.splitlines()]
    records = [AuditRecord(**{**r, "at": datetime.fromisoformat(r["at"])}) for r in lines]
    assert verify(NAME, records, endpoint.state.audit) == len(records)


def test_an_export_goes_on_after_what_is_known(api, endpoint):
    rest = api.get(f"{PATH}/audit/export?after=2").text.splitlines()
    assert json.loads(rest[0])["seq"] == 3
    assert len(rest) == endpoint.state.audit.seq - 2


def test_a_chain_verifies_or_says_where_it_breaks(api, endpoint):
    document = api.get(f"{PATH}/audit/verify").json
    assert (document["verified"], document["records"]) == (True, endpoint.state.audit.seq)
    records = endpoint.world.store.records[NAME]
    records[2] = replace(records[2], reason="nothing happened")
    document = api.get(f"{PATH}/audit/verify").json
    assert (document["verified"], document["broken_at"]) == (False, 3)
    assert document["why"]


def test_a_preview_reckons_with_the_traffic_of_the_last_hour(api, endpoint):
    document = api.get(f"{PATH}/preview").json
    assert document["plan_of"].startswith("rollout fraud-")
    assert [step["weight"] for step in document["steps"]] == [5.0, 50.0, 95.0]
    assert document["traffic"]["source"].startswith("the last hour: ")


def test_a_preview_of_a_plan_at_a_rate(api):
    value = quote(json.dumps({"steps": [{"weight": 10}], "bake": "none"}))
    document = api.get(f"{PATH}/preview?plan={value}&requests_a_second=50&errors_percent=1").json
    assert [step["weight"] for step in document["steps"]] == [10.0]
    assert document["steps"][0]["requests_a_second"] == 5.0
    assert document["traffic"]["errors_percent"] == 1.0
    assert api.get(f"{PATH}/preview?plan=gradual&requests_a_second=50").status == 200


def test_a_preview_where_a_key_draws_counts_keys(api):
    plan = quote(json.dumps({"steps": [{"mirror": 1}, {"weight": 10}], "bake": "none"}))
    value = f"plan={plan}&requests_a_second=50&keys_an_hour=3600"
    document = api.get(f"{PATH}/preview?{value}").json
    assert document["traffic"]["keys_an_hour"] == 3600
    assert [(step["counts"], step["counted_an_hour"]) for step in document["steps"]] == [
        ("requests", 1800.0), ("keys", 360.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("plan=gradual&requests_a_second=1&keys_an_hour=3601", "keys_an_hour"),
        ("keys_an_hour=0", "keys_an_hour"),
        ("plan=quick", "plan"),
        ("plan=%7B", "plan"),
        ("plan=%7B%22steps%22:3%7D", "plan.steps"),
        ("requests_a_second=0", "requests_a_second"),
        ("plan=large-model&requests_a_second=5e-324", "requests_a_second"),
        ("errors_percent=99", "errors_percent"),
    ],
)
def test_a_preview_that_can_t_be_reckoned_names_the_field(api, query, field):
    reply = api.get(f"{PATH}/preview?{query}")
    assert (reply.status, reply.problem["field"]) == (400, field)


def test_no_traffic_is_a_409_that_says_what_to_give():
    endpoint = Endpoint()
    endpoint.serve("first")
    reply = on(endpoint.world).get(f"{PATH}/preview")
    assert reply.status == 409
    assert "give a rate" in reply.problem["detail"]


def test_status_follows_what_happens(endpoint):
    api = on(endpoint.world)
    assert api.get(PATH).json["status"] == "Deploying"
    api.post(f"{PATH}/rollback", {"message": "too slow"})
    document = api.get(PATH).json
    assert document["status"] == "Deployed"
    assert "too slow" in document["message"]


def test_a_first_release_that_failed_is_failed():
    endpoint = Endpoint()
    endpoint.offer("first", {"statusCode": 500, "body": "no"})
    endpoint.release("first")
    endpoint.tick_until(Phase.FAILED)
    document = on(endpoint.world).get(PATH).json
    assert (document["status"], document["champion"]) == ("Failed", None)
    assert document["message"].startswith("first@")


def test_creator_date_and_owner_are_on_record(endpoint):
    document = on(endpoint.world).get(PATH).json
    assert (document["creator"], document["owner"]) == ("ann", None)
    assert document["created_at"] == "2026-01-01T00:00:00Z"
