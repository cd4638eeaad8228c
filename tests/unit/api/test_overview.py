"""Lists over many endpoints: summaries, rollouts of the stage, the inbox, and their calls."""

from collections import Counter
from dataclasses import fields, replace
from datetime import timedelta

import pytest

from halftone.domain.audit import Author
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import Plan
from halftone.service.groups import make_group
from tests.support.control import ANN, BEN, Api, on
from tests.support.engine import NAME, Endpoint
from tests.support.rollouts import PLAN

GATED = Plan(PLAN.stages, approve_all=True)


def copied(endpoint: Endpoint, count: int) -> list[str]:
    """The names of so many endpoints like this one, which share its rollout's id and evidence."""
    store = endpoint.world.store
    names = [f"copy-{number:03d}" for number in range(count)]
    for name in names:
        rollout = replace(endpoint.state.rollout, id=f"{name}-r")
        store.states[name] = replace(endpoint.state, endpoint=name, rollout=rollout)
        kept = store.kept[NAME, endpoint.rollout.id]
        store.kept[name, rollout.id] = replace(kept, rollout=rollout.id)
    return names


class Counting:
    """A port that counts its calls."""

    def __init__(self, port: object, name: str, calls: Counter[str]) -> None:
        self._port, self._name, self._calls = port, name, calls

    def __getattr__(self, method: str) -> object:
        self._calls[f"{self._name}.{method}"] += 1
        return getattr(self._port, method)


def counting(endpoint: Endpoint) -> tuple[Api, Counter[str]]:
    """The API in front of the endpoint's world, and the calls that it makes to ports."""
    calls: Counter[str] = Counter()
    ports = endpoint.world.ports()
    named = {field.name: getattr(ports, field.name) for field in fields(ports)}
    plain = {"metric_lag", "key_lag", "request", "new_secret", "clock"}
    counted = {n: Counting(p, n, calls) for n, p in named.items() if n not in plain}
    return Api(replace(ports, **counted)), calls


PAGES = ["/v1/endpoints?summary=true", "/v1/rollouts", "/v1/rollouts?phase=any", "/v1/inbox"]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_takes_as_many_calls_for_many_endpoints(endpoint, rollout, page):
    costs = []
    for count in (3, 40):
        copied(endpoint, count)
        api, calls = counting(endpoint)
        assert api.get(page).status == 200
        costs.append(calls)
    assert costs[0] == costs[1]
    assert sum(costs[0].values()) <= 6, costs[0]


def test_a_rollout_takes_few_calls_whatever_its_audit_holds(endpoint, rollout):
    api, calls = counting(endpoint)
    assert api.get(rollout).status == 200
    assert "store.audit" not in calls
    assert sum(calls.values()) <= 3, calls
    endpoint.world.store.records[NAME] *= 50
    calls.clear()
    api.get(f"{rollout}/evidence")
    assert sum(calls.values()) <= 2, calls


def test_the_summary_shows_the_rollout_the_rates_and_the_rights(api, endpoint, rollout):
    clock, charts = endpoint.world.clock, endpoint.world.charts
    at = clock.moment.replace(second=0)
    for second in range(300):
        moment = at + timedelta(seconds=second)
        charts.count(NAME, "1", moment, Requests=1.0, Errors=1.0 if second < 30 else 0.0)
    clock.moment = at + timedelta(minutes=5)
    [item] = api.get("/v1/endpoints?summary=true").json["items"]
    summary = item["summary"]
    assert (item["name"], item["difference"]) == (NAME, None)
    assert (summary["qps"], summary["success"]) == (1.0, 90.0)
    assert (summary["needs"], summary["poll_seconds"]) == (None, 10)
    assert summary["rollout"]["phase"] == "observing"
    assert [rung["weight"] for rung in summary["rollout"]["ladder"]] == [5.0, 50.0, 95.0]
    assert summary["may"]["release"]["why"] == "under_way"
    assert summary["may"]["edit"]["allowed"] is True


def test_a_list_that_is_not_asked_for_summaries_has_none(api, endpoint, rollout):
    [item] = api.get("/v1/endpoints").json["items"]
    assert (item["summary"], item["difference"]) == (None, "")


class TestRolloutsAcrossTheStage:
    def test_they_are_told_by_phase(self, api, endpoint, rollout):
        names = [*copied(endpoint, 2), NAME]
        found = api.get("/v1/rollouts").json["items"]
        assert [one["endpoint"] for one in found] == names
        api.post(f"{rollout}/pause")
        paused = api.get("/v1/rollouts?phase=paused").json["items"]
        assert [(one["endpoint"], one["id"]) for one in paused] == [(NAME, endpoint.rollout.id)]
        api.post(f"{rollout}/abort")
        assert len(api.get("/v1/rollouts").json["items"]) == 2
        over = api.get("/v1/rollouts?phase=any").json["items"][-1]
        assert (over["phase"], over["over"], over["ended_at"] is None) == (
            "rolled_back", True, False,
        )  # fmt: skip

    def test_they_come_page_by_page(self, api, endpoint, rollout):
        names, seen, cursor = [*copied(endpoint, 4), NAME], [], ""
        while cursor is not None:
            page = api.get(f"/v1/rollouts?{cursor}limit=2").json
            seen += [one["endpoint"] for one in page["items"]]
            cursor = page["next"] and f"cursor={page['next']}&"
        assert seen == names

    def test_a_phase_that_is_none_is_refused(self, api):
        assert api.get("/v1/rollouts?phase=lost").problem["field"] == "phase"


class TestInbox:
    @pytest.fixture
    def gated(self) -> Endpoint:
        made = Endpoint()
        made.serve("first")
        made.release("second", plan=Plan((), approve_all=True, bakes=False))
        made.tick_until(Phase.AWAITING_APPROVAL)
        return made

    def test_an_approval_waits_with_its_rights(self, gated):
        team = {BEN: ["approver"]}
        make_group(gated.ports, "team", description="", members=team, author=Author(BEN))
        [item] = on(gated.world).get("/v1/inbox", by=BEN).json["items"]
        assert (item["endpoint"], item["needs"]) == (NAME, "approval")
        assert item["may"]["approve"]["allowed"] is True
        assert item["rollout"]["clock"]["waits_for"] == "approval"

    def test_nothing_waits_where_all_goes_by_itself(self, api, rollout):
        inbox = api.get("/v1/inbox").json
        assert (inbox["items"], inbox["mine"]) == ([], 0)

    def test_what_went_back_is_shown_for_a_day(self, api, endpoint, rollout):
        api.post(f"{rollout}/abort", {"message": "enough"})
        [item] = api.get("/v1/inbox").json["items"]
        assert (item["needs"], item["detail"]) == ("rolled_back", "aborted: enough")
        endpoint.world.clock.pass_by(timedelta(days=1))
        assert api.get("/v1/inbox").json["items"] == []

    def test_the_most_urgent_is_first(self, api, endpoint, rollout):
        copied(endpoint, 1)
        states = endpoint.world.store.states
        paused = states["copy-000"]
        states["copy-000"] = replace(
            paused, rollout=replace(paused.rollout, phase=Phase.AWAITING_APPROVAL)
        )
        api.post(f"{rollout}/pause")
        needs = [item["needs"] for item in api.get("/v1/inbox").json["items"]]
        assert needs == ["approval", "paused"]


class TestConditional:
    """An answer that was read before is not sent again, and one that moved is."""

    def again(self, api: Api, path: str, etag: str) -> int:
        seen = {"if-none-match": etag}
        return api.ask("GET", path, headers=seen, by=ANN).status

    @pytest.mark.parametrize(
        "path", [*PAGES, "/v1/endpoints", f"/v1/endpoints/{NAME}/serving", "/v1/me"]
    )
    def test_what_did_not_move_is_304(self, api, rollout, path):
        etag = api.get(path).etag
        assert self.again(api, path, etag) == 304
        assert self.again(api, path, '"0-0"') == 200
        assert self.again(api, path, f'"x", {etag}') == 304

    def test_time_alone_moves_no_rollout_and_evidence_does(self, api, endpoint, rollout):
        etag = api.get(rollout).etag
        endpoint.world.clock.pass_by(timedelta(seconds=1))
        assert self.again(api, rollout, etag) == 304
        endpoint.traffic(timedelta(seconds=20))
        endpoint.tick()
        assert self.again(api, rollout, etag) == 200

    def test_an_answer_of_304_has_the_etag_and_no_body(self, api, rollout):
        etag = api.get(rollout).etag
        reply = api.ask("GET", rollout, headers={"if-none-match": etag})
        assert (reply.status, reply.text, reply.etag) == (304, "", etag)


class TestEditsBesideARollout:
    """A rollout moves the endpoint's revision on at each step, and no form that somebody fills."""

    @pytest.mark.parametrize(
        ("path", "body"),
        [("settings", {"description": "is it fraud?"}), ("serving", {"access": "private"})],
    )
    def test_an_edit_is_taken_though_the_rollout_went_on(self, api, rollout, path, body):
        form = f"/v1/endpoints/{NAME}/{path}"
        etag = api.get(form).etag
        api.post(f"{rollout}/pause")
        assert api.ask("PATCH", form, body, match=etag).status == 200
        # What was seen is no longer so: the second of two loses.
        assert api.ask("PATCH", form, body, match=etag).status == 412
