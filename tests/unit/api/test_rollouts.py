"""Rollouts over the API: shown with their verdict, and spoken to."""

import pytest

from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import Plan
from halftone.domain.rollout.routing import Routing
from tests.support.control import BEN
from tests.support.engine import ALL_AT_ONCE, Endpoint
from tests.support.rollouts import PLAN

GATED = Plan(PLAN.stages, approve_all=True)


def test_a_rollout_is_shown_with_its_verdict_and_numbers(api, rollout):
    document = api.get(rollout).json
    assert (document["phase"], document["share"], document["stage"]) == ("observing", 5.0, 1)
    assert (document["message"], document["actor"]) == ("sharper at night", "ann")
    assert document["verdict"]["kind"] == "inconclusive"
    assert document["verdict"]["reason"]
    assert document["verdict"]["numbers"]
    assert [stage["weight"] for stage in document["plan"]["stages"]] == [5.0, 50.0, 95.0]


def test_a_message_is_the_reason_and_the_principal_the_actor(api, endpoint, rollout):
    reply = api.post(f"{rollout}/pause", {"message": "the clinic asked"}, by=BEN)
    assert (reply.status, reply.json["phase"]) == (200, "paused")
    record = endpoint.history[-1]
    assert (record.action, record.actor, record.reason) == ("paused", BEN, "the clinic asked")


def test_pause_and_resume(api, endpoint, rollout):
    api.post(f"{rollout}/pause")
    assert endpoint.phase is Phase.PAUSED
    assert api.post(f"{rollout}/resume").json["phase"] == "observing"
    assert endpoint.phase is Phase.OBSERVING


def test_promote_takes_time_and_says_where_to_look(api, endpoint, rollout):
    promoted = api.post(f"{rollout}/promote", by=BEN)
    assert (promoted.status, promoted.headers["location"]) == (202, rollout)
    endpoint.tick()
    assert api.get(rollout).json["phase"] == "promoted"
    assert api.get(rollout).json["over"] is True


def test_abort_ends_it_whatever_its_phase(api, endpoint, rollout):
    assert api.post(f"{rollout}/abort", {"message": "enough"}).json["phase"] == "rolled_back"
    assert endpoint.alias == Routing("1")


@pytest.fixture
def gated() -> Endpoint:
    """A rollout that waits for a person before its first step."""
    endpoint = Endpoint()
    endpoint.serve("first")
    endpoint.release("second", plan=Plan((), approve_all=True, bakes=False))
    endpoint.tick_until(Phase.AWAITING_APPROVAL)
    return endpoint


@pytest.fixture
def waiting(gated: Endpoint) -> str:
    assert gated.rollout is not None
    return f"/v1/endpoints/fraud/rollouts/{gated.rollout.id}"


class TestGates:
    @pytest.fixture
    def endpoint(self, gated):
        return gated

    def test_approve_names_the_gate(self, api, endpoint, waiting):
        assert api.post(f"{waiting}/approve", {"stage": 1}, by=BEN).status == 400
        assert api.post(f"{waiting}/approve", by=BEN).problem["field"] == "stage"
        assert endpoint.phase is Phase.AWAITING_APPROVAL
        approved = api.post(f"{waiting}/approve", {"stage": 0}, by=BEN)
        assert (approved.status, approved.json["phase"]) == (202, "shifting")

    def test_reject(self, api, waiting):
        assert api.post(f"{waiting}/reject", by=BEN).json["phase"] == "rolled_back"


def test_what_does_not_fit_the_phase_is_a_409_that_names_it(api, rollout):
    refused = api.post(f"{rollout}/approve", {"stage": 1}, by=BEN)
    assert refused.status == 409
    assert "is observing" in refused.problem["detail"]


def test_another_rollout_than_the_newest_is_not_spoken_to(api, endpoint, rollout):
    reply = api.post("/v1/endpoints/fraud/rollouts/fraud-0123/abort")
    assert reply.status == 409
    assert endpoint.phase is Phase.OBSERVING


def test_an_unknown_rollout_is_a_404(api):
    reply = api.get("/v1/endpoints/fraud/rollouts/fraud-0123")
    assert (reply.status, reply.problem["field"]) == (404, "rollout")


def test_the_list_has_all_the_newest_first_page_by_page(api, endpoint, rollout):
    api.post(f"{rollout}/abort")
    endpoint.release("third")
    first = api.get("/v1/endpoints/fraud/rollouts?limit=2").json
    assert [item["phase"] for item in first["items"]] == ["preparing", "rolled_back"]
    rest = api.get(f"/v1/endpoints/fraud/rollouts?limit=2&cursor={first['next']}").json
    assert [item["phase"] for item in rest["items"]] == ["promoted"]
    assert rest["next"] is None
    older = api.get(f"/v1/endpoints/fraud/rollouts/{rest['items'][0]['id']}").json
    assert (older["over"], older["plan"]["stages"]) == (True, [])


# Rollback -------------------------------------------------------------------------------------


def test_rollback_in_one_call_ends_what_rolls_out(api, endpoint):
    back = api.post("/v1/endpoints/fraud/rollback")
    assert (back.status, back.json["status"]) == (200, "Deployed")
    assert endpoint.alias == Routing("1")
    assert endpoint.phase is Phase.ROLLED_BACK


def test_rollback_to_a_version_in_one_call(api, endpoint, rollout):
    api.post(f"{rollout}/abort")
    endpoint.release("third", plan=ALL_AT_ONCE)
    endpoint.tick_until(Phase.PROMOTED)
    back = api.post("/v1/endpoints/fraud/rollback?v=1", {"message": "the old one"}, by=BEN)
    assert back.json["champion"]["version"] == "1"
    assert endpoint.alias == Routing("1")
    assert (endpoint.history[-2].actor, endpoint.history[-2].reason) == (BEN, "the old one")


def test_rollback_to_what_never_served_changes_nothing(api, endpoint, rollout):
    api.post(f"{rollout}/abort")
    before = endpoint.state
    reply = api.post("/v1/endpoints/fraud/rollback?v=9")
    assert (reply.status, reply.problem["field"], reply.problem["value"]) == (404, "version", "9")
    barred = api.post("/v1/endpoints/fraud/rollback?v=2")
    assert (barred.status, "was taken back" in barred.problem["detail"]) == (409, True)
    assert endpoint.state == before


@pytest.mark.parametrize("version", ["0", "-1", "x", "1.5", ""])
def test_no_version_of_another_form_is_taken(api, version):
    reply = api.post(f"/v1/endpoints/fraud/rollback?v={version}")
    assert (reply.status, reply.problem["field"], reply.problem["value"]) == (400, "v", version)
