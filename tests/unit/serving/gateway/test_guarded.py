"""Guarded routing: whatever a challenger does, the client has an answer, and it counts right."""

import json
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from halftone.domain.endpoint.route_table import Experiment, RouteConfig
from halftone.domain.endpoint.state import Placed
from halftone.domain.traffic.policy import (
    Capture,
    KeySource,
    Match,
    Mode,
    Portion,
    Rule,
    StickyKey,
    TrafficPolicy,
)
from halftone.serving.gateway.background import Thread
from halftone.serving.gateway.circuit_breaker import FAULTS
from halftone.serving.gateway.forwarding import hedge_after, reserve
from halftone.serving.gateway.upstream import HEARD_SECONDS, LATENCY, Reply, ReplyStatus, reply_of
from halftone.serving.http.response import Problem, to_lambda
from tests.support.fleet import Crash, Fleet, doubles, unreached

ALL = Experiment("double-r1", "2", 1, Mode.GUARDED, share=100.0)
PLACED = (Placed("1", "1"), Placed("3", "green"), Placed("4", "old", stopped="too slow"))


def fleet(trial=ALL, runs=None, **serving):
    serving = {"mode": Mode.GUARDED, **serving}
    dispatch = RouteConfig("double", 3, "1", PLACED, TrafficPolicy(**serving), trial)
    return Fleet(dispatch, {"2": doubles, **(runs or {})})


def raises(_):
    raise ValueError("secret of a request")


def crashes(_):
    raise Crash


def misfits(_):
    return [{"z": 1}]


def sleeps(_):
    time.sleep(0.8)
    return doubles(_)


def test_the_challenger_s_share_is_answered_by_it():
    stage = fleet()
    answer = stage.ask_x(4)
    assert (answer.status, answer.version) == (200, "2")
    assert answer.body == {"predictions": [{"y": 8.0, "label": "low"}]}
    assert answer.headers["x-request-id"] == "r-1.2"
    assert "x-halftone-latency-ms" not in answer.headers
    assert "x-halftone-cold" not in answer.headers
    stage.ask_x()
    cold, warm = stage.metrics(Version="2", Cohort="trial")
    assert (cold["ColdStart"], cold["Errors"], cold["Fallback"]) == (1, 0, 0)
    assert "Late" not in cold
    assert (warm["Late"], warm["Fallback"]) == (0, 0)
    assert len(stage.metrics()) == 2, "one line a request"


def test_the_champion_s_eligible_requests_are_the_control():
    stage = fleet(replace(ALL, share=0.0))
    assert stage.ask_x().version == "1"
    (line,) = stage.metrics()
    assert (line["Version"], line["Cohort"]) == ("1", "trial")


@pytest.mark.parametrize("fault", [raises, crashes, misfits])
def test_a_challenger_that_fails_is_answered_for_and_charged(fault):
    stage = fleet(runs={"2": fault})
    answer = stage.ask_x(4)
    assert (answer.status, answer.version) == (200, "1")
    assert answer.body["predictions"][0]["y"] == 8.0
    assert answer.headers["x-request-id"] == "r-1.1"
    (line,) = stage.metrics()
    assert line == {
        "Endpoint": "double",
        "Version": "2",
        "Cohort": "trial",
        "Requests": 1,
        "Errors": 1,
        "ClientErrors": 0,
        "ColdStart": 0,
        "Fallback": 1,
    }
    assert "secret" not in "".join(stage.log)


BUDGET = timedelta(milliseconds=300)
LATE = [{"Requests": 1, "Errors": 1, "ClientErrors": 0, "ColdStart": 0, "Fallback": 1}]


def values(lines):
    """Metric lines without their dimensions."""
    return [
        {name: value for name, value in line.items() if isinstance(value, int)} for line in lines
    ]


@pytest.mark.parametrize("starts", [{}, {"2": 0.8}])
def test_a_challenger_over_the_budget_is_answered_for_within_it(starts):
    stage = fleet(runs={} if starts else {"2": sleeps}, latency_budget=BUDGET)
    stage.starts, stage.afterwards = starts, Thread
    stage.ask_x(x_halftone_deployment="1")
    began = time.monotonic()
    answer = stage.ask_x()
    took = time.monotonic() - began
    assert (answer.status, answer.version) == (200, "1")
    assert took < 0.5, f"{took:.3f} s of a budget of 0.3: not the 0.8 of the challenger"
    assert stage.metrics(Version="2") == [], "what it was is known when it is over"
    until(lambda: stage.metrics(Version="2"))


def until(true):
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_cold_start_over_the_budget_is_no_fault():
    stage = fleet(latency_budget=BUDGET, key=StickyKey(KeySource.HEADER, "x-user"))
    stage.starts["2"] = 0.6
    assert stage.ask_x(x_user="ann").version == "1"
    assert values(stage.metrics(Version="2")) == [{"ColdStart": 1, "Fallback": 1}]
    assert stage.told("key") == []
    assert stage.ask_x(x_user="ann").version == "2", "it has started meanwhile"


def test_a_challenger_late_by_itself_is_charged_cold_or_not():
    stage = fleet(runs={"2": sleeps}, latency_budget=BUDGET)
    for _ in range(2):
        assert stage.ask_x().version == "1"
    assert values(stage.metrics(Version="2")) == LATE * 2


def test_a_challenger_that_crashes_while_it_starts_is_charged():
    stage = fleet(runs={"2": crashes}, latency_budget=BUDGET)
    stage.starts["2"] = 0.6
    assert stage.ask_x().version == "1"
    assert values(stage.metrics(Version="2")) == LATE


@pytest.mark.parametrize(
    ("later", "counted"),
    [
        (Reply(ReplyStatus.TIMEOUT), LATE),
        (Reply(ReplyStatus.ERROR, why="Runtime.ExitError"), LATE),
        (Reply(ReplyStatus.ANSWERED, {"statusCode": 200, "headers": {}, "body": ""}), LATE),
        (Reply(ReplyStatus.MISDIRECTED), [{"Fallback": 1}]),
        (unreached(), [{"Fallback": 1}]),
    ],
)
def test_a_late_answer_counts_for_what_it_turns_out_to_be(later, counted):
    stage = fleet(latency_budget=BUDGET)
    stage.outcomes["challenger"] = still_late(later)
    assert stage.ask_x().version == "1"
    assert values(stage.metrics(Version="2")) == counted


def still_late(*after):
    """A late reply that is still late when the budget is over, and then what comes ``after``."""

    def rest(_seconds):
        return next(replies)

    replies = iter([Reply(ReplyStatus.TIMEOUT, rest=rest), *after])
    return Reply(ReplyStatus.TIMEOUT, rest=rest)


def never(heard):
    """A reply that never comes; ``heard`` takes how long it was waited for."""

    def rest(seconds):
        heard.append(seconds)
        return Reply(ReplyStatus.TIMEOUT, rest=rest)

    return Reply(ReplyStatus.TIMEOUT, rest=rest)


def test_a_challenger_that_stays_late_is_charged_unheard():
    stage = fleet(latency_budget=BUDGET)
    stage.outcomes["challenger"] = still_late(Reply(ReplyStatus.TIMEOUT))
    assert stage.ask_x().version == "1"
    heard = []
    stage.outcomes["challenger"] = never(heard)
    for _ in range(FAULTS + 1):
        assert stage.ask_x().version == "1"
    assert len(heard) == FAULTS - 1, "within the budget alone"
    assert values(stage.metrics(Version="2")) == LATE * FAULTS + [{"Fallback": 1}] * 2


def test_a_sandbox_listens_for_a_moment_and_looks_again(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("halftone.serving.gateway.forwarding.time.time", lambda: now[0])
    heard = []
    stage = fleet(latency_budget=BUDGET)
    stage.outcomes["challenger"] = never(heard)
    for _ in range(FAULTS):
        assert stage.ask_x().version == "1"
    held = [seconds for seconds in heard if seconds > BUDGET.total_seconds()]
    assert held == [1.0], "it is busy once, and not for the whole time that a cold start may take"
    assert stage.metrics(Version="2") == [], "what they were is not known yet"
    assert stage.ask_x().version == "1"
    assert values(stage.metrics(Version="2")) == [{"Fallback": 1}], "nobody adds to what is unheard"
    now[0] += HEARD_SECONDS
    assert stage.ask_x().version == "1"
    assert values(stage.metrics(Version="2")) == [{"Fallback": 1}] * 2 + LATE * FAULTS


def test_a_cold_start_that_ended_while_asleep_is_no_fault():
    stage = fleet(latency_budget=BUDGET)
    headers = {LATENCY: "3", "x-halftone-cold": "1"}
    started = Reply(ReplyStatus.ANSWERED, {"statusCode": 200, "headers": headers, "body": "{}"})
    stage.outcomes["challenger"] = still_late(Reply(ReplyStatus.TIMEOUT, rest=lambda _: started))
    assert stage.ask_x().version == "1"
    assert stage.metrics(Version="2") == []
    del stage.outcomes["challenger"]
    assert stage.ask_x().version == "2"
    assert values(stage.metrics(Version="2"))[-1] == {"ColdStart": 1, "Fallback": 1}


@pytest.mark.parametrize("own_seconds", [0.05, 0.2])
def test_the_front_begins_its_own_answer_when_one_is_late(own_seconds):
    """So the budget holds even where the front's own answer takes most of it."""

    def slow(given):
        time.sleep(own_seconds)
        return doubles(given)

    def hangs(given):
        time.sleep(0.02 if len(request) < 20 else 2.0)
        request.append(1)
        return doubles(given)

    request = []
    stage = fleet(runs={"1": slow, "2": hangs}, latency_budget=BUDGET)
    stage.afterwards = Thread
    for _ in range(20):
        assert stage.ask_x().version == "2"
    twice = [one for one, _ in stage.seen if one == "1"]
    assert len(twice) <= 4, "few requests cost twice, by chance those that took longest"
    began = time.monotonic()
    assert stage.ask_x().version == "1"
    assert time.monotonic() - began < BUDGET.total_seconds() + 0.03


def test_an_answer_that_comes_meanwhile_is_the_clients():
    def slow(given):
        time.sleep(0.15)
        return doubles(given)

    times = iter([0.01] * 10 + [0.1] + [0.01] * 10)

    def varies(given):
        time.sleep(next(times))
        return doubles(given)

    stage = fleet(runs={"1": slow, "2": varies}, latency_budget=BUDGET)
    assert [stage.ask_x().version for _ in range(12)] == ["2"] * 12
    assert len([one for one, _ in stage.seen if one == "1"]) == 1
    assert [line["Fallback"] for line in stage.metrics()] == [0] * 12
    health = stage.get("/endpoints/double/health").body
    assert health["last_minute"]["requests"] == 0, "the front answered none of them"


def test_when_the_front_begins_its_own_answer():
    assert hedge_after(0.6, []) == 0.3
    assert hedge_after(0.6, [0.01] * 7) == 0.3
    assert hedge_after(0.6, [0.01] * 30 + [0.05, 9.0]) == 0.05
    assert hedge_after(0.6, [2.0] * 32) == 0.6, "within what it may wait at all"
    assert hedge_after(0.6, [0.0] * 32) == 0.005


def test_the_front_keeps_back_what_its_own_answers_take():
    assert reserve(1.0, []) == pytest.approx(0.01)
    assert reserve(1.0, [2.0, 100.0, 3.0]) == pytest.approx(0.16)
    assert reserve(0.1, [100.0]) == pytest.approx(0.05), "the other version gets half at least"
    assert reserve(-1.0, [100.0]) == 0.0


def test_a_wrong_request_is_the_clients_error_alone():
    stage = fleet()
    answer = stage.post({"instances": [{"x": "wide"}]})
    assert (answer.status, answer.version) == (422, "2")
    (line,) = stage.metrics()
    assert (line["Version"], line["Errors"], line["ClientErrors"]) == ("2", 0, 1)


def test_a_challenger_that_refuses_good_requests_is_charged():
    stage = fleet()
    stage.settings["max_body"] = 40  # the challenger takes less than the champion
    stage.server("2")
    stage.settings["max_body"] = 100_000
    answer = stage.post({"instances": [{"x": 4.0}] * 4})
    assert (answer.status, answer.version, len(answer.body["predictions"])) == (200, "1", 4)
    assert values(stage.metrics()) == LATE
    (message,) = [line for line in stage.lines() if line.get("event") == "hop failed"]
    assert message["why"] == "status 413 to a request that version 1 answers"
    assert stage.ask_x().version == "2", "what it takes is its own"


def test_a_stale_front_answers_and_nothing_is_counted():
    stage = fleet()
    stage.aliases["challenger"] = "1"  # rolled back, and this front does not know yet
    answer = stage.ask_x()
    assert (answer.status, answer.version) == (200, "1")
    (line,) = stage.metrics()
    assert (line["Version"], line["Errors"]) == ("1", 0)
    assert "Cohort" not in line
    assert "Fallback" not in line


def test_a_hop_that_reaches_nobody_is_no_evidence():
    stage = fleet()
    stage.outcomes["challenger"] = unreached()
    assert stage.ask_x().version == "1"
    (line,) = stage.metrics()
    assert line == {"Endpoint": "double", "Version": "2", "Cohort": "trial", "Fallback": 1}


def test_a_circuit_opens_after_faults_in_a_row():
    stage = fleet(runs={"2": raises})
    for _ in range(FAULTS + 3):
        assert stage.ask_x().status == 200
    lines = stage.metrics(Version="2")
    assert [line.get("Errors") for line in lines] == [1] * FAULTS + [None] * 3
    assert all(line["Fallback"] == 1 for line in lines)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(("part", "version"), [("champion", "1"), ("challenger", "2")])
def test_pins_by_part(mode, part, version):
    """The names of the parts are taken wherever a version or a deployment's name is."""
    stage = fleet(trial=replace(ALL, mode=mode, share=5.0), mode=mode)
    stage.server("1")
    stage.change(replace(stage.dispatch, placed=(*PLACED, Placed("2", "2"))))
    by_header = stage.ask_x(x_halftone_deployment=part)
    by_path = stage.ask_x(path=f"/endpoints/double/versions/{part}/invocations")
    reply = stage.get("/endpoints/double/health", query={"model": part})
    assert [each.version for each in (by_header, by_path)] == [version, version]
    assert reply.body["version"] == version


def test_there_is_no_challenger_without_a_rollout():
    answer = fleet(trial=None).ask_x(x_halftone_deployment="challenger")
    assert (answer.status, "there is no deployment 'challenger'" in str(answer.body)) == (404, True)


SPLIT = (Portion("3", 40.0),)


@pytest.mark.parametrize(
    ("trial", "serving", "expected"),
    [
        (None, {}, {"1": 100.0}),
        (replace(ALL, share=5.0), {}, {"1": 95.0, "2": 5.0}),
        (replace(ALL, share=5.0, mode=Mode.WEIGHTED), {}, {"1": 95.0, "2": 5.0}),
        (None, {"split": SPLIT}, {"1": 60.0, "3": 40.0}),
        (replace(ALL, share=50.0), {"split": SPLIT}, {"1": 30.0, "2": 30.0, "3": 40.0}),
        (replace(ALL, share=50.0), {"stopped": "for the night"}, {}),
    ],
)
@pytest.mark.parametrize("query", [{}, {"version": "1"}])
def test_health_says_who_answers_and_what_a_sandbox_cannot_know(trial, serving, expected, query):
    """One sandbox's last minute says nothing of the endpoint."""
    stage = fleet(trial=trial, **serving)
    reply = stage.get("/endpoints/double/health", query=query)
    if reply.status == 503 and "endpoint_now" not in reply.body:
        assert serving.get("stopped"), (
            reply.body
        )  # a stopped endpoint answers nothing that names it
        return
    now = reply.body["endpoint_now"]
    assert now["answering"] == pytest.approx(expected)
    assert (now["champion"], now["stopped"]) == ("1", serving.get("stopped", ""))
    assert now["rollout"] == (trial.rollout if trial else None)
    assert 0 <= now["read_seconds_ago"] < 60
    assert "`halftone metrics double`" in now["not_known_here"]


def test_a_champion_that_fails_too_is_told_as_it_is():
    stage = fleet(runs={"1": raises, "2": raises})
    answer = stage.ask_x()
    assert (answer.status, answer.version) == (500, "1")


@pytest.mark.parametrize("mode", Mode)
def test_a_pinned_request_gets_that_version_s_answer(mode):
    stage = fleet(mode=mode)
    by_header = stage.ask_x(x_halftone_deployment="green")
    by_path = stage.ask_x(path="/endpoints/double/versions/3/invocations")
    assert (by_header.version, by_path.version) == ("3", "3")
    assert [line["Cohort"] for line in stage.metrics()] == ["pinned", "pinned"]
    pinned = stage.get("/endpoints/double/health?version=3", x_halftone_deployment="3")
    assert pinned.status == 404, "rawPath has no query"
    health = stage.get("/endpoints/double/health", x_halftone_deployment="3")
    assert health.body["version"] == "3"
    for named in ("3", "green"):
        reply = stage.get("/endpoints/double/health", query={"version": named})
        assert (reply.status, reply.body["version"], reply.body["loaded"]) == (200, "3", True)
        assert set(reply.body["last_minute"]) == {"requests", "error_rate", "mean_latency_ms"}
        assert reply.body["last_minute"]["requests"] == 2, "those that it answered itself"
    assert stage.get("/endpoints/double/health", query={"version": "9"}).status == 404
    assert len(stage.metrics()) == 2, "a question about the server is no prediction"


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (None, 500),
        (Reply(ReplyStatus.ERROR, why="Runtime.ExitError"), 500),
        (Reply(ReplyStatus.TIMEOUT), 504),
        (unreached(), 503),
        (Reply(ReplyStatus.MISDIRECTED), 503),
    ],
)
def test_a_pinned_request_gets_that_versions_failure_alone(reply, status):
    stage = fleet(runs={"3": raises})
    if reply is not None:
        stage.outcomes["3"] = reply
    answer = stage.ask_x(x_halftone_deployment="3")
    assert (answer.status, answer.version) == (status, "3")
    assert answer.headers["x-request-id"].endswith(".3")
    (line,) = stage.metrics()
    assert (line["Version"], line["Cohort"], line["Errors"]) == ("3", "pinned", 1)


@pytest.mark.parametrize(
    "answered",
    [None, [], {}, {"statusCode": 200}, {"statusCode": "200", "body": ""}]
    + [{"statusCode": status, "body": ""} for status in (True, -1, 0, 99, 1000, 2e2)],
)
def test_what_is_no_answer_of_http_is_a_fault(answered):
    reply = reply_of(json.dumps(answered).encode(), failed=False)
    assert (reply.outcome, reply.answer) == (ReplyStatus.ERROR, None)


def test_an_application_s_own_421_is_its_answer():
    misdirected = to_lambda(Problem(421, "no").to_response(), request_id="r.3", version="3")
    assert (
        reply_of(json.dumps(misdirected).encode(), failed=False).outcome is ReplyStatus.MISDIRECTED
    )
    misdirected["headers"][LATENCY] = "1.250"
    reply = reply_of(json.dumps(misdirected).encode(), failed=False)
    assert (reply.outcome, reply.answer) == (ReplyStatus.ANSWERED, misdirected)


@pytest.mark.parametrize(("pin", "status"), [("9", 404), ("red", 404), ("old", 409), ("4", 409)])
def test_a_pin_to_nobody_says_who_there_is(pin, status):
    stage = fleet()
    answer = stage.ask_x(x_halftone_deployment=pin)
    assert answer.status == status
    assert "there are: 1, 2, green (3)" in answer.body["detail"]
    (line,) = stage.metrics()
    assert line == {"Endpoint": "double", "Version": "1", "ClientErrors": 1}


def test_a_stopped_endpoint_says_why_and_counts_nobody_s_error():
    stage = fleet(stopped="shares sum to 0")
    answer = stage.ask_x()
    assert answer.status == 503
    assert "shares sum to 0" in answer.body["detail"]
    assert stage.metrics() == []
    assert stage.get("/endpoints/double").status == 200


def test_a_rule_sends_a_team_elsewhere_and_falls_back():
    rules = (Rule(Match(headers={"x-team": ("green",)}), "3"),)
    stage = fleet(rules=rules)
    assert stage.ask_x(x_team="green").version == "3"
    stage.runs["3"] = raises
    stage.stop("3")
    assert stage.ask_x(x_team="green").version == "1"
    good, bad = stage.metrics()
    assert "Cohort" not in good
    assert (bad["Version"], bad["Errors"], bad["Fallback"]) == ("3", 1, 1)


def test_keys_are_told_once_a_stage_and_when_they_do_worse():
    trial = replace(ALL, share=100.0)
    stage = fleet(trial, key=StickyKey(KeySource.HEADER, "x-user"))
    for user in ("ann", "ben", "ann", "ann"):
        stage.ask_x(x_user=user)
    lines = stage.told("key")
    keys = {line["key"] for line in lines}
    assert len(keys) == 2
    assert all(len(key) == 16 for key in keys)
    assert {line["version"] for line in lines} == {"2"}
    assert {(line["rollout"], line["stage"]) for line in lines} == {("double-r1", 1)}
    firsts = {line["key"]: line for line in reversed(lines)}
    assert all(line["errors"] == 0 for line in firsts.values())
    before = len(lines)
    stage.ask_x(x_user="ann")
    assert len(stage.told("key")) == before, "nothing new about ann"
    stage.outcomes["challenger"] = Reply(ReplyStatus.ERROR, why="Runtime.ExitError")
    stage.ask_x(x_user="ann")
    assert stage.told("key")[-1]["errors"] == 1
    stage.change(replace(stage.dispatch, revision=4, trial=replace(trial, stage=2)))
    del stage.outcomes["challenger"]
    stage.ask_x(x_user="ann")
    assert stage.told("key")[-1]["errors"] == 0
    assert stage.told("key")[-1]["stage"] == 2
    assert "ann" not in "".join(stage.log)


def test_capture_of_a_fallback_says_who_was_meant():
    stage = fleet(runs={"2": raises}, capture=Capture(100.0), label="label")
    stage.ask_x()
    (line,) = stage.told("capture")
    assert (line["version"], line["answered_by"], line["fallback"]) == ("2", "1", True)
    assert (line["rollout"], line["stage"], line["status"]) == ("double-r1", 1, 200)
    assert line["label"] == "low"


def test_a_hanging_challenger_never_breaks_the_budget():
    """With the sandbox's own model at a third of the budget, and whatever is judged meanwhile."""

    def own(given):
        time.sleep(0.1)
        return doubles(given)

    def hangs(given):
        time.sleep(8.0)
        return doubles(given)

    stage = fleet(runs={"1": own, "2": hangs}, latency_budget=BUDGET)
    stage.afterwards = Thread
    spent = []
    for _ in range(30):
        began = time.monotonic()
        assert stage.ask_x().version == "1"
        spent.append(time.monotonic() - began)
    assert max(spent) < BUDGET.total_seconds() + 0.1, sorted(spent)[-3:]
    assert sorted(spent)[15] < 0.2, "it is left alone soon"
