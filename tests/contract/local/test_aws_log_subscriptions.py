"""What a subscriber to a log is handed, when, and how often.

"Log group-level subscription filters" and "Filter pattern syntax" in the CloudWatch Logs user
guide; "Error handling for asynchronous invocation" in the Lambda developer guide.
"""

import json

from tests.contract.local.support import eventually

SUBSCRIBER = """
import base64, gzip, json
def handler(event, context):
    told = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    print("GOT", json.dumps(told))
    if any("fail" in line["message"] for line in told["logEvents"]):
        raise ValueError("not now")
"""
WRITER = """
import json
def handler(event, context):
    for line in event["lines"]:
        print(line)
"""
PATTERN = '{ $.halftone = "*" }'


def subscribed(client, function, pattern=PATTERN):
    """A function that writes lines, and the deliveries that a subscriber got of them."""
    writer, subscriber = function(WRITER), function(SUBSCRIBER)
    logs, group = client("logs"), f"/aws/lambda/{writer.name}"
    writer.invoke({"lines": []})  # Lambda makes the log group
    logs.put_subscription_filter(
        logGroupName=group,
        filterName="harvest",
        filterPattern=pattern,
        destinationArn=subscriber.arn,
    )

    def deliveries():
        try:
            events = logs.filter_log_events(logGroupName=f"/aws/lambda/{subscriber.name}")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        told = [e["message"] for e in events if e["message"].startswith("GOT ")]
        return [json.loads(message.removeprefix("GOT ")) for message in told]

    return writer, deliveries, group


def test_json_lines_with_the_field_alone_are_delivered_together(client, function):
    writer, deliveries, group = subscribed(client, function)
    marked = [json.dumps({"halftone": "capture", "n": n}) for n in range(3)]
    others = ["halftone", '{"other": "halftone"}', '{"halftone": 5}', '"halftone"', "[1]"]
    writer.invoke({"lines": [*marked, *others]})
    (told,) = eventually(deliveries)
    assert told["messageType"] == "DATA_MESSAGE"
    assert told["logGroup"] == group
    assert told["subscriptionFilters"] == ["harvest"]
    assert [event["message"] for event in told["logEvents"]] == marked
    ids = [event["id"] for event in told["logEvents"]]
    assert len({*ids}) == 3
    assert ids == sorted(ids)


def test_a_failed_delivery_comes_twice_more_with_the_same_ids(client, function):
    writer, deliveries, _ = subscribed(client, function)
    writer.invoke({"lines": ['{"halftone": "fail"}']})
    told = eventually(lambda: len(deliveries()) >= 3 and deliveries())
    assert len(told) == 3
    assert told[0] == told[1] == told[2]


def test_a_value_can_be_asked_for(client, function):
    writer, deliveries, _ = subscribed(client, function, '{ $.halftone = "cap*" }')
    writer.invoke({"lines": ['{"halftone": "feedback"}', '{"halftone": "capture"}']})
    (told,) = eventually(deliveries)
    assert [event["message"] for event in told["logEvents"]] == ['{"halftone": "capture"}']
