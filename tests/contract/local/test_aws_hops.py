"""Hops of a function to itself, as AWS documents invokes: what a front of the model server meets.

"Invoke", https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html: a function that raises or
whose process ends answers 200 with FunctionError, and its payload tells errorType; asynchronous
requests are answered 202 at once. Invokes of one function, by another of its versions, run beside
each other: "Understanding Lambda function scaling",
https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

import time

import pytest

from halftone.serving.gateway.upstream import LambdaUpstream, ReplyStatus

BEHAVES = """
import os, time

def handler(event, context):
    what = event.get("what")
    if what == "raise":
        raise KeyError("secret")
    if what == "die":
        os._exit(1)
    if what == "sleep":
        time.sleep(3)
    if what == "broken":
        return "no answer"
    status = {"stale": 421, "bad": 422, "failed": 503}.get(what, 200)
    return {"statusCode": status, "headers": {}, "body": context.function_version}
"""


@pytest.fixture
def hop(function, aws, monkeypatch):
    fn = function(BEHAVES, f"{BEHAVES}\n# the second version")
    fn.alias("challenger", "2")
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    upstream = LambdaUpstream(fn.name)
    upstream.prepare(5.0)
    return upstream


@pytest.mark.parametrize(
    ("what", "outcome", "why"),
    [
        ("answer", ReplyStatus.ANSWERED, ""),
        ("bad", ReplyStatus.ANSWERED, ""),
        ("failed", ReplyStatus.ERROR, "status 503"),
        ("raise", ReplyStatus.ERROR, "KeyError"),
        ("die", ReplyStatus.ERROR, "Runtime.ExitError"),
        ("broken", ReplyStatus.ERROR, "no answer of HTTP"),
        ("stale", ReplyStatus.MISDIRECTED, ""),
    ],
)
def test_each_way_in_which_a_version_can_end_is_told_apart(hop, what, outcome, why):
    reply = hop.ask("challenger", {"what": what}, 10.0)
    assert (reply.outcome, reply.why) == (outcome, why)
    if outcome is ReplyStatus.ANSWERED:
        assert reply.answer["body"] == "2"
    assert hop.ask("1", {}, 10.0).answer["body"] == "1", "and the next one is answered"


def test_a_version_that_takes_too_long_is_not_waited_for(hop):
    hop.ask("challenger", {}, 10.0)
    began = time.monotonic()
    assert hop.ask("challenger", {"what": "sleep"}, 0.3).outcome is ReplyStatus.TIMEOUT
    assert time.monotonic() - began < 1.5


def test_a_qualifier_that_is_not_there_was_not_reached(hop):
    reply = hop.ask("9", {}, 10.0)
    assert (reply.outcome, reply.why) == (ReplyStatus.UNAVAILABLE, "ResourceNotFoundException")


def test_an_asynchronous_hop_by_alias_is_answered_at_once(hop):
    began = time.monotonic()
    assert hop.send("challenger", {"what": "sleep"})
    assert time.monotonic() - began < 1.5
    assert not hop.send("challenger", {"text": "x" * 300_000}), "more than Lambda takes"
