"""One metric line per prediction request, in CloudWatch's embedded metric format."""

import json
import time

import pytest

from halftone.serving.telemetry import Telemetry, to_stdout


@pytest.fixture
def lines():
    return []


@pytest.fixture
def telemetry(lines):
    return Telemetry("double", 250.0, lines.append)


def directive(line):
    (found,) = json.loads(line)["_aws"]["CloudWatchMetrics"]
    return found


def test_a_warm_request_has_five_metrics_in_high_resolution(telemetry, lines):
    before = time.time() * 1000
    telemetry.request("3", latency_ms=12.3456, failed=False, cold=False)
    line = json.loads(lines[0])
    assert before - 1 <= line["_aws"]["Timestamp"] <= time.time() * 1000
    found = directive(lines[0])
    assert found["Namespace"] == "Halftone"
    assert found["Dimensions"] == [["Endpoint", "Version"]]
    units = {metric["Name"]: metric["Unit"] for metric in found["Metrics"]}
    assert units == {
        "Requests": "Count",
        "Errors": "Count",
        "ColdStart": "Count",
        "Late": "Count",
        "Latency": "Milliseconds",
    }
    assert {metric["StorageResolution"] for metric in found["Metrics"]} == {1}
    del line["_aws"]
    assert line == {
        "Endpoint": "double",
        "Version": "3",
        "Requests": 1,
        "Errors": 0,
        "ColdStart": 0,
        "Late": 0,
        "Latency": 12.346,
    }


def test_a_cold_request_says_nothing_of_lateness(telemetry, lines):
    telemetry.request("3", latency_ms=9999.0, failed=True, cold=True)
    names = [metric["Name"] for metric in directive(lines[0])["Metrics"]]
    assert names == ["Requests", "Errors", "ColdStart"]
    line = json.loads(lines[0])
    assert (line["Errors"], line["ColdStart"]) == (1, 1)
    assert "Late" not in line
    assert "Latency" not in line


@pytest.mark.parametrize(("latency", "late"), [(250.0, 0), (250.001, 1)])
def test_late_is_longer_than_the_limit(telemetry, lines, latency, late):
    telemetry.request("3", latency_ms=latency, failed=False, cold=False)
    assert json.loads(lines[0])["Late"] == late


def test_each_version_has_its_own_lines(telemetry, lines):
    for version in ("3", "$LATEST", "100%d"):
        telemetry.request(version, latency_ms=1.0, failed=False, cold=False)
    assert [json.loads(line)["Version"] for line in lines] == ["3", "$LATEST", "100%d"]


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
