"""Endpoints over the API: listed, found, shown; and errors, which all have one form."""

from dataclasses import replace

import pytest

from halftone.api.errors import problem
from halftone.domain.about import About
from halftone.domain.access import EVERYWHERE
from halftone.domain.errors import (
    BrokenChain,
    Forbidden,
    HalftoneError,
    InProgress,
    InvalidInput,
    KeyReused,
    NotFound,
    Outdated,
    Refused,
    RoutingChanged,
    StaleWrite,
    Unavailable,
    UnderWay,
)
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
        make_group(endpoint.parts, group, description="", members=members, actor=ANN, reason="")
    abouts = {
        "churn": About(creator=role("ann", "at home"), owner="bank"),
        "fraud": About(creator=BEN, owner="bank"),
        "fraud-eu": About(creator=ANN, owner="clinic"),
        "xray": About(creator="cloudformation/halftone", owner=None),
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


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
@pytest.mark.parametrize("query", ["", "&name=fraud", "&group=bank"])
def test_pages_together_are_the_whole(several, limit, query):
    whole = [item["name"] for item in several.get(f"/v1/endpoints?x{query}").json["items"]]
    found, cursor = [], ""
    while True:
        page = several.get(f"/v1/endpoints?limit={limit}{query}{cursor}").json
        found += [item["name"] for item in page["items"]]
        if page["next"] is None:
            break
        assert len(page["items"]) == limit
        cursor = f"&cursor={page['next']}"
    assert found == whole


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
    states = several.parts.store.states
    rollout = replace(states["xray"].rollout, actor=role("dora", "at work"))
    states["xray"] = replace(states["xray"], rollout=rollout)
    page = several.get("/v1/endpoints?mine=true", by=role(who)).json
    assert [item["name"] for item in page["items"]] == found


def test_an_endpoint_is_shown_with_its_status(api, endpoint):
    shown = api.get(f"/v1/endpoints/{NAME}")
    assert (shown.status, shown.etag) == (200, f'"{endpoint.state.revision}"')
    assert shown.json["status"] == "Deploying"
    assert shown.json["champion"]["version"] == "1"
    assert shown.json["rollout"] == endpoint.rollout.id


# Errors --------------------------------------------------------------------------------------

ERRORS = {
    InvalidInput("f", 1, "2"): 400,
    Forbidden("no"): 403,
    NotFound("endpoint", "x"): 404,
    InProgress("wait"): 409,
    Refused("no"): 409,
    UnderWay("r", "no"): 409,
    StaleWrite("raced"): 409,
    RoutingChanged("raced"): 409,
    BrokenChain("x", 1, "why"): 409,
    Outdated("read again"): 412,
    KeyReused("another"): 422,
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
    ],
)
def test_every_refusal_is_a_problem(api, method, path, status, kind):
    told = api.ask(method, path)
    assert (told.status, told.problem["type"]) == (status, f"urn:halftone:problem:{kind}")


def test_a_method_that_is_not_there_names_those_that_are(api):
    told = api.ask("DELETE", f"/v1/endpoints/{NAME}/owner")
    assert (told.status, told.headers["allow"]) == (405, "PUT")


@pytest.mark.parametrize("raw", ["", "{", "[]", "null", '"x"', '{"message": "\\ud800"}', "\x00"])
def test_a_body_that_can_t_be_read_changes_nothing(api, endpoint, rollout, raw):
    before = endpoint.state
    told = api.ask("POST", f"{rollout}/pause", raw=raw)
    assert told.status == 400, told
    assert told.problem["field"]
    assert endpoint.state == before


def test_a_fault_says_nothing_of_itself(endpoint):
    endpoint.world.store.load = _faulty
    api = on(endpoint.world)
    told = api.get(f"/v1/endpoints/{NAME}")
    assert (told.status, told.problem["type"]) == (500, "urn:halftone:problem:fault")
    assert "secret" not in told.text


def _faulty(_):
    raise RuntimeError("a secret")


def test_a_request_that_nobody_signed_is_refused(api):
    given = event("GET", "/v1/endpoints", {"host": "control"}, None, ANN)
    for authorizer in (None, {}, {"iam": None}, {"jwt": {"claims": {"sub": "ann"}}}):
        given["requestContext"]["authorizer"] = authorizer
        told = api.send(given)
        assert (told.status, told.problem["type"]) == (403, "urn:halftone:problem:forbidden")
