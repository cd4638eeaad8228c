"""What a hop carries, what a failed one leaves in the log, and who is said to have answered."""

import base64
import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from halftone.domain.endpoint.route_table import Experiment, RouteConfig
from halftone.domain.endpoint.state import Placed
from halftone.domain.traffic.clients import RANDOM_BYTES, new_token
from halftone.domain.traffic.policy import Access, Capture, Client, Mode, TrafficPolicy
from halftone.serving.gateway.exchange import Outcome, RemoteExchange, of_reply
from halftone.serving.gateway.forwarding import hedge_after
from halftone.serving.gateway.upstream import LATENCY, Reply, ReplyStatus
from halftone.serving.http.response import Spoken
from tests.support.fleet import Fleet, doubles, unreached

TOKEN, TOKEN_ID, DIGEST = new_token(bytes(range(RANDOM_BYTES)))
ANN = Client("shop", TOKEN_ID, DIGEST, datetime.now(UTC), "ann")
ALL = Experiment("double-r1", "2", 1, Mode.GUARDED, share=100.0)
NONE = replace(ALL, share=0.0)
BUDGET = timedelta(milliseconds=300)
KEPT = {"capture": Capture(100.0)}


def fleet(trial=ALL, runs=None, kind=Fleet, **serving):
    policy = TrafficPolicy(mode=Mode.GUARDED, **serving)
    placed = (Placed("1", "1"), Placed("2", "2"))
    return kind(RouteConfig("double", 3, "1", placed, policy, trial), runs or {})


def fails(_):
    raise ValueError("secret")


def failures(stage):
    """The lines about hops that failed."""
    return [line for line in stage.lines() if line.get("event") == "hop failed"]


# What both refuse, and what a stale arm sends back ----------------------------------------------


def test_what_both_refuse_with_400_is_the_arms_answer():
    stage = fleet()
    answer = stage.post("{broken")
    assert (answer.status, answer.version) == (400, "2")
    (line,) = stage.metrics()
    assert (line["Version"], line["ClientErrors"], line["Fallback"]) == ("2", 1, 0)
    assert failures(stage) == []
    assert stage.ask_x().version == "2", "its circuit is closed"


@pytest.mark.parametrize(("status", "version"), [(399, "2"), (400, "1"), (413, "1"), (499, "1")])
def test_a_refusal_begins_at_400(status, version):
    stage = fleet()
    headers = {"x-halftone-version": "2", "x-request-id": "r-1.2"}
    refused = {"statusCode": status, "headers": headers, "body": "{}"}
    stage.outcomes["challenger"] = Reply(ReplyStatus.ANSWERED, refused)
    assert stage.ask_x().version == version
    (line,) = stage.metrics()
    assert (line["Version"], line["Fallback"]) == ("2", int(version == "1"))


def test_an_answer_for_a_stale_arm_is_the_fronts_own():
    stage = fleet(**KEPT)
    stage.aliases["challenger"] = "1"
    assert stage.ask_x().version == "1"
    (line,) = stage.told("capture")
    assert line["answered_by"] == "1"
    assert line["fallback"] is False


def test_a_stale_arm_makes_the_front_read_its_routes_again():
    stage = fleet()
    stage.server("1")
    stage.aliases["challenger"] = "1"
    stage.source.dispatch = replace(stage.dispatch, revision=4, trial=None)
    request = []
    hop = stage.ask
    stage.ask = lambda *words: request.append(1) or hop(*words)
    for _ in range(3):
        assert stage.ask_x().version == "1"
    assert len(request) <= 1


# What a failed hop leaves -----------------------------------------------------------------------


def test_a_failed_hop_is_logged_with_version_and_request():
    stage = fleet(runs={"2": fails}, **KEPT)
    assert stage.ask_x().version == "1"
    (line,) = failures(stage)
    assert (line["version"], line["request_id"]) == ("2", "r-1")
    (stored,) = stage.told("capture")
    assert (stored["version"], stored["answered_by"], stored["fallback"]) == ("2", "1", True)


def test_a_hop_that_reached_nobody_is_not_logged_as_failed():
    stage = fleet()
    stage.outcomes["challenger"] = unreached()
    stage.ask_x()
    assert failures(stage) == []


def test_a_refusal_the_front_does_not_share_is_logged():
    stage = fleet(**KEPT)
    stage.settings["max_body"] = 40
    stage.server("2")
    stage.settings["max_body"] = 100_000
    assert stage.post({"instances": [{"x": 4.0}] * 4}).version == "1"
    (line,) = failures(stage)
    assert (line["version"], line["request_id"]) == ("2", "r-1")
    assert stage.told("capture")[0]["fallback"] is True


@pytest.mark.parametrize("trial", [ALL, NONE])
def test_a_fault_of_the_fronts_own_model_is_its_error(trial):
    stage = fleet(trial, runs={"1": fails, "2": fails})
    assert stage.ask_x().status == 500
    faults = [line for line in stage.lines() if line.get("version") == "1" and "_aws" not in line]
    assert {line["request_id"] for line in faults} == {"r-1"}
    health = stage.get("/endpoints/double/health").body["last_minute"]
    assert (health["requests"], health["error_rate"]) == (1, 1.0)


def test_the_time_of_the_fronts_answer_is_without_the_hop():
    def slowly(given):
        time.sleep(0.2)
        fails(given)

    stage = fleet(runs={"2": slowly})
    assert stage.ask_x().version == "1"
    health = stage.get("/endpoints/double/health").body["last_minute"]
    assert 0 < health["mean_latency_ms"] < 150


def test_the_fronts_own_answers_say_whether_it_had_just_started():
    stage = fleet(NONE)
    stage.ask_x()
    stage.ask_x()
    assert [line["ColdStart"] for line in stage.metrics(Version="1")] == [1, 0]
    assert "Late" not in stage.metrics(Version="1")[0]


# What a hop carries -----------------------------------------------------------------------------


@pytest.mark.parametrize(("trial", "version"), [(ALL, "2"), (NONE, "1")])
def test_whoever_answers_is_told_the_clients_name(trial, version):
    stage = fleet(trial, access=Access.PRIVATE, clients=(ANN,))
    answer = stage.ask_x(authorization=f"Bearer {TOKEN}")
    assert answer.version == version
    ((seen_by, context),) = stage.seen
    assert (seen_by, context.client) == (version, "shop")


def test_an_answers_id_ends_in_its_label_whoever_gave_it():
    ids = {
        trial.share: fleet(trial, label="label").ask_x().headers["x-request-id"].split(".")
        for trial in (ALL, NONE)
    }
    assert [one[:2] for one in ids.values()] == [["r-1", "2"], ["r-1", "1"]]
    assert ids[100.0][2] == ids[0.0][2]
    assert len(ids[0.0][2]) == 8


def test_without_a_label_nothing_is_appended_to_the_id():
    unlabelled = {"1": lambda given: [{"y": 1.0, "label": None} for _ in given]}
    stage = fleet(NONE, unlabelled, label="other")
    assert stage.ask_x().headers["x-request-id"] == "r-1.1"


class Timed(Fleet):
    """Notes how long each hop may take."""

    def ask(self, qualifier, event, seconds):
        self.waits = [*getattr(self, "waits", []), seconds]
        return super().ask(qualifier, event, seconds)


def test_a_hop_has_half_of_the_budget_at_first():
    stage = fleet(kind=Timed, latency_budget=BUDGET)
    stage.ask_x()
    assert stage.waits[0] == pytest.approx((0.3 - 0.01) / 2, abs=0.004)


def test_eight_answers_are_enough_to_know_what_is_usual():
    assert hedge_after(0.6, [0.01] * 8) == 0.01


# A late reply -----------------------------------------------------------------------------------


class Full:
    """Background tasks that take no more."""

    def add(self, _):
        return False

    def answered(self):
        pass


def test_a_late_arm_is_charged_at_once_where_nobody_can_listen():
    heard = []

    def rest(seconds):
        heard.append(seconds)
        return Reply(ReplyStatus.TIMEOUT, rest=rest)

    stage = fleet(latency_budget=BUDGET)
    stage.afterwards = Full
    stage.outcomes["challenger"] = Reply(ReplyStatus.TIMEOUT, rest=rest)
    assert stage.ask_x().version == "1"
    assert [line.get("Errors") for line in stage.metrics(Version="2")] == [1]
    waits = len(heard)
    stage.outcomes["challenger"] = unreached()
    stage.ask_x()
    assert len(heard) == waits
    assert len(stage.metrics(Version="2")) == 2


@pytest.mark.parametrize(("took", "counted"), [("300", {"ColdStart": 1}), ("300.2", {"Errors": 1})])
def test_a_cold_start_counts_by_the_time_of_the_request_itself(took, counted):
    headers = {LATENCY: took, "x-halftone-cold": "1"}
    started = Reply(ReplyStatus.ANSWERED, {"statusCode": 200, "headers": headers, "body": "{}"})
    replies = iter([Reply(ReplyStatus.TIMEOUT, rest=lambda _: started)])
    stage = fleet(latency_budget=BUDGET)
    stage.outcomes["challenger"] = Reply(ReplyStatus.TIMEOUT, rest=lambda _: next(replies))
    assert stage.ask_x().version == "1"
    (line,) = stage.metrics(Version="2")
    assert counted.items() <= line.items()
    assert ("Errors" in line) is ("Errors" in counted)


# A pinned request -------------------------------------------------------------------------------


def test_a_pinned_request_that_reached_nobody_is_a_503():
    stage = fleet(NONE, **KEPT)
    stage.outcomes["2"] = unreached()
    answer = stage.ask_x(x_halftone_deployment="2")
    assert (answer.status, answer.version) == (503, "2")
    assert answer.body["detail"] == "version 2 can't be reached now"
    assert answer.headers["content-type"] == "application/problem+json"
    (line,) = stage.metrics()
    assert (line["Version"], line["Errors"], line["ColdStart"]) == ("2", 1, 0)
    assert stage.told("capture")[0]["answered_by"] == "2"


def test_a_pinned_answer_is_without_what_is_for_the_front_alone():
    stage = fleet(NONE, **KEPT)
    answer = stage.ask_x(x_halftone_deployment="2")
    assert (answer.status, answer.version) == (200, "2")
    assert not [name for name in answer.headers if "latency" in name or "cold" in name]
    assert stage.told("capture")[0]["answered_by"] == "2"


def test_a_pinned_request_in_tensors_fails_in_its_protocol():
    stage = fleet(NONE)
    stage.outcomes["2"] = unreached()
    tensor = {"name": "x", "shape": [1], "datatype": "FP64", "data": [1.0]}
    path = "/v2/models/double/versions/2/infer"
    answer = stage.post({"inputs": [tensor]}, path=path)
    assert answer.status == 503
    assert answer.body["error"] == "version 2 can't be reached now"


# What came back, as a value ---------------------------------------------------------------------


def outcome(payload, exchange=None):
    return Outcome(payload, 200, "2", 1.0, cold=False, exchange=exchange)


@pytest.mark.parametrize(
    ("payload", "body"),
    [
        ({"body": "text"}, "text"),
        ({"body": "text", "isBase64Encoded": False}, "text"),
        ({"body": base64.b64encode(b"\x00\xff").decode(), "isBase64Encoded": True}, b"\x00\xff"),
        ({"body": None}, None),
        ({}, None),
    ],
)
def test_a_body_is_text_or_bytes_or_none(payload, body):
    assert outcome(payload).body() == body


def test_predictions_are_those_told_or_those_in_the_answer():
    body = json.dumps({"predictions": [{"y": 2.0}]})
    spoken = Spoken.PLAIN
    assert outcome({"body": body}).predictions(spoken) == [{"y": 2.0}]
    exchange = RemoteExchange([{"x": 1.0}], [{"y": 3.0}])
    assert outcome({"body": body}, exchange).predictions(spoken) == [{"y": 3.0}]
    assert outcome({}).predictions(spoken) is None


@pytest.mark.parametrize(
    ("predictions", "output"),
    [
        ([{"y": 1, "z": 2}, {"y": 3}], [1, 3]),
        ({"y": 1}, [1]),
        ([{"z": 1}, 5, None], []),
        ("text", []),
    ],
)
def test_an_output_is_what_records_have_of_it(predictions, output):
    assert RemoteExchange([], predictions).output("y") == output


@pytest.mark.parametrize(
    ("took", "milliseconds"),
    [("0", 0.0), ("0.5", 0.5), ("899999", 899_999.0), ("900000", 0.0), ("-1", 0.0), ("nan", 0.0)],
)
def test_a_time_is_kept_within_what_lambda_allows(took, milliseconds):
    came = of_reply({"statusCode": 200, "headers": {"took": took}}, "2", "took", "cold", "records")
    assert (came.latency_ms, came.version, came.exchange) == (milliseconds, "2", None)
    assert came.payload["headers"] == {}


@pytest.mark.parametrize("headers", [None, "text", [1]])
def test_headers_that_are_none_are_left_out(headers):
    came = of_reply({"statusCode": 200, "headers": headers}, "2", "took", "cold", "records")
    assert came.payload["headers"] == {}


def test_a_front_that_answers_alone_asks_nobody():
    stage = fleet(None, runs={"1": doubles})
    assert stage.ask_x().version == "1"
    assert [version for version, _ in stage.seen] == ["1"]
