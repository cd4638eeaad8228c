"""Releases over the API: a package goes in, and a rollout comes of it."""

from datetime import timedelta

import pytest

from halftone.domain.audit import Author
from halftone.domain.errors import Unavailable
from halftone.domain.rollout.evidence import Arm
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import PRESETS
from halftone.domain.rollout.plan_schema import load_plan
from halftone.domain.traffic.policy import Mode
from halftone.service.endpoints.retire import retire
from tests.support.control import ANN, on
from tests.support.engine import NAME, Endpoint, digest_of, manifest_of

PATH = f"/v1/endpoints/{NAME}/releases"


@pytest.fixture
def endpoint() -> Endpoint:
    """Version 1 serves."""
    endpoint = Endpoint()
    endpoint.serve("first")
    return endpoint


def uploaded(endpoint: Endpoint, model: str) -> dict[str, object]:
    """What is sent for a package that was put where an upload of it goes."""
    digest = endpoint.offer(model)
    place = endpoint.world.uploads.place(digest)
    endpoint.world.packages.offered[place] = (digest, manifest_of(model))
    return {"digest": digest}


def test_an_uploaded_package_is_released(api, endpoint):
    fields = uploaded(endpoint, "second") | {"message": "sharper at night"}
    begun = api.post(PATH, fields)
    assert begun.status == 202
    assert begun.headers["location"].endswith(begun.json["rollout"])
    document = api.get(begun.headers["location"]).json
    assert (document["phase"], document["actor"], document["message"]) == (
        "preparing",
        ANN,
        "sharper at night",
    )
    assert endpoint.world.workflow.started[begun.json["rollout"]] == NAME


def test_what_its_plan_cannot_do_is_told_with_the_release(api, endpoint):
    endpoint.traffic(timedelta(hours=1), champion=Arm(1, 0, 1))
    plan = {"steps": [{"weight": 1, "min_time": "1m", "max_time": "10m"}], "bake": "none"}
    begun = api.post(PATH, uploaded(endpoint, "second") | {"plan": plan})
    assert begun.status == 202
    (message, *_) = begun.json["warnings"]
    assert message.startswith("step 1 gives the challenger 0.001 requests a second")
    assert begun.json["warnings"] == api.get(f"/v1/endpoints/{NAME}/preview").json["warnings"]


def test_a_release_does_not_fail_for_the_sake_of_its_warnings(api, endpoint):
    endpoint.world.metrics.buckets = _out
    begun = api.post(PATH, uploaded(endpoint, "second"))
    assert (begun.status, begun.json["warnings"]) == (202, [])


def _out(*_: object, **__: object) -> None:
    raise Unavailable("the metrics are out")


def test_leave_to_upload_names_the_place_a_release_looks_at(api, endpoint):
    digest = digest_of("second")
    leave = api.post(f"/v1/endpoints/{NAME}/uploads", {"digest": digest})
    assert leave.status == 201
    assert (leave.json["bucket"], leave.json["key"]) == endpoint.world.uploads.place(digest)


def test_a_package_may_be_somewhere_else(api, endpoint):
    endpoint.offer("second")
    body = {"digest": digest_of("second"), "bucket": "assets", "key": "second.zip"}
    assert api.post(PATH, body).status == 202


def test_a_package_that_was_released_before_needs_no_upload(api, endpoint):
    api.post(PATH, uploaded(endpoint, "second"))
    api.post(f"/v1/endpoints/{NAME}/rollback")
    endpoint.world.packages.offered.clear()
    assert api.post(PATH, {"digest": digest_of("second")}).status == 202


def test_the_registry_s_words_name_a_package(api, endpoint):
    assert api.post(PATH, {"model": "first:1"}).json["rollout"] is None
    assert api.post(PATH, {"model": "first:7"}).status == 404


def test_what_serves_already_starts_nothing(api, endpoint):
    reply = api.post(PATH, {"digest": digest_of("first")})
    assert (reply.status, reply.json["rollout"]) == (200, None)


def test_one_that_rolls_out_is_named_unless_it_is_superseded(api, endpoint):
    running = api.post(PATH, uploaded(endpoint, "second")).json["rollout"]
    refused = api.post(PATH, uploaded(endpoint, "third"))
    assert (refused.status, refused.problem["rollout"]) == (409, running)
    assert endpoint.rollout.id == running
    superseding = api.post(PATH, uploaded(endpoint, "third") | {"supersede": True})
    assert superseding.status == 202
    assert endpoint.rollout.id == superseding.json["rollout"] != running


def test_a_plan_may_come_along(api, endpoint):
    api.post(PATH, uploaded(endpoint, "second") | {"plan": {"steps": [{"weight": 10}]}})
    assert endpoint.rollout.plan.stages[0].weight == 10.0


def test_without_one_it_is_the_plan_of_the_last_release(api, endpoint):
    api.post(PATH, uploaded(endpoint, "second") | {"plan": {"steps": [{"weight": 10}]}})
    api.post(f"/v1/endpoints/{NAME}/rollback")
    api.post(PATH, uploaded(endpoint, "third"))
    assert endpoint.rollout.plan.stages[0].weight == 10.0


def test_after_a_return_it_is_not_the_return_s(api, endpoint):
    """Which goes at once: nobody has asked for that."""
    api.post(PATH, uploaded(endpoint, "second") | {"plan": "all-at-once"})
    endpoint.tick_until(Phase.PROMOTED)
    api.post(f"/v1/endpoints/{NAME}/rollback?v=1")
    api.post(PATH, uploaded(endpoint, "third"))
    assert endpoint.rollout.plan == PRESETS["gradual"]


SOME = {"headers": {"x-tier": ["gold"]}}
SCORED = {"steps": [{"mirror": 10, "match": SOME}, {"weight": 5}]}
FOR_SOME = {"steps": [{"weight": 5, "match": SOME}]}


def test_a_plan_may_score_unseen_and_say_whose_requests(api, endpoint):
    begun = api.post(PATH, uploaded(endpoint, "second") | {"plan": SCORED})
    assert begun.status == 202
    first, second, _ = api.get(begun.headers["location"]).json["plan"]["stages"]
    assert (first["mirror"], first["weight"], first["match"]) == (10.0, 0.0, SOME)
    assert (second["mirror"], second["weight"], second["match"]) == (0.0, 5.0, None)


def test_a_plan_the_mode_cant_follow_is_refused_before_upload(api, endpoint):
    fields = uploaded(endpoint, "second") | {"plan": FOR_SOME}
    before = (endpoint.state, endpoint.world.packages.kept.copy())
    reply = api.post(PATH, fields)
    assert (reply.status, reply.problem["field"]) == (400, "plan.steps[0].match")
    assert reply.problem["value"] == str(SOME)
    assert (endpoint.state, endpoint.world.packages.kept) == before
    endpoint.serving(mode=Mode.GUARDED)
    assert api.post(PATH, fields).status == 202


def test_a_release_asked_again_in_another_mode_is_the_same(endpoint):
    endpoint.serving(mode=Mode.GUARDED)
    begun = endpoint.release("second", plan=load_plan(FOR_SOME))
    endpoint.serving(mode=Mode.WEIGHTED)
    assert endpoint.release("second", plan=load_plan(FOR_SOME)) == begun


@pytest.mark.parametrize(
    ("wanted", "field", "value"),
    [
        ({}, "digest", None),
        ({"digest": "abc"}, "digest", "abc"),
        ({"digest": "0" * 64, "model": "m:1"}, "model", "m:1"),
        ({"model": "m"}, "model", "m"),
        ({"digest": "0" * 64, "bucket": "b"}, "key", None),
        ({"digest": "0" * 64, "key": "k"}, "bucket", None),
        ({"digest": digest_of("first"), "plan": "quick"}, "plan", "quick"),
        (
            {"digest": digest_of("first"), "plan": {"steps": [{"weight": 200}]}},
            "plan.steps[0].weight",
            200,
        ),
        ({"digest": "0" * 64, "suprsede": True}, "suprsede", True),
        ({"digest": "0" * 64, "supersede": "yes"}, "supersede", "yes"),
        ({"digest": "0" * 64, "message": "x" * 1001}, "message", "x" * 200 + "..."),
    ],
)
def test_what_can_t_be_taken_is_named_and_changes_nothing(api, endpoint, wanted, field, value):
    before = (endpoint.state, endpoint.world.packages.kept.copy())
    reply = api.post(PATH, wanted)
    assert (reply.status, reply.problem["field"], reply.problem.get("value")) == (400, field, value)
    assert (endpoint.state, endpoint.world.packages.kept) == before


def test_a_package_that_is_not_there_is_a_404_with_its_place(api, endpoint):
    reply = api.post(PATH, {"digest": "0" * 64})
    assert (reply.status, reply.problem["field"]) == (404, "package")


def test_other_bytes_than_the_digest_s_are_refused(api, endpoint):
    endpoint.offer("second")
    reply = api.post(PATH, {"digest": "0" * 64, "bucket": "assets", "key": "second.zip"})
    assert (reply.status, reply.problem["field"]) == (400, "digest")


def test_an_endpoint_that_no_deploy_has_made_takes_no_release(api):
    reply = api.post("/v1/endpoints/other/releases", {"digest": "0" * 64})
    assert (reply.status, reply.problem["value"]) == (404, "other")


def test_one_whose_stack_is_gone_says_what_to_do(endpoint):
    retire(endpoint.ports, NAME, author=Author(ANN, "moved"))
    reply = on(endpoint.world).post(PATH, {"digest": digest_of("first")})
    assert reply.status == 409
    assert "cdk deploy" in reply.problem["detail"]
