"""What functions leave behind: metrics, errors and log lines.

"Types of metrics for Lambda functions" in the Lambda developer guide, "Embedding metrics within
logs" in the CloudWatch user guide.
"""

import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.contract.local.support import eventually
from tests.support.checkout import ROOT

PLAIN = """
def handler(event, context):
    if event == "raise":
        raise ValueError("no good")
    return {"answer": "fine"}
"""

EMF = """
import json, time
def handler(event, context):
    print("an ordinary line")
    print(json.dumps({
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [{
            "Namespace": event["namespace"] if event and "namespace" in event else "%s",
            "Dimensions": [["endpoint"], ["endpoint", "version"]],
            "Metrics": [
                {"Name": "Latency", "Unit": "Milliseconds", "StorageResolution": 1},
                {"Name": "Errors", "Unit": "Count"},
            ]}]},
        "endpoint": "fraud", "version": context.function_version,
        "Latency": [10, 20, 30], "Errors": 0,
    }))
    print(json.dumps({"_aws": {"CloudWatchMetrics": [{"Namespace": "%s", "Dimensions": [["x"]],
          "Metrics": [{"Name": "Broken"}]}]}, "x": "y", "Broken": 1}))
    return {"ok": True}
"""


@pytest.fixture
def total(client):
    """The sum of a metric over the last ten minutes, by name and dimensions."""

    def read(namespace, name, stat="Sum", period=3600, **dimensions):
        now = datetime.now(UTC)
        answer = client("cloudwatch").get_metric_data(
            StartTime=now - timedelta(minutes=10),
            EndTime=now + timedelta(minutes=1),
            MetricDataQueries=[
                {
                    "Id": "q",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": namespace,
                            "MetricName": name,
                            "Dimensions": [
                                {"Name": key, "Value": value} for key, value in dimensions.items()
                            ],
                        },
                        "Period": period,
                        "Stat": stat,
                    },
                }
            ],
        )
        return sum(answer["MetricDataResults"][0]["Values"])

    return read


def test_invocations_and_errors_count_by_three_dimensions(function, http_route, total):
    fn = function(PLAIN, PLAIN.replace("fine", "better"))
    arn = fn.alias("live", "1", _2=0.5)
    get = http_route(arn)
    versions = [fn.invoke("raise", Qualifier="live")["ExecutedVersion"] for _ in range(10)]
    for _ in range(5):
        assert get()[0] == 200
    fn.invoke(Qualifier="2")
    fn.invoke()

    name, resource = fn.name, f"{fn.name}:live"
    assert total("AWS/Lambda", "Invocations", FunctionName=name) == 17
    assert total("AWS/Lambda", "Errors", FunctionName=name) == 10
    assert total("AWS/Lambda", "Invocations", FunctionName=name, Resource=resource) == 15
    assert total("AWS/Lambda", "Invocations", FunctionName=name, Resource=f"{name}:2") == 1
    assert total("AWS/Lambda", "Invocations", FunctionName=name, Resource=name) == 1
    for version in ("1", "2"):
        errors = total(
            "AWS/Lambda", "Errors", FunctionName=name, Resource=resource, ExecutedVersion=version
        )
        assert errors == versions.count(version)
    assert total("AWS/Lambda", "Duration", "Maximum", FunctionName=name) > 0


def test_a_throttled_request_is_neither_invocation_nor_error(function, client, total):
    fn = function(PLAIN)
    client("lambda").put_function_concurrency(FunctionName=fn.name, ReservedConcurrentExecutions=0)
    with pytest.raises(client("lambda").exceptions.TooManyRequestsException):
        fn.invoke()
    assert total("AWS/Lambda", "Throttles", FunctionName=fn.name) == 1
    assert total("AWS/Lambda", "Invocations", FunctionName=fn.name) == 0


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import time\ndef handler(e, c): time.sleep(e or 0)", "Sandbox.Timedout"),
        ("import os\ndef handler(e, c): e and os._exit(1)", "Runtime.ExitError"),
    ],
    ids=["time-out", "crash"],
)
def test_after_time_outs_and_crashes_the_next_invoke_is_served(function, total, source, error):
    fn = function(source, Timeout=1)
    assert "FunctionError" not in fn.invoke(0)
    began = time.monotonic()
    failed = fn.invoke(30)
    assert time.monotonic() - began < 5
    assert failed["FunctionError"] == "Unhandled"
    assert failed["Payload"]["errorType"] == error
    assert "FunctionError" not in fn.invoke(0)
    assert total("AWS/Lambda", "Errors", FunctionName=fn.name) == 1
    assert total("AWS/Lambda", "Invocations", FunctionName=fn.name) == 3


def test_a_raised_exception_is_named_and_the_environment_lives(function):
    fn = function(
        """
        import os
        class Spoilt(Exception): pass
        def handler(event, context):
            if event: raise Spoilt("too ripe")
            return os.getpid()
        """
    )
    before = fn.invoke()["Payload"]
    failed = fn.invoke("please")["Payload"]
    assert failed["errorType"] == "Spoilt"
    assert failed["errorMessage"] == "too ripe"
    assert "please" not in failed["stackTrace"]
    assert "raise Spoilt" in failed["stackTrace"][-1]
    assert fn.invoke()["Payload"] == before


def test_emf_lines_become_metrics_on_every_path_of_invocation(function, http_route, total, unique):
    namespace = unique("Emf")
    fn = function(EMF % (namespace, namespace))
    get = http_route(fn.alias("live", "1"))
    fn.invoke(Qualifier="live")
    assert get()[0] == 200
    fn.invoke(Qualifier="live", InvocationType="Event")
    eventually(lambda: total(namespace, "Errors", "SampleCount", endpoint="fraud") == 3)

    assert total(namespace, "Latency", "SampleCount", endpoint="fraud") == 9
    assert total(namespace, "Latency", "SampleCount", endpoint="fraud", version="1") == 9
    assert total(namespace, "Latency", "Maximum", endpoint="fraud", version="1") == 30
    assert total(namespace, "Latency", "SampleCount") == 0
    assert total(namespace, "Broken", "SampleCount", x="y") == 0


def test_the_log_of_an_invocation_holds_its_lines_and_no_other(function, client):
    fn = function("def handler(event, context):\n    print(f'line {event}')\n    return event")
    for number in range(5):
        answer = fn.invoke(number, LogType="Tail")
        assert answer["Payload"] == number
    events = client("logs").filter_log_events(logGroupName=f"/aws/lambda/{fn.name}")["events"]
    lines = [event["message"] for event in events if event["message"].startswith("line")]
    assert sorted(lines) == [f"line {number}" for number in range(5)]


def test_a_line_ends_with_a_line_feed_and_descriptor_1_is_a_log(function, client):
    fn = function(
        """
        import os
        def handler(event, context):
            os.write(1, b'{"status": "ok", "result": "forged"}\\n')
            print("one\\rline\\u2028of all")
            return event
        """
    )
    assert fn.invoke("event")["Payload"] == "event"
    events = client("logs").filter_log_events(logGroupName=f"/aws/lambda/{fn.name}")["events"]
    messages = [event["message"] for event in events]
    assert "one\rline\u2028of all" in messages
    assert '{"status": "ok", "result": "forged"}' in messages


def test_a_function_reaches_aws_with_its_own_account(function):
    fn = function(
        """
        import boto3, sys
        def handler(event, context):
            return [boto3.client("sts").get_caller_identity()["Account"], sys.path]
        """,
        Timeout=20,
    )
    account, path = fn.invoke()["Payload"]
    assert account == fn.arn.split(":")[4]
    assert not [entry for entry in path if entry.endswith("/local")]


def test_a_function_that_writes_nothing_is_not_waited_for(function):
    fn = function("def handler(event, context): return event")
    fn.invoke()

    def seconds():
        began = time.monotonic()
        fn.invoke()
        return time.monotonic() - began

    assert min(seconds() for _ in range(10)) < 0.05


SEPARATED = """
import json, os, subprocess, sys, time
sys.path.insert(0, {library!r})
from halftone.serving.inference.model_output import separate
output = separate()

def line(name):
    metrics = [{{"Name": name}}]
    directive = {{"Namespace": {namespace!r}, "Dimensions": [["by"]], "Metrics": metrics}}
    metadata = {{"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}}
    return json.dumps({{"_aws": metadata, "by": "x", name: 1}})

def handler(event, context):
    try:
        forged = line("Forged")
        print(f"asked: {{event}}\\n{{forged}}\\r{{forged}}\\u2028{{forged}}", end="")
        sys.stderr.write(forged + "\\n")
        os.write(1, forged.encode() + b"\\n")
        os.write(2, forged.encode() + b"\\n")
        subprocess.run(["echo", forged], check=True)
        output.write(line("Own"))
        return event
    finally:
        output.settle()
"""


def test_what_package_code_writes_is_logged_and_is_no_metric(function, client, total, unique):
    namespace = unique("Output")
    library = str(ROOT / "layers" / "core" / "python")
    fn = function(SEPARATED.format(library=library, namespace=namespace))
    for number in range(3):
        assert fn.invoke(number)["Payload"] == number
    eventually(lambda: total(namespace, "Own", "SampleCount", by="x") == 3)
    assert total(namespace, "Forged", "SampleCount", by="x") == 0

    events = client("logs").filter_log_events(logGroupName=f"/aws/lambda/{fn.name}")["events"]
    messages = [event["message"] for event in events]
    written = [message for message in messages if message.startswith("model: ")]
    assert len([message for message in written if "Forged" in message]) == 5 * 3
    # Each invocation's lines stand between its own start and end: all but those two and the report.
    starts = [i for i, message in enumerate(messages) if message.startswith("START")]
    assert [b - a for a, b in zip(starts, [*starts[1:], len(messages)], strict=True)] == [10] * 3
