"""Evidence over time, the clock, the forecast, and what one may do: what a rollout page reads."""

from datetime import datetime, timedelta

import pytest

from halftone.domain.audit import Author
from halftone.domain.rollout.phase import Phase
from halftone.service.groups import make_group
from tests.support.control import ANN, BEN
from tests.support.engine import FAILING

LONGER = timedelta(minutes=2)


@pytest.fixture
def looks(api, endpoint, rollout):
    """A rollout with several looks at it."""
    for _ in range(6):
        endpoint.traffic(timedelta(seconds=20))
        endpoint.tick()
    return f"{rollout}/evidence"


def test_each_look_is_kept_with_moment_share_and_numbers(api, looks):
    series = api.get(looks).json
    assert series["total"] == len(series["looks"]) >= 6
    moments = [each["at"] for each in series["looks"]]
    assert moments == sorted(moments)
    last = series["looks"][-1]
    assert last["until"] == series["until"]
    assert {(each["stage"], each["share"]) for each in series["looks"]} == {(1, 5.0), (2, 50.0)}
    first = [each["evidence"]["stage_requests"] for each in series["looks"] if each["stage"] == 1]
    assert first == sorted(first)
    assert first[-1] > first[0] > 0
    errors = last["evidence"]["metrics"][0]
    assert (errors["name"], errors["required"]) == ("errors", True)
    assert errors["challenger_of"] > 0


def test_the_newest_look_says_what_the_verdict_says(api, looks, rollout):
    verdict = api.get(rollout).json["verdict"]
    last = api.get(looks).json["looks"][-1]
    assert last["evidence"] == verdict["evidence"]
    assert (last["kind"], last["reason"]) == (verdict["kind"], verdict["reason"])


def test_since_answers_what_is_new_alone(api, endpoint, looks):
    first = api.get(looks).json
    since = first["until"].replace("+", "%2B")
    assert api.get(f"{looks}?since={since}").json == {
        "rollout": first["rollout"],
        "until": first["until"],
        "total": 0,
        "looks": [],
    }
    endpoint.traffic(timedelta(seconds=20))
    endpoint.tick()
    later = api.get(f"{looks}?since={since}").json
    assert later["total"] == len(later["looks"]) == 1
    assert datetime.fromisoformat(later["until"]) > datetime.fromisoformat(first["until"])


def test_points_thin_the_looks_and_keep_both_ends(api, looks):
    every, few = api.get(looks).json["looks"], api.get(f"{looks}?points=3").json
    assert len(few["looks"]) == 3
    assert few["total"] == len(every)
    assert (few["looks"][0], few["looks"][-1]) == (every[0], every[-1])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("since=yesterday", "since"),
        ("since=2026-01-01T00:00:00", "since"),
        ("points=1", "points"),
        ("points=501", "points"),
    ],
)
def test_a_query_that_can_not_be_taken_is_refused_by_its_field(api, looks, query, field):
    refused = api.get(f"{looks}?{query}")
    assert (refused.status, refused.problem["field"]) == (400, field)


def test_a_rollout_without_looks_has_no_evidence(api, endpoint, rollout):
    assert api.get(f"{rollout}x/evidence").status == 404
    first = api.get("/v1/endpoints/fraud/rollouts").json["items"][-1]["id"]
    series = api.get(f"/v1/endpoints/fraud/rollouts/{first}/evidence").json
    assert (series["total"], series["looks"], series["until"]) == (0, [], None)


def test_a_rollout_that_is_over_keeps_plan_verdict_and_evidence(api, endpoint, looks, rollout):
    endpoint.traffic(timedelta(minutes=1), challenger=FAILING)
    endpoint.tick_until(Phase.ROLLED_BACK)
    over = api.get(rollout).json
    assert (over["phase"], over["verdict"]["kind"]) == ("rolled_back", "fail")
    evidence, clock = api.get(looks).json, over["clock"]
    endpoint.serve("third")
    later = api.get(rollout).json
    assert later["may"] == {}
    assert {**later, "may": over["may"], "clock": clock} == over
    assert later["clock"]["elapsed_seconds"] == clock["elapsed_seconds"] > 0
    assert later["clock"]["waits_for"] == "nothing"
    assert [stage["weight"] for stage in later["plan"]["stages"]] == [5.0, 50.0, 95.0]
    assert api.get(looks).json == evidence


class TestClock:
    def test_it_says_what_the_step_waits_for_and_when(self, api, endpoint, rollout):
        clock = api.get(rollout).json["clock"]
        stage = api.get(rollout).json["plan"]["stages"][0]
        since = datetime.fromisoformat(api.get(rollout).json["stage_since"])
        assert clock["waits_for"] == "time"
        assert (clock["then"], clock["next_share"]) == ("step", 50.0)
        earliest = datetime.fromisoformat(clock["earliest_next"])
        latest = datetime.fromisoformat(clock["latest"])
        assert (earliest - since).total_seconds() == stage["min_seconds"]
        assert (latest - since).total_seconds() == stage["max_seconds"]
        elapsed = (endpoint.world.clock.moment - since).total_seconds()
        assert clock["elapsed_seconds"] == elapsed

    def test_it_stands_still_while_paused(self, api, endpoint, rollout):
        before = api.get(rollout).json["clock"]["elapsed_seconds"]
        api.post(f"{rollout}/pause")
        endpoint.world.clock.pass_by(LONGER)
        paused = api.get(rollout).json
        assert paused["clock"]["waits_for"] == "resume"
        assert paused["clock"]["elapsed_seconds"] == before
        assert paused["clock"]["paused_since"]
        assert (paused["clock"]["latest"], paused["eta"]) == (None, None)

    def test_its_words_are_what_the_engine_then_does(self, api, endpoint, rollout):
        """After the least time the same evidence that is waited for lets the step end."""
        met = set()
        for _ in range(200):
            document = api.get(rollout).json
            met.add(document["clock"]["waits_for"])
            if document["stage"] != 1:
                break
            endpoint.traffic(timedelta(seconds=20))
            endpoint.tick()
        assert met >= {"time"}
        assert document["share"] == 50.0


def test_the_forecast_counts_down_as_requests_come(api, endpoint, rollout):
    first = api.get(rollout).json["eta"]
    assert (first["units"], first["pace"] > 0) == ("requests", True)
    endpoint.traffic(timedelta(seconds=40))
    endpoint.tick()
    second = api.get(rollout).json["eta"]
    assert second["harmless"]["units"] < first["harmless"]["units"]
    assert first["step"]["seconds"] >= first["least"]["seconds"]
    assert first["harmless"]["seconds"] == pytest.approx(
        first["harmless"]["units"] / first["pace"], abs=1e-5
    )


class TestMay:
    def test_what_the_phase_forbids_names_the_phases_that_would_do(self, api, rollout):
        may = api.get(rollout, by=BEN).json["may"]
        assert may["pause"] == {
            "allowed": True, "why": None, "roles": [], "group": None, "phases": [],
        }  # fmt: skip
        assert (may["resume"]["why"], may["resume"]["phases"]) == ("phase", ["paused"])
        assert may["approve"]["why"] == "phase"

    def test_who_is_in_no_role_of_the_group_learns_which_would_do(self, api, endpoint, rollout):
        members = {BEN: ["admin"]}
        make_group(endpoint.ports, "team", description="", members=members, author=Author(BEN))
        assert api.put("/v1/endpoints/fraud/owner", {"owner": "team"}, by=BEN).status == 200
        may = api.get(rollout, by=ANN).json["may"]
        assert (may["abort"]["why"], may["abort"]["group"]) == ("role", "team")
        assert may["abort"]["roles"] == ["releaser", "approver", "admin"]
        assert may["promote"]["roles"] == ["approver", "admin"]
        assert api.get(rollout, by=BEN).json["may"]["abort"]["allowed"] is True

    def test_every_answer_agrees_with_what_the_operation_then_says(self, api, endpoint, rollout):
        api.post("/v1/endpoints/fraud/rollback", by=BEN)
        endpoint.release("third", actor=ANN)
        endpoint.tick_until(Phase.OBSERVING)
        here = f"/v1/endpoints/fraud/rollouts/{endpoint.rollout.id}"
        assert api.get(here, by=ANN).json["may"]["promote"]["why"] == "started"
        assert api.post(f"{here}/promote", by=ANN).status == 403
        for text in ("resume", "approve", "reject", "pause", "promote"):
            may = api.get(here, by=BEN).json["may"][text]
            body = {"stage": 1} if text == "approve" else {}
            heard = api.post(f"{here}/{text}", body, by=BEN).status in (200, 202)
            # A word that would change nothing is heard, too: resume of what runs.
            assert heard is may["allowed"] or (text == "resume" and heard), text

    def test_a_rollout_that_is_over_takes_no_word(self, api, rollout):
        api.post(f"{rollout}/abort")
        assert {one["why"] for one in api.get(rollout).json["may"].values()} == {"over"}
