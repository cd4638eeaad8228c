"""Endpoints over the API: listed, found, shown; and errors, which all have one form."""

import base64
from dataclasses import replace

import pytest

from halftone.api.checks import LONGEST
from halftone.api.errors import problem
from halftone.domain.access import EVERYWHERE
from halftone.domain.audit import Author
from halftone.domain.endpoint.ownership import Ownership
from halftone.domain.errors import (
    BrokenChain,
    ConcurrentWrite,
    Conflict,
    Forbidden,
    HalftoneError,
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    RequestInProgress,
    RoutingChanged,
    Unavailable,
    UnderWay,
)
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import Routing
from halftone.service.endpoints.retire import retire
from halftone.service.groups import make_group
from tests.support.control import ANN, BEN, Api, event, on, role
from tests.support.engine import NAME, Endpoint


@pytest.fixture
def several() -> Api:
    """Endpoints of two groups and two creators, all in the state of one."""
    endpoint = Endpoint()
    endpoint.serve("first")
    for group, member in [("clinic", "cleo"), ("bank", "bob"), (EVERYWHERE, "root")]:
        members = {role(member): ["viewer"]}
        make_group(endpoint.ports, group, description="", members=members, author=Author(ANN, ""))
    abouts = {
        "churn": Ownership(creator=role("ann", "at home"), owner="bank"),
        "fraud": Ownership(creator=BEN, owner="bank"),
        "fraud-eu": Ownership(creator=ANN, owner="clinic"),
        "xray": Ownership(creator="cloudformation/halftone", owner=None),
    }
    for name, about in abouts.items():
        state = replace(endpoint.state, endpoint=name, about=about)
        endpoint.world.store.states[name] = state
    return on(endpoint.world)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["churn", "fraud", "fraud-eu", "xray"]),
        ("?name=fraud", ["fraud", "fraud-eu"]),
        ("?name=x", ["xray"]),
        ("?name=FRAUD", []),
        ("?group=bank", ["churn", "fraud"]),
        ("?mine=true", ["churn", "fraud-eu"]),
        ("?mine=true&group=clinic&name=eu", ["fraud-eu"]),
        ("?group=nobody", []),
    ],
)
def test_endpoints_are_found(several, query, found):
    page = several.get(f"/v1/endpoints{query}").json
    assert [item["name"] for item in page["items"]] == found
    assert page["next"] is None


def drifted(endpoint, version="1"):
    """A hand that is not the engine's points the alias at ``version``."""
    functions = endpoint.world.functions
    functions.write(NAME, Routing(version), revision=None)


@pytest.fixture
def second():
    """Version 2 serves, and 1 did."""
    endpoint = Endpoint()
    endpoint.serve("first")
    endpoint.serve("second")
    return endpoint


DRIFT = "the alias reads 100 % version 1, the record version 2"


@pytest.mark.parametrize("path", ["", "/fraud", "/fraud/serving"])
def test_what_is_shown_is_what_the_alias_does_and_differences(second, path):
    def read():
        body = on(second.world).get(f"/v1/endpoints{path}").json
        return body["items"][0] if path == "" else body

    assert (read()["answering"], read()["difference"]) == ({"2": 100.0}, "")
    drifted(second)
    reading = read()
    assert (reading["answering"], reading["difference"]) == ({"1": 100.0}, DRIFT)
    if path != "/fraud/serving":
        assert reading["message"] == (
            f"{DRIFT}; version 1 100 % (the champion is version 2, {second.state.champion.package})"
        )


def test_a_page_reads_the_aliases_of_its_first_ten_endpoints(second):
    """Lambda takes 15 such calls a second of an account, and the engine needs them."""
    reads = []
    for number in range(30):
        name = f"e{number:02}"
        state = replace(second.state, endpoint=name)
        second.world.store.states[name] = state
        second.world.functions.write(name, Routing("2"), revision=None)
        second.world.functions.write(name, Routing("2"), revision=None, alias="challenger")
    both = second.world.functions.both
    second.world.functions.both = lambda name: reads.append(name) or both(name)

    items = on(second.world).get("/v1/endpoints").json["items"]

    assert reads == [f"e{number:02}" for number in range(10)]
    assert [item["difference"] for item in items] == [""] * 10 + [None] * 21


def gone(_name):
    raise NotFound("function", "halftone-test-model-fraud")


def test_a_failed_endpoint_without_its_stack_is_not_failed():
    endpoint = Endpoint()
    endpoint.offer("first", answer={"statusCode": 500, "body": "{}"})
    endpoint.release("first")
    endpoint.tick_until(Phase.FAILED)
    api = on(endpoint.world)
    failed = api.get("/v1/endpoints/fraud").json
    assert (failed["status"], "is failed:" in failed["message"]) == ("Failed", True)

    endpoint.world.functions.both = gone
    destroyed = api.get("/v1/endpoints/fraud").json
    assert destroyed["status"] == "Stopped"
    assert destroyed["message"].startswith("its function does not exist any more; ")
    assert failed["message"] in destroyed["message"]

    retire(endpoint.ports, NAME, author=Author("cloudformation/fraud", "cdk destroy"))
    retired = api.get("/v1/endpoints/fraud").json
    assert (retired["status"], retired["difference"]) == ("Stopped", None)
    assert retired["message"] == "nothing was released to it, or it was retired"


def test_an_endpoint_without_its_function_answers_nobody(second):
    second.world.functions.both = gone
    document = on(second.world).get("/v1/endpoints/fraud").json
    assert document["status"] == "Failed"
    assert document["message"].startswith("nobody answers: the function or one of its aliases does")


def test_aliases_that_cannot_be_read_are_said_to_be_unread(second):
    def fails(_name):
        raise Unavailable("AWS did not answer")

    second.world.functions.both = fails
    document = on(second.world).get("/v1/endpoints/fraud").json
    assert (document["status"], document["difference"]) == ("Deployed", None)
    assert document["message"].startswith(
        "the aliases were not read: AWS did not answer; version 2"
    )


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
@pytest.mark.parametrize("query", ["", "&name=fraud", "&group=bank"])
def test_pages_together_are_the_whole(several, limit, query):
    whole = [item["name"] for item in several.get(f"/v1/endpoints?limit=100{query}").json["items"]]
    result, cursor = [], ""
    while True:
        page = several.get(f"/v1/endpoints?limit={limit}{query}{cursor}").json
        result += [item["name"] for item in page["items"]]
        if page["next"] is None:
            break
        assert len(page["items"]) == limit
        cursor = f"&cursor={page['next']}"
    assert result == whole


@pytest.mark.parametrize(
    ("who", "found"),
    [
        ("cleo", ["fraud-eu"]),
        ("bob", ["churn", "fraud"]),
        ("root", []),
        ("stranger", []),
        ("dora", ["xray"]),
    ],
)
def test_mine_are_those_of_my_groups_and_what_i_rolled_out(several, who, found):
    """Endpoints are made by deploys, and CloudFormation does not tell whose deploy it was."""
    states = several.ports.store.states
    rollout = replace(states["xray"].rollout, actor=role("dora", "at work"))
    states["xray"] = replace(states["xray"], rollout=rollout)
    page = several.get("/v1/endpoints?mine=true", by=role(who)).json
    assert [item["name"] for item in page["items"]] == found


def test_an_endpoint_is_shown_with_its_status(api, endpoint):
    reply = api.get(f"/v1/endpoints/{NAME}")
    assert (reply.status, reply.etag) == (200, f'"{endpoint.state.revision}"')
    assert reply.json["status"] == "Deploying"
    assert reply.json["champion"]["version"] == "1"
    assert reply.json["rollout"] == endpoint.rollout.id


# Errors --------------------------------------------------------------------------------------

ERRORS = {
    InvalidInput("f", 1, "2"): 400,
    Forbidden("no"): 403,
    NotFound("endpoint", "x"): 404,
    RequestInProgress("wait"): 409,
    Conflict("no"): 409,
    UnderWay("r", "no"): 409,
    ConcurrentWrite("raced"): 409,
    RoutingChanged("raced"): 409,
    BrokenChain("x", 1, "why"): 409,
    PreconditionFailed("read again"): 412,
    IdempotencyKeyReused("another"): 422,
    Unavailable("out"): 503,
}


@pytest.mark.parametrize(("error", "status"), ERRORS.items(), ids=lambda e: type(e).__name__)
def test_every_error_has_its_status(error, status):
    assert problem(error).status_code == status


def test_the_table_has_every_error_of_the_domain():
    def below(kind):
        return {kind, *(d for child in kind.__subclasses__() for d in below(child))}

    ours = {k for k in below(HalftoneError) if k.__module__ == HalftoneError.__module__}
    assert ours - {HalftoneError} <= {type(error) for error in ERRORS} | {
        kind for error in ERRORS for kind in below(type(error))
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/v1/endpoints/nobody", 404, "not-found"),
        ("GET", "/v1/nothing", 404, "no-such-path"),
        ("GET", "/v1/endpoints/Fraud", 400, "invalid-input"),
        ("DELETE", "/v1/me", 405, "no-such-method"),
        ("GET", "/v1/endpoints?limit=0", 400, "invalid-input"),
        ("GET", "/v1/endpoints?mine=perhaps", 400, "invalid-input"),
        ("GET", "/v1/endpoints?grupo=clinic", 400, "invalid-input"),
        ("POST", f"/v1/endpoints/{NAME}/rollback?revision=1", 400, "invalid-input"),
        ("GET", f"/v1/endpoints/{NAME}/rollouts?cursor=eyJhZnRlciI6IngifQ", 400, "invalid-input"),
    ],
)
def test_every_refusal_is_a_problem_with_field_and_value(api, method, path, status, kind):
    before = api.ports.store.load(NAME)
    reply = api.ask(method, path)
    assert (reply.status, reply.problem["type"]) == (status, f"urn:halftone:problem:{kind}")
    assert reply.problem["field"]
    assert reply.problem["value"]
    assert api.ports.store.load(NAME) == before


def test_an_unknown_query_parameter_is_named_with_the_known(api):
    problem = api.get("/v1/endpoints?grupo=clinic").problem
    assert (problem["field"], problem["value"]) == ("grupo", "clinic")
    assert "known: cursor, group, limit, mine, name" in problem["expected"]


def test_a_signature_in_the_query_is_not_the_routes_business(api):
    assert api.get("/v1/endpoints?X-Amz-Algorithm=AWS4-HMAC-SHA256&limit=1").status == 200


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", None]
)
def test_a_body_that_is_not_said_to_be_json_is_a_415(api, endpoint, rollout, kind):
    before = endpoint.state
    headers = {"host": "control", "idempotency-key": "12345678"} | (
        {"content-type": kind} if kind else {}
    )
    reply = api.send(event("POST", f"{rollout}/pause", headers, '{"message": "x"}', ANN))
    assert (reply.status, reply.problem["field"]) == (415, "content-type")
    assert reply.problem.get("value") == kind
    assert endpoint.state == before


@pytest.mark.parametrize(("method", "path"), [("POST", "rollback"), ("PATCH", "serving")])
def test_a_body_that_is_longer_than_any_good_one_is_a_413(api, endpoint, method, path):
    before = endpoint.state
    reply = api.ask(method, f"/v1/endpoints/{NAME}/{path}", {"message": "x" * LONGEST})
    assert (reply.status, reply.problem["field"]) == (413, "body")
    assert reply.problem["value"] == f"{LONGEST + 15} bytes"
    assert endpoint.state == before


def test_a_method_that_is_not_there_names_those_that_are(api):
    reply = api.ask("DELETE", f"/v1/endpoints/{NAME}/owner")
    assert (reply.status, reply.headers["allow"]) == (405, "PUT")


@pytest.mark.parametrize(
    "raw",
    ["[" * 100_000, '{"message": ' + "9" * 5000 + "}", '{"message": NaN}'],
    ids=["deep", "digits", "NaN"],
)
def test_what_no_decoder_takes_is_a_body_at_fault(api, endpoint, rollout, raw):
    before = endpoint.state
    reply = api.ask("POST", f"{rollout}/pause", raw=raw)
    assert reply.problem["type"] == "urn:halftone:problem:invalid-input"
    assert reply.problem["field"] in ("body", "message")
    assert endpoint.state == before


def test_a_body_in_another_encoding_is_a_body_at_fault(api, rollout):
    headers = {
        "host": "control",
        "idempotency-key": "12345678",
        "content-type": "application/json",
    }
    sent = event("POST", f"{rollout}/pause", headers, None, ANN)
    latin = base64.b64encode('{"message": "für"}'.encode("latin-1")).decode()
    reply = api.send(sent | {"body": latin, "isBase64Encoded": True})
    assert (reply.status, reply.problem["field"]) == (400, "body")


def test_an_answer_is_json_whatever_is_accepted(api):
    headers = {"host": "control", "accept": "text/html"}
    reply = api.send(event("GET", "/v1/me", headers, None, ANN))
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")


@pytest.mark.parametrize("raw", ["", "{", "[]", "null", '"x"', '{"message": "\\ud800"}', "\x00"])
def test_a_body_that_can_t_be_read_changes_nothing(api, endpoint, rollout, raw):
    before = endpoint.state
    reply = api.ask("POST", f"{rollout}/pause", raw=raw)
    assert reply.status == 400, reply
    assert reply.problem["field"]
    assert endpoint.state == before


def test_a_fault_says_nothing_of_itself(endpoint):
    endpoint.world.store.load = _faulty
    api = on(endpoint.world)
    reply = api.get(f"/v1/endpoints/{NAME}")
    assert (reply.status, reply.problem["type"]) == (500, "urn:halftone:problem:fault")
    assert "secret" not in reply.text


def _faulty(_):
    raise RuntimeError("a secret")


def test_a_request_that_nobody_signed_is_refused(api):
    sent = event("GET", "/v1/endpoints", {"host": "control"}, None, ANN)
    for authorizer in (None, {}, {"iam": None}, {"jwt": {"claims": {"sub": "ann"}}}):
        sent["requestContext"]["authorizer"] = authorizer
        reply = api.send(sent)
        assert (reply.status, reply.problem["type"]) == (403, "urn:halftone:problem:forbidden")
