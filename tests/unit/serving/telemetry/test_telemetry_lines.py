"""One metric line per prediction request, in CloudWatch's embedded metric format."""

import json
import time

import pytest

from halftone.serving.telemetry.metrics import Telemetry, to_stdout


@pytest.fixture
def lines():
    return []


@pytest.fixture
def telemetry(lines):
    return Telemetry("double", 250.0, lines.append)


def directive(line):
    (declared,) = json.loads(line)["_aws"]["CloudWatchMetrics"]
    return declared


def test_a_warm_request_has_six_metrics_in_high_resolution(telemetry, lines):
    before = time.time() * 1000
    telemetry.request("3", latency_ms=12.3456, status=200, cold=False)
    line = json.loads(lines[0])
    assert before - 1 <= line["_aws"]["Timestamp"] <= time.time() * 1000
    result = directive(lines[0])
    assert result["Namespace"] == "Halftone"
    assert result["Dimensions"] == [["Endpoint", "Version"]]
    units = {metric["Name"]: metric["Unit"] for metric in result["Metrics"]}
    assert units == {
        "Requests": "Count",
        "Errors": "Count",
        "ClientErrors": "Count",
        "ColdStart": "Count",
        "Late": "Count",
        "Latency": "Milliseconds",
    }
    assert {metric["StorageResolution"] for metric in result["Metrics"]} == {1}
    del line["_aws"]
    assert line == {
        "Endpoint": "double",
        "Version": "3",
        "Requests": 1,
        "Errors": 0,
        "ClientErrors": 0,
        "ColdStart": 0,
        "Late": 0,
        "Latency": 12.346,
    }


def test_a_cold_request_says_nothing_of_lateness(telemetry, lines):
    telemetry.request("3", latency_ms=9999.0, status=500, cold=True)
    names = [metric["Name"] for metric in directive(lines[0])["Metrics"]]
    assert names == ["Requests", "Errors", "ClientErrors", "ColdStart"]
    line = json.loads(lines[0])
    assert (line["Errors"], line["ColdStart"]) == (1, 1)
    assert "Late" not in line
    assert "Latency" not in line


@pytest.mark.parametrize(("latency", "late"), [(250.0, 0), (250.001, 1)])
def test_late_is_longer_than_the_limit(telemetry, lines, latency, late):
    telemetry.request("3", latency_ms=latency, status=200, cold=False)
    assert json.loads(lines[0])["Late"] == late


def test_each_version_has_its_own_lines(telemetry, lines):
    for version in ("3", "$LATEST", "100%d"):
        telemetry.request(version, latency_ms=1.0, status=200, cold=False)
    assert [json.loads(line)["Version"] for line in lines] == ["3", "$LATEST", "100%d"]


@pytest.mark.parametrize(("status", "error", "theirs"), [(200, 0, 0), (422, 0, 1), (503, 1, 0)])
def test_the_client_s_errors_are_not_the_version_s(telemetry, lines, status, error, theirs):
    telemetry.request("3", latency_ms=1.0, status=status, cold=False)
    line = json.loads(lines[0])
    assert (line["Errors"], line["ClientErrors"]) == (error, theirs)


EV = ["Endpoint", "Version"]


@pytest.mark.parametrize(
    ("cohort", "dimensions"),
    [
        ("", [EV]),
        ("trial", [EV, [*EV, "Cohort"]]),
        ("mirror", [EV, [*EV, "Cohort"]]),
        ("pinned", [[*EV, "Cohort"]]),
    ],
)
def test_a_cohort_stands_beside_the_version(telemetry, lines, cohort, dimensions):
    telemetry.request("3", latency_ms=1.0, status=200, cold=False, cohort=cohort)
    assert directive(lines[0])["Dimensions"] == dimensions
    assert json.loads(lines[0]).get("Cohort", "") == cohort


def test_a_request_that_another_answered_has_no_latency(telemetry, lines):
    telemetry.fallback("4", cohort="trial")
    line = json.loads(lines[0])
    del line["_aws"]
    assert line == {
        "Endpoint": "double",
        "Version": "4",
        "Cohort": "trial",
        "Requests": 1,
        "Errors": 1,
        "ClientErrors": 0,
        "ColdStart": 0,
        "Fallback": 1,
    }


def test_a_request_that_was_not_sent_is_no_evidence(telemetry, lines):
    telemetry.skipped("4", cohort="trial")
    assert [metric["Name"] for metric in directive(lines[0])["Metrics"]] == ["Fallback"]


def test_feedback_has_only_what_was_given(telemetry, lines):
    telemetry.feedback("4", reward=0.25, bad=None)
    telemetry.feedback("4", reward=None, bad=True)
    names = [[metric["Name"] for metric in directive(line)["Metrics"]] for line in lines]
    assert names == [["Reward"], ["Bad"]]
    assert json.loads(lines[0])["Reward"] == 0.25
    assert json.loads(lines[1])["Bad"] == 1


def test_a_line_is_one_write(monkeypatch):
    class Writes(list):
        write = list.append

    writes = Writes()
    monkeypatch.setattr("sys.stdout", writes)
    to_stdout("{}")
    assert writes == ["{}\n"]


def test_the_first_request_of_a_sandbox_is_cold_and_only_that(serve):
    served = serve()
    for _ in range(3):
        served.post({"instances": [{"x": 1}]})
    assert [line["ColdStart"] for line in served.metrics] == [1, 0, 0]
    assert ["Late" in line for line in served.metrics] == [False, True, True]


def test_time_in_the_model_is_in_the_latency(serve):
    slow = """
    import time
    def run(instances):
        time.sleep(0.02)
        return [{"y": 0.0} for _ in instances]
    """
    served = serve(slow, late_after_ms=10)
    for _ in range(2):
        served.post({"instances": [{"x": 1}]})
    warm = served.metrics[1]
    assert warm["Late"] == 1
    assert warm["Latency"] >= 20
