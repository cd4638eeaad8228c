"""The registry over the API: registered once, described, pointed at, audited, owned."""

import pytest

from halftone.domain.access import Group, Role, principal_of
from tests.support.control import ANN, BEN, on
from tests.support.engine import Endpoint, digest_of

MODEL = "/v1/models/m1"


@pytest.fixture
def endpoint():
    endpoint = Endpoint()
    endpoint.serve("m1")
    endpoint.offer("m2")
    return endpoint


@pytest.fixture
def api(endpoint):
    return on(endpoint.world)


def kept(endpoint, package, model="m1"):
    """The digest of another package of the model, kept and never released."""
    manifest = endpoint.world.packages.kept[digest_of("m1")]
    endpoint.world.packages.kept[digest_of(package)] = manifest
    return digest_of(package)


def test_a_package_is_registered_under_the_next_number(api, endpoint):
    digest = kept(endpoint, "more")
    body = {"digest": digest, "metrics": {"auc": 0.9}, "tags": {"team": "risk"}, "message": "may"}
    reply = api.post(f"{MODEL}/versions", body)
    assert (reply.status, reply.json["name"], reply.json["digest"]) == (201, "m1:2", digest)
    assert reply.headers["location"] == f"{MODEL}/versions/2"
    assert reply.json["validation_status"] == "PENDING"
    assert reply.json["registered_by"] == ANN
    again = api.post(f"{MODEL}/versions", {"digest": digest})
    assert (again.status, again.json["number"]) == (201, 2)


def test_the_same_request_is_answered_the_same_ever_after(api, endpoint):
    body = {"digest": kept(endpoint, "more"), "description": "first"}
    reply = api.post(f"{MODEL}/versions", body, key="register-it")
    assert api.ask("PATCH", f"{MODEL}/versions/2", {"description": "second"}).status == 200
    again = api.post(f"{MODEL}/versions", body, key="register-it")
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json == reply.json


def test_what_is_not_kept_or_is_another_models_is_refused(api, endpoint):
    reply = api.post(f"{MODEL}/versions", {"digest": "0" * 64})
    assert (reply.status, reply.problem["field"]) == (404, "package")
    other = api.post("/v1/models/m2/versions", {"digest": digest_of("m1")})
    assert (other.status, other.problem["field"]) == (400, "digest")
    assert api.get("/v1/models/m2").status == 404


def test_versions_are_listed_newest_first_page_by_page(api, endpoint):
    for package in ("a", "b", "c"):
        api.post(f"{MODEL}/versions", {"digest": kept(endpoint, package)})
    first = api.get(f"{MODEL}/versions?limit=3").json
    assert [v["number"] for v in first["items"]] == [4, 3, 2]
    rest = api.get(f"{MODEL}/versions?limit=3&cursor={first['next']}").json
    assert ([v["number"] for v in rest["items"]], rest["next"]) == ([1], None)


def test_models_are_listed_by_name_page_by_page(api, endpoint):
    endpoint.release("m2")
    first = api.get("/v1/models?limit=1").json
    assert [m["name"] for m in first["items"]] == ["m1"]
    rest = api.get(f"/v1/models?limit=1&cursor={first['next']}").json
    assert ([m["name"] for m in rest["items"]], rest["next"]) == (["m2"], None)


def test_an_alias_is_set_and_shown_and_taken_away(api):
    reply = api.get(MODEL)
    pointed = api.put(f"{MODEL}/aliases/champion", {"number": 1}, match=reply.etag)
    assert pointed.json["aliases"]["champion"] == 1
    view = api.get(f"{MODEL}/aliases/champion")
    assert (view.json["name"], view.json["aliases"]) == ("m1:1", ["challenger", "champion"])
    api.put(f"{MODEL}/aliases/champion", {"number": None})
    assert api.get(f"{MODEL}/aliases/champion").status == 404
    assert api.put(f"{MODEL}/aliases/best", {"number": 1}).status == 400


def test_of_two_edits_of_what_was_seen_one_is_412(api):
    reply = api.get(MODEL)
    won = api.ask("PATCH", f"{MODEL}/versions/1", {"tags": {"a": "1"}}, match=reply.etag)
    lost = api.ask("PATCH", f"{MODEL}/versions/1", {"tags": {"a": "2"}}, match=reply.etag)
    assert (won.status, lost.status) == (200, 412)
    assert api.get(f"{MODEL}/versions/1").json["tags"] == {"a": "1"}
    assert won.etag == api.get(MODEL).etag


def test_a_patch_takes_away_what_is_null(api):
    api.ask("PATCH", f"{MODEL}/versions/1", {"tags": {"a": "1", "b": "2"}, "metadata": {"x": [1]}})
    document = api.ask("PATCH", f"{MODEL}/versions/1", {"tags": {"a": None}, "metadata": None}).json
    assert (document["tags"], document["metadata"]) == ({"b": "2"}, {})


def test_what_can_t_be_said_is_400_by_its_field(api):
    reply = api.ask("PATCH", f"{MODEL}/versions/1", {"tags": {"validation_status": "GOOD"}})
    assert (reply.status, reply.problem["field"]) == (400, "tags.validation_status")
    assert api.ask("PATCH", f"{MODEL}/versions/9", {"description": "x"}).status == 404
    assert api.ask("PATCH", f"{MODEL}/versions/0", {"description": "x"}).status == 400


def test_the_audit_is_read_page_by_page_and_verified(api):
    api.ask("PATCH", f"{MODEL}/versions/1", {"tags": {"a": "1"}, "message": "recounted"})
    first = api.get(f"{MODEL}/audit?limit=2").json
    rest = api.get(f"{MODEL}/audit?limit=2&cursor={first['next']}").json
    actions = [record["action"] for record in first["items"] + rest["items"]]
    assert actions == ["registered", "alias", "described"]
    assert rest["items"][-1]["reason"] == "recounted"
    verified = api.get(f"{MODEL}/audit/verify").json
    assert verified == {"records": 3, "hash": rest["items"][-1]["hash"]}


def test_a_broken_audit_is_409_and_names_the_record(api, endpoint):
    records = endpoint.world.registry.records["m1"]
    records[0] = type(records[0])(**{**vars(records[0]), "actor": "nobody"})
    reply = api.get(f"{MODEL}/audit/verify")
    assert (reply.status, "record 1" in reply.problem["detail"]) == (409, True)


def test_a_model_of_a_group_is_changed_by_its_members_alone(api, endpoint):
    ann = principal_of(ANN)
    endpoint.world.groups.kept["risk"] = Group("risk", members={ann: frozenset({Role.ADMIN})})
    owned = api.put(f"{MODEL}/owner", {"owner": "risk", "message": "theirs"})
    assert (owned.status, owned.json["owner"]) == (200, "risk")
    for message in (
        api.put(f"{MODEL}/aliases/champion", {"number": 1}, by=BEN),
        api.ask("PATCH", f"{MODEL}/versions/1", {"description": "x"}, by=BEN),
        api.post(f"{MODEL}/versions", {"digest": kept(endpoint, "more")}, by=BEN),
        api.put(f"{MODEL}/owner", {"owner": None}, by=BEN),
    ):
        assert message.status == 403
    assert api.get(MODEL, by=BEN).json["aliases"] == {"challenger": 1}
    assert api.put(f"{MODEL}/aliases/champion", {"number": 1}, by=ANN).status == 200
    assert api.put(f"{MODEL}/owner", {"owner": "nobody-knows"}).status == 403
    assert api.put(f"{MODEL}/owner", {"owner": "No Name"}).status == 400


def test_an_uploaded_package_is_kept_when_it_is_registered(api, endpoint):
    digest = digest_of("fresh")
    bucket, key = endpoint.ports.uploads.place(digest)
    manifest = endpoint.world.packages.kept[digest_of("m1")]
    endpoint.world.packages.offered[bucket, key] = (digest, manifest)
    assert api.post(f"{MODEL}/versions", {"digest": digest}).json["name"] == "m1:2"
    assert endpoint.world.packages.kept[digest] == manifest


def owned_by_risk(endpoint):
    """Ann's group owns the model that ben's endpoint serves."""
    ann = principal_of(ANN)
    endpoint.world.groups.kept["risk"] = Group("risk", members={ann: frozenset({Role.ADMIN})})
    assert on(endpoint.world).put(f"{MODEL}/owner", {"owner": "risk"}).status == 200


def test_a_release_adds_no_version_to_another_group_s_model(api, endpoint):
    digest = kept(endpoint, "more")
    owned_by_risk(endpoint)
    reply = api.post("/v1/endpoints/fraud/releases", {"digest": digest}, by=BEN)
    assert (reply.status, "'risk'" in reply.problem["detail"]) == (403, True)
    assert api.get(MODEL).json["newest"] == 1
    assert endpoint.state.active is None
    assert api.post("/v1/endpoints/fraud/releases", {"digest": digest}, by=ANN).status == 202
    assert api.get(MODEL).json["aliases"] == {"challenger": 2}


def test_a_release_of_another_groups_version_moves_no_alias(api, endpoint):
    api.post(f"{MODEL}/versions", {"digest": kept(endpoint, "more")})
    owned_by_risk(endpoint)
    reply = api.post("/v1/endpoints/fraud/releases", {"model": "m1:2"}, by=BEN)
    assert reply.status == 202
    assert api.get(MODEL).json["aliases"] == {"challenger": 1}


def test_what_is_said_of_a_version_fits_into_one_item(api):
    by_name = {f"t{number}": "x" * 1000 for number in range(99)}
    assert api.ask("PATCH", f"{MODEL}/versions/1", {"tags": by_name}).status == 200
    more = api.ask("PATCH", f"{MODEL}/versions/1", {"parameters": by_name})
    assert (more.status, more.problem["field"]) == (400, "details")
    assert api.get(f"{MODEL}/versions/1").json["parameters"] == {}
