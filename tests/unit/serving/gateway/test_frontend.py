"""Who gets in, what is mirrored, captured and fed back: one server or a few, in memory."""

import base64
import json
import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from halftone.domain.endpoint.route_table import Experiment, RouteConfig
from halftone.domain.endpoint.state import Placed
from halftone.domain.errors import Unavailable
from halftone.domain.insight.capture import LONGEST_LINE, Row, read_line
from halftone.domain.model.manifest_schema import load_manifest
from halftone.domain.traffic.clients import RANDOM_BYTES, new_token
from halftone.domain.traffic.policy import (
    Access,
    Capture,
    Client,
    Mirror,
    Mode,
    Portion,
    TrafficPolicy,
)
from halftone.serving.gateway.backend import OLDEST_SECONDS
from halftone.serving.gateway.exchange import RemoteExchange
from halftone.serving.http.request import route
from halftone.serving.inference.loader import LoadedModel
from halftone.serving.inference.scoring import Scorer
from halftone.serving.telemetry.capture import captured
from tests.support.fleet import MANIFEST, Context, Fleet

TOKEN, TOKEN_ID, DIGEST = new_token(bytes(range(RANDOM_BYTES)))
NOW = datetime.now(UTC)
SHOP = Client("shop", TOKEN_ID, DIGEST, NOW, "ann")
BEARER = f"Bearer {TOKEN}"
BASIC = "Basic " + base64.b64encode(f"shop:{TOKEN}".encode()).decode()


FEEDBACK = "/endpoints/double/feedback"


def fleet(runs=None, trial=None, **serving):
    placed = (Placed("1", "1"), Placed("2", "2"))
    return Fleet(RouteConfig("double", 1, "1", placed, TrafficPolicy(**serving), trial), runs or {})


# Clients --------------------------------------------------------------------------------------


def private(**client):
    return fleet(access=Access.PRIVATE, clients=(replace(SHOP, **client),))


@pytest.mark.parametrize("authorization", [BEARER, BASIC])
def test_a_client_with_its_token_is_let_in(authorization):
    assert private().ask_x(authorization=authorization).status == 200


@pytest.mark.parametrize("path", ["", "/endpoints/double/feedback", "/v2/models/double/infer"])
@pytest.mark.parametrize("authorization", [None, "Bearer x", BEARER[:-1], "Negotiate x"])
def test_a_stranger_is_sent_away_as_a_problem(path, authorization):
    stage = private()
    fields = {} if authorization is None else {"authorization": authorization}
    answer = stage.ask_x(path=path, **fields)
    assert answer.status == 401
    assert "Bearer" in answer.headers["www-authenticate"]
    assert stage.metrics(Version="1") in (
        [],
        [{"Endpoint": "double", "Version": "1", "ClientErrors": 1}],
    )


def test_a_token_that_has_expired_is_refused():
    stage = private(expires_at=NOW - timedelta(seconds=1))
    answer = stage.ask_x(authorization=BEARER)
    assert answer.status == 401
    assert "expired" in answer.body["detail"]


def test_a_revoked_token_is_refused_by_a_stale_server():
    stage = private()
    assert stage.ask_x(authorization=BEARER).status == 200
    later = datetime.now(UTC).timestamp() + 11
    stage.clock = lambda: later
    stage.source.dispatch = replace(
        stage.dispatch, revision=2, serving=TrafficPolicy(access=Access.PRIVATE)
    )
    assert stage.ask_x(authorization=BEARER).status == 401


def test_a_token_that_was_let_in_is_refused_once_it_is_revoked():
    stage = private()
    assert stage.ask_x(authorization=BEARER).status == 200
    stage.change(replace(stage.dispatch, revision=2, serving=TrafficPolicy(access=Access.PRIVATE)))
    assert stage.ask_x(authorization=BEARER).status == 401


def test_a_token_that_was_let_in_is_refused_once_it_has_expired(monkeypatch):
    stage = private(expires_at=datetime.now(UTC) + timedelta(hours=1))
    assert stage.ask_x(authorization=BEARER).status == 200

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(hours=2)

    monkeypatch.setattr("halftone.serving.gateway.frontend.datetime", Later)
    assert stage.ask_x(authorization=BEARER).status == 401


def test_while_nobody_knows_who_may_call_nobody_does():
    stage = fleet()

    class Away:
        def read(self):
            raise Unavailable("the table is away")

    stage.source = Away()
    answer = stage.ask_x()
    assert answer.status == 503
    assert answer.headers["retry-after"] == "1"
    assert stage.metrics() == []


def test_a_table_that_is_away_is_asked_seldom_and_told_of():
    # Each try takes the sandbox a second, in which it answers nobody: under an outage of the table
    # every endpoint would need a thousand times its sandboxes.
    stage = fleet()
    stage.ask_x()
    tries = []

    class Away:
        def read(self):
            tries.append(1)
            raise Unavailable("reading the dispatch of 'double': AccessDeniedException")

    stage.tables["1"], began = Away(), stage.clock()
    for second in range(60):
        stage.clock = lambda second=second: began + 3 + second
        assert stage.ask_x().status == 200
    assert len(tries) in range(6, 9)
    lines = [line for line in stage.lines() if line.get("event") == "dispatch not read"]
    assert len(lines) == len(tries)
    assert lines[0]["why"].endswith("AccessDeniedException")


# The mirror -----------------------------------------------------------------------------------


def shifts(instances):
    return [{"y": 2 * one["x"] + 1, "label": "other"} for one in instances]


def test_a_shadow_tells_how_far_it_is_from_the_client_s_answer():
    stage = fleet({"2": shifts}, mirror=Mirror("2", 100.0), label="label")
    answer = stage.ask_x(2)
    assert (answer.version, answer.body["predictions"][0]["y"]) == ("1", 4.0)
    stage.ask_x(2)
    _, line = stage.metrics(Version="2", Cohort="mirror")
    assert (line["Changed"], line["Distance"], line["RelativeDistance"]) == (1, 1, 0.2)
    assert line["Requests"] == 1
    assert len(stage.metrics(Version="1")) == 2


@pytest.mark.parametrize("binary", [False, True])
def test_a_shadow_is_compared_with_another_versions_tensors(binary):
    placed = (Placed("1", "1"), Placed("2", "2"), Placed("3", "3"))
    serving = TrafficPolicy(split=(Portion("2", 100.0),), mirror=Mirror("3", 100.0), label="label")
    stage = Fleet(RouteConfig("double", 1, "1", placed, serving), {"3": shifts})
    body = {"inputs": [TENSOR | {"data": [2.0]}], "parameters": {"binary_data_output": binary}}
    for _ in range(2):  # the first of them is cold
        answer = stage.server("1")(event(body), Context("r", "1"))
        assert (answer["headers"]["x-halftone-version"], answer["isBase64Encoded"]) == ("2", binary)
    _, line = stage.metrics(Version="3", Cohort="mirror")
    assert (line["Changed"], line["Distance"]) == (1, 1)


def event(body):
    return {
        "rawPath": INFER,
        "headers": {},
        "requestContext": {"http": {"method": "POST", "sourceIp": "192.0.2.1"}},
        "body": json.dumps(body),
    }


def test_a_shadow_that_fails_is_counted_and_no_client_notices():
    def raises(_):
        raise ValueError

    stage = fleet({"2": raises}, mirror=Mirror("2", 100.0))
    assert stage.ask_x().status == 200
    (line,) = stage.metrics(Version="2")
    assert (line["Errors"], line["Cohort"]) == (1, "mirror")
    assert "Changed" not in line


def test_a_mirrored_request_that_waited_too_long_is_not_scored():
    stage = fleet(mirror=Mirror("2", 100.0), capture=Capture(100.0))
    stage.ask_x()
    ((qualifier, sent),) = stage.sent
    stage.log.clear()
    sent["requestContext"]["halftone"]["sent"] -= OLDEST_SECONDS + 1
    assert stage.send(qualifier, sent)
    assert list(stage.lines()) == []


def test_a_pinned_or_wrong_request_is_not_mirrored():
    stage = fleet(mirror=Mirror("2", 100.0))
    stage.ask_x(x_halftone_deployment="1")
    stage.post({"instances": [{"x": "wide"}]})
    assert stage.sent == []


def test_a_mirror_that_can_t_be_sent_is_counted():
    stage = fleet(mirror=Mirror("2", 100.0))
    stage.send = lambda *_: False
    stage.ask_x()
    assert stage.metrics(Version="2") == [
        {"Endpoint": "double", "Version": "2", "MirrorDropped": 1}
    ]


def test_after_a_rollback_a_mirror_counts_nothing():
    trial = Experiment("r", "2", 0, Mode.WEIGHTED, mirror=100.0)
    stage = fleet(trial=trial)
    stage.aliases["challenger"] = "1"
    stage.ask_x()
    assert {line["Version"] for line in stage.metrics()} == {"1"}


def test_a_captured_pair_shares_its_request_id():
    stage = fleet(
        {"2": shifts}, mirror=Mirror("2", 100.0), label="label", capture=Capture(100.0, ("x",))
    )
    stage.ask_x(2)
    rows = [read_line(json.dumps(line)) for line in stage.told("capture")]
    assert all(isinstance(row, Row) for row in rows)
    by_kind = {row.values["kind"]: row.values for row in rows}
    assert set(by_kind) == {"answer", "shadow"}
    answer, shadow = by_kind["answer"], by_kind["shadow"]
    assert answer["request"] == shadow["request"] == "r-1"
    assert (answer["version"], shadow["version"]) == ("1", "2")
    assert (answer["label"], shadow["label"]) == ("low", "other")
    assert (shadow["changed"], shadow["distance"]) == (True, 1.0)
    assert json.loads(answer["output"])["predictions"] == [{"y": 4.0, "label": "low"}]
    assert json.loads(shadow["output"])["predictions"] == [{"y": 5.0, "label": "other"}]
    assert json.loads(answer["input"]) == {"instances": [{"x": "[redacted]"}]}


SECRET = 7654321.5
INFER = "/v2/models/double/infer"
TENSOR = {"name": "x", "shape": [1], "datatype": "FP64", "data": [SECRET]}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("", {"instances": [{"x": SECRET}]}),
        ("", {"dataframe_split": {"columns": ["x"], "data": [[SECRET]]}}),
        ("", {"dataframe_records": [{"x": SECRET}]}),
        ("", {"inputs": {"x": [SECRET]}}),
        ("", {"inputs": [[SECRET]]}),
        ("", {"instances": [[SECRET]]}),
        (INFER, {"inputs": [TENSOR]}),
        (INFER, {"inputs": [TENSOR | {"datatype": "FP32"}]}),
        ("", {"instances": [{"x": f"{SECRET}"}]}),
        ("", {"dataframe_split": {"columns": ["x"], "data": [[f"{SECRET}"]]}}),
    ],
)
@pytest.mark.parametrize("pinned", [False, True], ids=["own", "another's"])
def test_no_form_of_a_body_carries_a_redacted_value_into_a_line(path, body, pinned):
    stage = fleet(mirror=Mirror("2", 100.0), capture=Capture(100.0, ("x",)))
    headers = {"x-halftone-deployment": "2"} if pinned else {}
    answer = stage.post(body, path=path, **headers)
    lines = stage.told("capture")
    assert lines
    assert str(SECRET) not in json.dumps(lines)
    assert not any(line["cut"] for line in lines if answer.status == 200)


@pytest.mark.parametrize(
    "body",
    [
        {"instances": str(SECRET)},
        {"instances": [{"X": SECRET}]},
        {"inputs": {"name": "x", "data": [SECRET]}},
        {"x": {"value": SECRET}, "values": [SECRET]},
    ],
)
@pytest.mark.parametrize("pinned", [False, True], ids=["own", "another's"])
def test_a_refused_body_is_left_out_where_fields_are_redacted(body, pinned):
    stage = fleet(capture=Capture(100.0, ("x",)))
    headers = {"x-halftone-deployment": "2"} if pinned else {}
    assert stage.post(body, **headers).status == 422
    (line,) = stage.told("capture")
    assert (line["input"], line["cut"]) == (None, True)
    assert str(SECRET) not in json.dumps(line)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("", {"instances": [{"x": SECRET}]}),
        ("", {"instances": [[SECRET]]}),
        ("", {"instances": [{"x": int(SECRET)}]}),
        (INFER, {"inputs": [TENSOR]}),
    ],
)
@pytest.mark.parametrize("pinned", [False, True], ids=["own", "another's"])
def test_what_a_model_does_to_its_input_is_not_captured(path, body, pinned):
    def renames(instances):
        for one in instances:
            one["clean_x"] = one.pop("x")
        return [{"y": 0.0, "label": "low"} for _ in instances]

    stage = fleet({"1": renames, "2": renames}, capture=Capture(100.0, ("x",)))
    headers = {"x-halftone-deployment": "2"} if pinned else {}
    assert stage.post(body, path=path, **headers).status == 200
    (line,) = stage.told("capture")
    assert json.loads(line["input"]) == {"instances": [{"x": "[redacted]"}]}
    assert str(int(SECRET)) not in json.dumps(line)


def test_what_a_model_does_to_free_json_is_not_captured():
    def renames(body, _context):
        return {"clean": body.pop("secret")}

    free = {k: v for k, v in MANIFEST.items() if k not in ("inputs", "outputs")}
    manifest = load_manifest({**free, "samples": [{"request": 1, "response": 1}]})
    request = route({**event({"secret": 1}), "rawPath": "/endpoints/double/invocations"}, "double")
    answer = Scorer(LoadedModel(manifest, "d" * 64, renames), "double", 1000).score(request)
    assert answer.exchange.instances() == {"secret": 1}
    assert answer.exchange.predictions() == {"clean": 1}


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ({"x": SECRET, "of": [{"x": SECRET}], "z": 1}, True),
        ({"messages": [{"x": SECRET}], "inputs": [{"x": SECRET}]}, True),
        ({"dataframe_split": {"columns": ["x"], "data": [[SECRET]]}}, False),
        ({"inputs": [TENSOR]}, False),
        ({"inputs": [SECRET]}, False),
        ({"instances": [[SECRET]]}, False),
        ([SECRET], False),
        (SECRET, False),
    ],
)
def test_free_json_without_names_is_left_out_under_redaction(body, kept):
    line = captured(
        {},
        given=json.dumps(body),
        found="[0.25]",
        status=200,
        exchange=RemoteExchange(body, [0.25]),
        redact=["x"],
        label="",
    )
    assert (line["cut"], line["input"] is not None) == (not kept, kept)
    assert line["output"] == "[0.25]"
    assert str(SECRET) not in json.dumps(line)


def test_a_refused_body_is_kept_where_nothing_is_redacted():
    stage = fleet(capture=Capture(100.0))
    stage.post({"instances": [{"X": 1}]})
    (line,) = stage.told("capture")
    assert json.loads(line["input"]) == {"instances": [{"X": 1}]}


@pytest.mark.parametrize("redact", ["label", "predictions.label", "predictions"])
def test_a_label_that_is_redacted_stands_in_no_column(redact):
    stage = fleet(
        {"2": shifts}, mirror=Mirror("2", 100.0), label="label", capture=Capture(100.0, (redact,))
    ).signing()
    named = stage.ask_x(2).headers["x-request-id"]
    stage.post({"request_id": named, "label": "low"}, path=FEEDBACK)
    lines = [*stage.told("capture"), *stage.told("feedback")]
    assert len(lines) == 3
    assert [line["label"] for line in lines] == [None] * 3
    assert not any(text in json.dumps(lines) for text in ("low", "other"))


def test_labels_of_many_records_are_in_the_answer_alone():
    def labelled(instances):
        return [{"y": 0.0, "label": "a label that is long " * 10} for _ in instances]

    stage = fleet({"1": labelled}, label="label", capture=Capture(100.0)).signing()
    named = stage.post({"instances": [[1]] * 5000}).headers["x-request-id"]
    stage.post({"request_id": named, "label": ["low"] * 10_000}, path=FEEDBACK)
    (line,), (message,) = stage.told("capture"), stage.told("feedback")
    assert (line["label"], line["cut"], message["label"]) == (None, True, None)
    assert all(len(written) <= LONGEST_LINE for written in stage.log)


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ('{"instances": [{"x": NaN}]}', None),
        ('{"instances": [{"x": -Infinity}]}', None),
        ('{"instances": [{"x": 1e999}]}', None),
        ('{"instances": [{"x": "\\ud83d"}]}', {"instances": [{"x": "?"}]}),
        ('{"instances": [{"x": "\\ud83d\\ude00"}]}', {"instances": [{"x": "\N{GRINNING FACE}"}]}),
    ],
)
def test_what_is_kept_can_be_queried_whatever_was_sent(body, kept):
    stage = fleet(capture=Capture(100.0))
    assert stage.post(body).status in (400, 422)
    (line,) = stage.told("capture")
    assert line["cut"] is (kept is None)
    assert kept is None or json.loads(line["input"]) == kept


@pytest.mark.parametrize("pin", ["1", "2"])
def test_what_another_version_answered_is_captured_as_records(pin):
    stage = fleet(capture=Capture(100.0, ("y",)), label="label")
    body = {"inputs": [TENSOR | {"data": [2.0]}]}
    answer = stage.post(body, path=INFER, x_halftone_deployment=pin)
    assert (answer.status, answer.version) == (200, pin)
    assert set(answer.body) == {"model_name", "model_version", "outputs"}
    (line,) = stage.told("capture")
    assert json.loads(line["input"]) == {"instances": [{"x": 2.0}]}
    assert json.loads(line["output"]) == {"predictions": [{"y": "[redacted]", "label": "low"}]}
    assert (line["label"], line["cut"]) == ("low", False)


def test_more_records_than_a_line_holds_are_left_to_the_arm():
    stage = fleet(capture=Capture(100.0, ("y",)))
    body = {"instances": [[float(i)] for i in range(9_000)]}
    answer = stage.post(body, x_halftone_deployment="2")
    assert (answer.status, len(answer.body["predictions"])) == (200, 9_000)
    (line,) = stage.told("capture")
    assert (line["cut"], line["input"], line["output"]) == (True, None, None)


def test_a_body_of_binary_tensors_is_captured_as_its_records():
    stage = fleet(capture=Capture(100.0))
    tensor = {k: v for k, v in TENSOR.items() if k != "data"}
    head = json.dumps({"inputs": [tensor | {"parameters": {"binary_data_size": 8}}]}).encode()
    answer = stage.post(
        head + struct.pack("<d", 3.0),
        path=INFER,
        inference_header_content_length=str(len(head)),
    )
    assert answer.status == 200
    (line,) = stage.told("capture")
    assert json.loads(line["input"]) == {"instances": [{"x": 3.0}]}
    assert not line["cut"]


def test_a_share_of_requests_is_captured():
    stage = fleet(capture=Capture(25.0))
    for _ in range(400):
        stage.ask_x()
    assert 70 <= len(stage.told("capture")) <= 130


def test_a_body_that_is_too_long_for_a_line_is_left_out():
    stage = fleet(capture=Capture(100.0))
    stage.post({"instances": [{"x": float(i)} for i in range(9_000)]})
    (line,) = stage.told("capture")
    assert (line["cut"], line["input"]) == (True, None)
    assert max(map(len, stage.log)) < 200_000
