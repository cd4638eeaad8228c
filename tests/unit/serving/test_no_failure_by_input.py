"""No input of a client counts against a version but through an answer of the version's own.

A function that raises, a process that ends and an answer that Lambda can't carry all count as
crashes of the version, two of which within a minute end a rollout.
"""

import base64
import json
import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halftone.domain.endpoint.route_table import Experiment, RouteConfig
from halftone.domain.endpoint.state import Placed
from halftone.domain.errors import InvalidInput
from halftone.domain.insight.capture import REQUESTS, Row, read_line
from halftone.domain.traffic.policy import (
    Capture,
    KeySource,
    Mirror,
    Mode,
    StickyKey,
    TrafficPolicy,
)
from halftone.serving.gateway.exchange import of_reply
from halftone.serving.gateway.upstream import LATENCY, reply_of
from halftone.serving.telemetry.metrics import Telemetry
from halftone.serving.telemetry.shadow_diff import difference
from halftone_local.emf import MAX_NUMBER, metrics_in
from tests.support.fleet import Fleet, doubles

FEEDBACK = "/endpoints/double/feedback"
ZEROS = "1" + "0" * 309
REWARDS = [
    ZEROS,
    f"-{ZEROS}",
    "1e999",
    "-1e999",
    "1" * 4300,
    "1" * 5000,
    "1e-999",
    "[1]",
    "{}",
    "true",
]


def sent(body, path=FEEDBACK, **serving):
    """The answer, and the metric lines, of one request to a front that keeps everything."""
    serving = {"capture": Capture(100.0, ("secret",)), "label": "label", **serving}
    fleet = Fleet(RouteConfig("double", 1, "1", serving=TrafficPolicy(**serving)))
    return fleet.post(body, path=path), fleet


@pytest.mark.parametrize("field", ["reward", "label"])
@pytest.mark.parametrize("value", REWARDS)
def test_feedback_of_any_number_is_an_answer(field, value):
    answer, fleet = sent(f'{{"request_id": "r-1.1.00000000", "{field}": {value}}}')
    assert answer.status in (202, 400, 422)
    assert len(json.dumps(answer.body)) < 1000
    for line in fleet.log:
        assert "Errors" not in json.loads(line, parse_constant=pytest.fail)


def test_a_fault_of_halftones_own_counts_against_nobody(monkeypatch):
    def raises(*_, **__):
        raise ZeroDivisionError("secret of a request")

    monkeypatch.setattr("halftone.serving.gateway.frontend.read_feedback", raises)
    answer, fleet = sent('{"request_id": "r-1.1", "reward": 1}')
    assert (answer.status, answer.body["detail"]) == (500, "internal error")
    (line,) = fleet.lines()
    assert (line["event"], line["exception"]) == ("internal error", "ZeroDivisionError")
    assert "secret" not in "".join(fleet.log)


def far_apart(sign):
    return lambda given: [{"y": sign * 1.7e308, "label": "low"} for _ in given]


def whole(_):
    return [{"y": 10**5000, "label": "low"}]


def deep(_):
    value = []
    for _ in range(100_000):
        value = [value]
    return [{"y": value, "label": "low"}]


@pytest.mark.parametrize("model", [far_apart(1), whole, deep], ids=["far apart", "whole", "deep"])
def test_a_mirror_answers_and_counts_for_any_two_models(model):
    trial = Experiment("double-r1", "2", 0, Mode.GUARDED, mirror=100.0)
    serving = TrafficPolicy(mode=Mode.GUARDED, capture=Capture(100.0, ("x",)), label="label")
    fleet = Fleet(
        RouteConfig("double", 1, "1", (Placed("1", "1"),), serving, trial),
        {"1": far_apart(-1), "2": model},
    )
    assert fleet.ask_x(4).status == 200
    assert len(fleet.metrics(Version="2", Cohort="mirror")) == 1
    for line in fleet.log:
        json.loads(line, parse_constant=pytest.fail)


NESTED = 900


@pytest.mark.parametrize(
    "body",
    [
        '{"instances": [{"x": ' + "[" * NESTED + "]" * NESTED + "}]}",
        "[" * NESTED + "]" * NESTED,
        '{"a":' * NESTED + "1" + "}" * NESTED,
        '{"instances": [{"x": "\\ud800"}]}',
        '{"\\ud800": 1}',
        '{"instances": [{"x": 1e999}]}',
    ],
)
def test_a_deep_or_broken_body_is_never_a_failure(body):
    answer, fleet = sent(
        body, "", key=StickyKey(KeySource.BODY, "instances.0.x"), mirror=Mirror("1", 100.0)
    )
    assert answer.status in (400, 422)
    assert not [line for line in fleet.lines() if line.get("level") == "ERROR"]


@pytest.mark.parametrize("make", [lambda n: n, lambda n: -n, lambda n: [n], float])
def test_an_error_can_be_made_of_any_value(make):
    value = make(10**5000 if make is not float else "nan")
    assert "expected less" in str(InvalidInput("x", value, "less"))


def test_an_error_can_be_made_of_a_value_of_any_depth():
    value = []
    for _ in range(sys.getrecursionlimit() * 2):
        value = [value]
    assert "expected less" in str(InvalidInput("x", value, "less"))


@given(st.lists(st.tuples(st.floats(), st.floats()), max_size=5))
def test_any_two_answers_have_a_distance_of_json(pairs):
    result = difference([{"y": [a for a, _ in pairs]}], [{"y": [b for _, b in pairs]}], "label")
    for distance in (result.distance, result.relative):
        assert distance is None or (math.isfinite(distance) and distance >= 0)


@given(st.floats() | st.integers(), st.sampled_from(["Distance", "Reward", "Latency"]))
def test_any_measure_makes_a_line_that_cloudwatch_takes(value, name):
    value = float(value) if abs(value) < 1e308 else math.copysign(sys.float_info.max, value)
    if not math.isfinite(value):
        return
    lines = []
    Telemetry("double", 1.0, lines.append).request(
        "1", latency_ms=1.0, status=200, cold=False, more={name: value} if name != "Latency" else {}
    )
    metrics = [metric for metric in metrics_in(lines[0]) if metric.name == name]
    assert metrics
    assert abs(metrics[0].values[0]) <= MAX_NUMBER


@pytest.mark.parametrize("said", ["nan", "inf", "-inf", "-1", "1e999", "x", "", "1e308"])
def test_what_a_hop_says_of_its_time_is_a_number(said):
    answer = {"statusCode": 200, "headers": {LATENCY: said}, "body": "{}"}
    reply = reply_of(json.dumps(answer).encode(), failed=False)
    result = of_reply(reply.answer, "2", LATENCY, "cold", "records")
    assert result.latency_ms == 0.0


@pytest.mark.parametrize("request_id", ["", ".", ".1", ".1.0a0b0c0d"])
def test_a_line_without_a_request_s_id_makes_no_row(request_id):
    line = {"halftone": "feedback", "request": request_id, "version": "1", "at": 1, "bad": 0}
    assert read_line(json.dumps(line)) is None
    assert read_line(json.dumps({**line, "request": "r"})) is not None


RANGES = {"int": (-(2**31), 2**31 - 1), "bigint": (-(2**63), 2**63 - 1)}
NUMBERS = (
    st.integers() | st.floats() | st.sampled_from([2**31, -(2**31) - 1, 2**63, 1e308, 10**400])
)


@given(
    st.dictionaries(
        st.sampled_from([column.name for column in REQUESTS]), NUMBERS | st.text(), max_size=20
    )
)
def test_every_number_of_a_row_fits_its_column(values):
    line = {"halftone": "capture", "kind": "answer", **values}
    line = {**line, "version": "1", "at": 1, "request": "r", "kind": "answer"}
    row = read_line(json.dumps(line))
    assert isinstance(row, Row)
    json.dumps(row.values, allow_nan=False, ensure_ascii=False).encode()
    for column in REQUESTS:
        value = row.values[column.name]
        if value is None or column.kind == "string":
            continue
        if column.kind in RANGES:
            least, most = RANGES[column.kind]
            assert type(value) is int
            assert least <= value <= most
        else:
            assert type(value) is (bool if column.kind == "boolean" else float)


TEXTS = ["\ud800", "\udfff", "a\ud800b", "\U0001f600", "\u0000", "\u2028"]


@pytest.mark.parametrize("text", TEXTS)
def test_an_answer_can_be_carried_whatever_text_is_in_it(serve, text):
    """Lambda's runtime writes an answer as JSON in UTF-8, from Python 3.12 without escapes."""
    free = {"inputs": None, "outputs": None, "samples": [{"request": 1, "response": 1}]}
    served = serve("def run(body):\n    return body\n", free)
    quoted = json.dumps(text)
    for body in (quoted, f"{{{quoted}: 1}}", f'{{"instances": [{{"x": {quoted}}}]}}'):
        for path in ("/endpoints/double/invocations", "/v2/models/double/infer", FEEDBACK):
            answer = served.send(
                {
                    "rawPath": path,
                    "requestContext": {"http": {"method": "POST"}},
                    "headers": {"x-halftone-deployment": text, "content-type": text},
                    "body": base64.b64encode(body.encode(errors="surrogatepass")).decode(),
                    "isBase64Encoded": True,
                }
            )
            json.dumps(answer, ensure_ascii=False, allow_nan=False).encode()
            assert answer["statusCode"] < 500


def test_a_text_without_an_encoding_is_refused_by_its_field(serve):
    texts = {
        "inputs": [{"name": "x", "type": "string"}],
        "outputs": [{"name": "y", "type": "string"}],
        "samples": [{"instances": [{"x": "a"}]}],
    }
    served = serve("def run(given):\n    return [{'y': one['x']} for one in given]\n", texts)
    answer = served.post('{"instances": [{"x": "\\ud800"}]}')
    assert answer["statusCode"] == 422
    assert json.loads(answer["body"])["field"] == "instances[0].x"
    assert doubles([]) == []


@pytest.mark.parametrize("text", ["\U0001f600", "\ud800", "\u0001", '"', "x"])
@pytest.mark.parametrize("size", [300, 9000])
def test_an_error_is_short_whatever_it_quotes(serve, text, size):
    served = serve()
    long = json.dumps(text * size)
    bodies = [
        f'{{"instances": [{{{long}: 1}}]}}',
        f'{{"instances": [{{"x": {long}}}]}}',
        f"{{{long}: {long}, {long}: 1}}",
        f'{{"inputs": [{{"name": {long}, "datatype": {long}, "shape": {long}}}]}}',
        f'{{"request_id": {long}, {long}: {long}}}',
    ]
    for body in bodies:
        for path in ("/endpoints/double/invocations", "/v2/models/double/infer", FEEDBACK):
            named = {"x-halftone-deployment": text * size}
            for headers in ({}, named, {"content-encoding": text * size}):
                answer = served.post(body, path=path, headers=headers)
                assert 400 <= answer["statusCode"] < 500
                assert len(answer["body"]) < 4000
