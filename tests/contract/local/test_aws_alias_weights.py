"""Weighted aliases: "Lambda alias routing configuration" in the Lambda developer guide."""

from collections import Counter

VERSION = """
import os
def handler(event, context):
    return {"version": context.function_version, "env": os.environ["AWS_LAMBDA_FUNCTION_VERSION"],
            "arn": context.invoked_function_arn, "code": %d}
"""
# 300 draws at 30 %: 90 expected, and outside 55 to 125 once in 100,000 runs.
DRAWS, LEAST, MOST = 300, 55, 125


def test_the_other_version_gets_its_share_and_is_in_the_header(function):
    fn = function(VERSION % 1, VERSION % 2)
    arn = fn.alias("live", "1", _2=0.3)
    answers = [fn.invoke(Qualifier="live") for _ in range(DRAWS)]
    for answer in answers:
        payload = answer["Payload"]
        assert answer["ExecutedVersion"] == payload["version"] == payload["env"]
        assert payload["code"] == int(payload["version"])
        assert payload["arn"] == arn
    counts = Counter(answer["ExecutedVersion"] for answer in answers)
    assert LEAST <= counts["2"] <= MOST


def test_the_split_holds_through_an_http_api(function, http_route):
    fn = function(VERSION % 1, VERSION % 2)
    arn = fn.alias("live", "1", _2=0.3)
    get = http_route(arn)
    bodies = [get()[1] for _ in range(DRAWS)]
    assert {body["arn"] for body in bodies} == {arn}
    assert LEAST <= Counter(body["version"] for body in bodies)["2"] <= MOST


def test_a_weight_of_zero_or_none_sends_nothing(function):
    fn = function(VERSION % 1, VERSION % 2)
    fn.alias("live", "1", _2=0.0)
    fn.alias("plain", "2")
    assert {fn.invoke(Qualifier="live")["ExecutedVersion"] for _ in range(30)} == {"1"}
    assert {fn.invoke(Qualifier="plain")["ExecutedVersion"] for _ in range(5)} == {"2"}


def test_an_invoke_of_a_version_or_no_qualifier_is_never_drawn(function):
    fn = function(VERSION % 1, VERSION % 2)
    fn.alias("live", "1", _2=1.0)
    assert fn.invoke(Qualifier="1")["ExecutedVersion"] == "1"
    assert fn.invoke(Qualifier="1")["Payload"]["arn"] == f"{fn.arn}:1"
    assert fn.invoke()["ExecutedVersion"] == "$LATEST"
    assert fn.invoke()["Payload"]["arn"] == fn.arn


def test_an_aliass_configuration_is_that_of_its_own_version(function, client):
    fn = function(VERSION % 1, VERSION % 2)
    fn.alias("live", "1", _2=0.5)
    read = [
        client("lambda").get_function(FunctionName=fn.name, Qualifier="live") for _ in range(20)
    ]
    assert {answer["Configuration"]["Version"] for answer in read} == {"1"}
