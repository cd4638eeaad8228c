"""If-Match: an edit is made of what its author has seen, or not at all."""

from dataclasses import replace

import pytest

from halftone.domain.audit import Author
from halftone.service.groups import make_group
from tests.support.control import ANN, BEN
from tests.support.engine import NAME

OWNER = f"/v1/endpoints/{NAME}/owner"


def test_two_edits_of_one_state_give_one_winner_and_one_412(api, endpoint):
    etag = api.get(f"/v1/endpoints/{NAME}").etag
    first = api.put(OWNER, {"owner": None, "self_approval": True}, match=etag)
    second = api.put(OWNER, {"owner": None, "self_approval": False}, match=etag, by=BEN)
    assert (first.status, second.status) == (200, 412)
    assert second.problem["type"] == "urn:halftone:problem:outdated"
    assert endpoint.state.about.self_approval is True
    assert first.etag == api.get(f"/v1/endpoints/{NAME}").etag != etag


def test_an_edit_that_is_overtaken_while_it_is_made_is_a_412(api, endpoint):
    """Both have read the same state before either writes."""
    etag = api.get(f"/v1/endpoints/{NAME}").etag
    commit = endpoint.world.store.commit

    def overtaken(change):
        endpoint.world.store.commit = commit
        endpoint.tick()
        endpoint.trip()
        endpoint.tick()
        commit(change)

    endpoint.world.store.commit = overtaken
    reply = api.put(OWNER, {"owner": None, "self_approval": True}, match=etag)
    assert reply.status == 412
    assert endpoint.state.about.self_approval is None


def test_without_if_match_nothing_is_changed(api, endpoint):
    before = endpoint.state
    reply = api.ask("PUT", OWNER, {"owner": None, "self_approval": True}, without=("if-match",))
    assert (reply.status, reply.problem["type"]) == (428, "urn:halftone:problem:missing")
    assert endpoint.state == before


@pytest.mark.parametrize("match", ["17", '"x"', "", '"1", "2"'])
def test_an_etag_of_another_form_is_named(api, match):
    reply = api.put(OWNER, {"owner": None}, match=match)
    assert (reply.status, reply.problem["field"]) == (400, "if-match")


def test_an_edit_that_changes_nothing_is_not_recorded(api, endpoint):
    api.put(OWNER, {"owner": None, "self_approval": True})
    before = endpoint.state
    assert api.put(OWNER, {"owner": None, "self_approval": True}).status == 200
    assert endpoint.state == before


def test_a_weak_etag_is_the_same_revision(api):
    """Some proxies make one of ours."""
    etag = api.get(f"/v1/endpoints/{NAME}").etag
    assert api.put(OWNER, {"owner": None, "self_approval": True}, match=f"W/{etag}").status == 200


def test_groups_are_edited_alike_and_have_an_audit(api, endpoint):
    make_group(endpoint.ports, "clinic", description="", members={}, author=Author(ANN, "new"))
    etag = api.get("/v1/groups/clinic").etag
    body = {"members": {BEN: ["approver"]}, "message": "ben helps out"}
    assert api.put("/v1/groups/clinic", body, match=etag).status == 200
    assert api.put("/v1/groups/clinic", {"members": {}}, match=etag).status == 412
    page = api.get("/v1/groups/clinic/audit?limit=1").json
    assert [record["reason"] for record in page["items"]] == ["new"]
    rest = api.get(f"/v1/groups/clinic/audit?cursor={page['next']}").json
    assert [(r["action"], r["reason"]) for r in rest["items"]] == [
        ("group-changed", "ben helps out")
    ]
    assert rest["items"][0]["previous"] == page["items"][0]["hash"]


def test_the_audit_of_a_group_is_verified(api, endpoint):
    make_group(endpoint.ports, "clinic", description="", members={}, author=Author(ANN, "new"))
    api.put("/v1/groups/clinic", {"members": {BEN: ["approver"]}})
    reply = api.get("/v1/groups/clinic/audit/verify")
    newest = api.get("/v1/groups/clinic/audit").json["items"][-1]
    assert (reply.status, reply.json) == (200, {"records": 2, "hash": newest["hash"]})
    records = endpoint.world.groups.records["clinic"]
    records[0] = replace(records[0], reason="nothing to see")
    broken = api.get("/v1/groups/clinic/audit/verify")
    assert (broken.status, broken.problem["type"]) == (409, "urn:halftone:problem:broken-chain")


def test_a_change_of_members_says_who(api, endpoint):
    make_group(endpoint.ports, "clinic", description="", members={}, author=Author(ANN, "new"))
    api.put("/v1/groups/clinic", {"members": {BEN: ["approver"]}})
    (*_, last) = api.get("/v1/groups/clinic/audit").json["items"]
    assert last["reason"] == "added arn:aws:iam::111111111111:role/ben"


def test_an_owner_that_no_group_can_be_called_changes_nothing(api, endpoint):
    before = endpoint.state
    etag = api.get(f"/v1/endpoints/{NAME}").etag
    reply = api.put(OWNER, {"owner": "No Name", "self_approval": True}, match=etag)
    assert (reply.status, reply.problem["field"], reply.problem["value"]) == (
        400,
        "owner",
        "No Name",
    )
    assert endpoint.state == before
