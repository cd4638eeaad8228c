"""Log streams of functions: one for each sandbox, named by the version that runs in it.

"How CloudWatch structures logs" in the Lambda operator guide, GetLogEvents in the API reference.
"""

import re

import pytest

from tests.contract.local.support import eventually

TELLS = """
def handler(event, context):
    print("line of", event)
"""


@pytest.fixture
def streams(client):
    """The log streams of a function, by version."""

    def read(name):
        found = client("logs").describe_log_streams(
            logGroupName=f"/aws/lambda/{name}", orderBy="LastEventTime", descending=True
        )["logStreams"]
        return [
            (re.fullmatch(r"\d{4}/\d\d/\d\d/\[(.+)\][0-9a-f]{32}", s["logStreamName"])[1], s)
            for s in found
        ]

    return read


def test_a_sandbox_keeps_its_stream(function, streams, client):
    fn = function(TELLS)
    for number in range(4):
        fn.invoke(number, Qualifier="1")
    ((version, stream),) = eventually(lambda: streams(fn.name))
    assert version == "1"
    events = client("logs").get_log_events(
        logGroupName=f"/aws/lambda/{fn.name}",
        logStreamName=stream["logStreamName"],
        startFromHead=True,
    )["events"]
    told = [e["message"] for e in events if e["message"].startswith("line of")]
    assert told == [f"line of {number}" for number in range(4)]


def test_streams_tell_the_version_behind_a_weighted_alias(function, streams):
    fn = function(TELLS, TELLS + "\n")
    fn.alias("live", "1", _2=0.5)
    for number in range(40):
        fn.invoke(number, Qualifier="live")
    assert {version for version, _ in streams(fn.name)} == {"1", "2"}


def test_a_stream_is_read_on_from_the_token_that_it_ended_with(function, streams, client):
    fn = function(TELLS)
    fn.invoke("one", Qualifier="1")
    ((_, stream),) = eventually(lambda: streams(fn.name))
    where = {
        "logGroupName": f"/aws/lambda/{fn.name}", "logStreamName": stream["logStreamName"],
        "startFromHead": True,
    }  # fmt: skip
    logs = client("logs")
    token = logs.get_log_events(**where)["nextForwardToken"]
    quiet = logs.get_log_events(**where, nextToken=token)
    assert (quiet["events"], quiet["nextForwardToken"]) == ([], token)
    fn.invoke("two", Qualifier="1")
    found = [e["message"] for e in logs.get_log_events(**where, nextToken=token)["events"]]
    assert "line of two" in found
    assert "line of one" not in found
