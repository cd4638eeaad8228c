"""Deployments, settings, signatures, logs and figures over the API."""

import json
import shlex

import pytest

from halftone.domain.rollout.phase import Phase
from tests.support.control import on
from tests.support.deployments import served_by, write
from tests.support.engine import NAME

BASE = f"/v1/endpoints/{NAME}"
ONE, TWO = f"{BASE}/deployments/1", f"{BASE}/deployments/2"


@pytest.fixture
def endpoint():
    return served_by("m1", "m2", "m3")


@pytest.fixture
def api(endpoint):
    return on(endpoint.world)


def test_deployments_are_listed_newest_first_page_by_page(api):
    first = api.get(f"{BASE}/deployments?limit=2").json
    assert [(d["version"], d["status"]) for d in first["items"]] == [
        ("3", "Deployed"), ("2", "Deployed"),
    ]  # fmt: skip
    rest = api.get(f"{BASE}/deployments?limit=2&cursor={first['next']}").json
    assert ([d["version"] for d in rest["items"]], rest["next"]) == (["1"], None)
    assert first["items"][0]["share"] == 100.0


def test_a_deployment_is_named_and_found_by_its_name(api):
    reply = api.get(ONE)
    assert reply.json["model"] == "m1:1"
    named = api.ask("PATCH", ONE, {"name": "blue", "message": "as agreed"}, match=reply.etag)
    assert (named.status, named.json["name"]) == (200, "blue")
    assert api.get(f"{BASE}/deployments/blue").json["version"] == "1"
    late = api.ask("PATCH", ONE, {"name": "green"}, match=reply.etag)
    assert late.status == 412


def test_a_deployment_is_scaled_before_it_gets_traffic(api, endpoint):
    reply = api.ask("PATCH", TWO, {"replicas": 3})
    assert (reply.json["replicas"], reply.json["ready"]) == (3, 3)
    endpoint.world.scale.refusal = "SnapStart is on"
    refused = api.ask("PATCH", TWO, {"replicas": 5})
    assert (refused.status, "SnapStart" in refused.problem["detail"]) == (409, True)
    endpoint.world.scale.refusal = ""
    assert api.get(TWO).json["replicas"] == 3


def test_a_name_and_replicas_can_be_given_at_once(api, endpoint):
    document = api.ask("PATCH", TWO, {"name": "green", "replicas": 2}, match=api.get(TWO).etag).json
    assert (document["version"], document["name"], document["replicas"]) == ("2", "green", 2)
    assert endpoint.actions[-2:] == ["named", "scaled"]


@pytest.mark.parametrize("body", [{}, {"name": "x y"}, {"replicas": 101}, {"size": 1}])
def test_an_edit_that_can_t_be_made_changes_nothing(api, endpoint, body):
    before = endpoint.state
    assert api.ask("PATCH", ONE, body).status == 400
    assert endpoint.state == before


def test_a_deployment_is_stopped_started_and_deleted(api, endpoint):
    assert api.post(f"{ONE}/stop", {"message": "tired"}).json["message"] == "tired"
    assert api.get(ONE).json["status"] == "Stopped"
    assert api.post(f"{ONE}/start").json["status"] == "Deployed"
    reply = api.ask("DELETE", f"{ONE}?message=old")
    assert (reply.status, reply.json["deleted"]) == (200, True)
    assert api.ask("DELETE", ONE).status == 200
    assert endpoint.actions.count("deleted") == 1
    assert [d["version"] for d in api.get(f"{BASE}/deployments").json["items"]] == ["3", "2"]
    assert len(api.get(f"{BASE}/deployments?deleted=true").json["items"]) == 3


def test_a_stop_that_is_sent_again_after_a_start_stops_nothing(api):
    api.post(f"{ONE}/stop", key="stop-it-once")
    api.post(f"{ONE}/start")
    again = api.post(f"{ONE}/stop", key="stop-it-once")
    assert again.headers["idempotent-replayed"] == "true"
    assert api.get(ONE).json["status"] == "Deployed"


def test_what_requests_meet_is_409_and_says_what_to_do(api, endpoint):
    endpoint.release("m4")
    endpoint.tick_until(Phase.OBSERVING)
    for version in ("3", "4"):
        reply = api.ask("DELETE", f"{BASE}/deployments/{version}")
        assert (reply.status, reply.problem["type"]) == (409, "urn:halftone:problem:refused")
    assert "it is the champion" in api.ask("DELETE", f"{BASE}/deployments/3").problem["detail"]


def test_what_is_not_there_is_404(api):
    for method, path in [
        ("GET", f"{BASE}/deployments/9"), ("DELETE", f"{BASE}/deployments/9"),
        ("POST", f"{BASE}/deployments/9/stop"), ("GET", "/v1/endpoints/spam/deployments"),
        ("GET", "/v1/endpoints/spam/settings"), ("GET", "/v1/endpoints/spam/logs"),
        ("GET", "/v1/endpoints/spam/metrics"), ("GET", "/v1/endpoints/spam/signature"),
    ]:  # fmt: skip
        assert api.ask(method, path).status == 404, path


def test_settings_are_shown_and_edited(api, endpoint):
    reply = api.get(f"{BASE}/settings")
    assert reply.json == {
        "description": "", "tags": {}, "concurrency": None, "throttle": None, "replicas": {},
    }  # fmt: skip
    body = {"concurrency": 20, "throttle": {"rate": 100, "burst": 50}, "tags": {"team": "risk"}}
    message = api.ask("PATCH", f"{BASE}/settings", {**body, "message": "spring"}, match=reply.etag)
    assert message.json["throttle"] == {"rate": 100.0, "burst": 50}
    assert endpoint.world.scale.reserved == {NAME: 20}
    assert endpoint.history[-1].reason == "spring"
    assert api.ask("PATCH", f"{BASE}/settings", {}, match=reply.etag).status == 412
    given_back = api.ask("PATCH", f"{BASE}/settings", {"concurrency": None, "throttle": None}).json
    assert (given_back["concurrency"], given_back["tags"]) == (None, {"team": "risk"})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"concurrency": 0}, "concurrency"),
        ({"throttle": {"rate": 1}}, "throttle.burst"),
        ({"memory": 512}, "memory"),
    ],
)
def test_what_can_t_be_set_is_400_by_its_field(api, body, field):
    reply = api.ask("PATCH", f"{BASE}/settings", body)
    assert (reply.status, reply.problem["field"]) == (400, field)


def test_the_signature_comes_with_a_call_that_can_be_pasted(api, endpoint):
    document = api.get(f"{BASE}/signature").json
    assert (document["version"], document["model"]) == ("3", "m3")
    assert document["inputs"] == [{"name": "x", "type": "float64"}]
    parts = shlex.split(document["curl"])
    assert parts[0] == "curl"
    assert parts[-1] == f"https://api.example/endpoints/{NAME}/invocations"
    assert json.loads(parts[parts.index("-d") + 1]) == {"instances": [{"x": 1.0}]}
    write(endpoint, champion=None, rollout=None)
    assert api.get(f"{BASE}/signature").problem["field"] == "champion"


def test_a_private_endpoints_call_takes_a_token_from_the_shell(api, endpoint):
    serving = endpoint.state.serving
    private = type(serving)(**{**vars(serving), "access": "private"})
    from halftone.domain.traffic.policy import Access  # noqa: PLC0415

    write(endpoint, serving=type(serving)(**{**vars(private), "access": Access.PRIVATE}))
    assert '-u "$CLIENT:$TOKEN"' in api.get(f"{BASE}/signature").json["curl"]


def stream(version, number=0):
    return f"2026/01/01/[{version}]{number:032x}"


def test_logs_are_read_followed_and_taken_away(api, endpoint):
    logs, now = endpoint.world.logs, endpoint.world.clock.now()
    logs.write(NAME, stream(1), now, "one", "two")
    logs.write(NAME, stream(2), now, "three")
    document = api.get(f"{BASE}/logs?version=1&limit=1").json
    assert [(line["text"], line["version"]) for line in document["items"]] == [("two", "1")]
    logs.write(NAME, stream(1), now, "four")
    result = api.get(f"{BASE}/logs?version=1&cursor={document['cursor']}").json
    assert [line["text"] for line in result["items"]] == ["four"]
    assert result["items"][0]["at"].endswith("Z")
    listed = api.get(f"{BASE}/replicas?version=2").json
    assert [r["replica"] for r in listed["items"]] == [stream(2)]
    whole = api.get(f"{BASE}/logs/download").json
    assert whole["next"] is None
    assert [line.split(" ", 1)[1] for line in whole["text"].splitlines()] == [
        "[1] one", "[1] two", "[1] four", "[2] three",
    ]  # fmt: skip
    assert api.get(f"{BASE}/logs?cursor=x").problem["field"] == "cursor"
    assert api.get(f"{BASE}/logs?replica=x").problem["field"] == "replica"


def test_figures_are_drawn_by_version_and_model(api, endpoint):
    charts, clock = endpoint.world.charts, endpoint.world.clock
    charts.count(NAME, "3", clock.now(), Requests=1, Errors=1, Latency=12.0)
    clock.moment = clock.moment.replace(minute=30)
    document = api.get(f"{BASE}/metrics").json
    assert set(document["versions"]) == {"1", "2", "3"}
    assert sum(v or 0 for v in document["versions"]["3"]["server_errors"]) == 1
    assert len(document["endpoint"]["qps"]) == document["count"]
    narrowed = api.get(f"{BASE}/metrics?version=3&period=60&since=2025-12-31T23:30:00Z").json
    assert (narrowed["period_seconds"], list(narrowed["versions"])) == (60.0, ["3"])
    for query, field in [
        ("since=2026-01-01T00:00:00", "since"), ("since=2030-01-01T00:00:00Z", "since"),
        ("period=11", "period"), ("period=9", "period"),
    ]:  # fmt: skip
        assert api.get(f"{BASE}/metrics?{query}").problem["field"] == field
