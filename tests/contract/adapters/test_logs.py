"""Log lines in memory and on CloudWatch Logs: the same replicas, lines and tokens.

moto has streams, events and tokens; what only CloudWatch does (empty pages, throttling, times that
lag) is answered to the adapter in its own words.
"""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ReadTimeoutError

from halftone.adapters.aws.cloudwatch_logs import CloudWatchLogs
from halftone.domain.errors import InvalidInput, NotFound, Unavailable
from halftone.domain.insight.logs import Replica
from halftone.testing import MemoryLogs

GROUP = "/aws/lambda/halftone-dev-fraud"
# CloudWatch takes no lines of the distant past.
START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
OLD, NEW = "2026/01/31/[1]" + "a" * 32, "2026/01/31/halftone-dev-fraud[2]" + "b" * 32
FIRST, SECOND = Replica(OLD, "1"), Replica(NEW, "2")


class OnAws:
    """Sandboxes that write into moto's log."""

    def __init__(self, client):
        self.client = client
        self.known = set()
        client.create_log_group(logGroupName=GROUP)

    def write(self, stream, at, *texts):
        if stream not in self.known:
            self.client.create_log_stream(logGroupName=GROUP, logStreamName=stream)
            self.known.add(stream)
        moment = int(at.timestamp() * 1000)
        self.client.put_log_events(
            logGroupName=GROUP,
            logStreamName=stream,
            logEvents=[{"timestamp": moment, "message": text} for text in texts],
        )


@pytest.fixture(params=["in memory", "on CloudWatch"])
def log(request):
    """The port, and what writes into the log of the endpoint ``fraud``."""
    if request.param == "in memory":
        memory = MemoryLogs()
        return memory, lambda *line: memory.write("fraud", *line)
    client = request.getfixturevalue("aws")("logs")
    return CloudWatchLogs(client, "dev"), OnAws(client).write


def texts(found):
    return [line.text for line in found.lines]


def minute(number):
    return START + timedelta(minutes=number)


def test_replicas_are_told_by_version_the_last_to_write_first(log):
    logs, write = log
    write(OLD, minute(0), "one")
    write(NEW, minute(1), "two")
    write(OLD, minute(2), "three")
    write("2026/01/31/no-sandbox", minute(3), "x")
    assert logs.replicas("fraud") == (
        (Replica(OLD, "1", minute(0), minute(2)), Replica(NEW, "2", minute(1), minute(1))),
        "",
    )


def test_replicas_by_name_do_not_change_places(log):
    logs, write = log
    write(NEW, minute(0), "one")
    write(OLD, minute(1), "two")
    write(NEW, minute(2), "three")
    result, _ = logs.replicas("fraud", by_name=True)
    assert [replica.stream for replica in result] == [OLD, NEW]


def test_an_endpoint_without_a_log_has_no_replicas(log):
    assert log[0].replicas("spam") == ((), "")


def test_more_replicas_than_a_page_are_all_found(log):
    logs, write = log
    for number in range(60):
        write(f"2026/01/31/[1]{number:032d}", minute(0) + timedelta(seconds=number), "x")
    first, token = logs.replicas("fraud")
    second, end = logs.replicas("fraud", token=token)
    assert (len(first), len(second), end) == (50, 10, "")
    assert len({replica.stream for replica in (*first, *second)}) == 60


def test_the_newest_lines_come_oldest_first_in_utc(log):
    logs, write = log
    for number in range(5):
        write(OLD, minute(number), f"line {number}")
    page = logs.newest("fraud", FIRST, 3)
    assert texts(page) == ["line 2", "line 3", "line 4"]
    assert [line.at for line in page.lines] == [minute(2), minute(3), minute(4)]
    assert {(line.stream, line.version) for line in page.lines} == {(OLD, "1")}
    assert texts(logs.newest("fraud", FIRST, 2000)) == [f"line {n}" for n in range(5)]


def test_what_follows_the_newest_lines_is_found_once(log):
    logs, write = log
    write(OLD, minute(0), "one", "two")
    page = logs.newest("fraud", FIRST, 1)
    quiet = logs.onward("fraud", FIRST, page.token, 10)
    assert texts(quiet) == []
    write(OLD, minute(1), "three")
    write(NEW, minute(1), "another's")
    result = logs.onward("fraud", FIRST, quiet.token, 10)
    assert texts(result) == ["three"]
    assert texts(logs.onward("fraud", FIRST, result.token, 10)) == []


def test_a_log_is_read_from_its_first_line_a_page_at_a_time(log):
    logs, write = log
    for number in range(7):
        write(OLD, minute(number), f"line {number}")
    token, read = "", []
    for _ in range(3):
        page = logs.onward("fraud", FIRST, token, 3)
        read.append(texts(page))
        token = page.token
    assert read == [[f"line {n}" for n in r] for r in (range(3), range(3, 6), range(6, 7))]


def test_what_is_no_replica_is_named(log):
    logs, write = log
    write(OLD, minute(0), "one")
    for read in (
        lambda: logs.newest("fraud", SECOND, 9),
        lambda: logs.onward("fraud", SECOND, "", 9),
    ):
        with pytest.raises(NotFound, match=r"no replica .*\[2\]b"):
            read()


def test_what_is_no_token_is_refused(log):
    logs, write = log
    write(OLD, minute(0), "one")
    with pytest.raises(InvalidInput, match="token is 'x/y'"):
        logs.onward("fraud", FIRST, "x/y", 9)


def asked(token=None, head=False, limit=2000):
    fields = {"logGroupName": GROUP, "logStreamName": OLD, "startFromHead": head, "limit": limit}
    return {**fields, **({"nextToken": token} if token else {})}


def page(forward, backward, *lines):
    moment = int(START.timestamp() * 1000)
    return {
        "events": [{"timestamp": moment, "message": m, "ingestionTime": moment} for m in lines],
        "nextForwardToken": forward,
        "nextBackwardToken": backward,
    }


def test_an_empty_page_is_not_the_end_of_the_log(stubbed):
    client, stubber = stubbed("logs")
    logs = CloudWatchLogs(client, "dev")
    for answer, request in [
        (page("f/9", "b/9", "nine\n"), asked()),
        (page("f/8", "b/8"), asked("b/9", limit=1999)),
        (page("f/7", "b/7", "eight"), asked("b/8", limit=1999)),
        (page("f/7", "b/7"), asked("b/7", limit=1998)),
    ]:
        stubber.add_response("get_log_events", answer, request)
    result = logs.newest("fraud", FIRST, 2000)
    assert (texts(result), result.token) == (["eight", "nine"], "f/9")
    for answer, request in [
        (page("f/10", "b/10"), asked("f/9", head=True, limit=5)),
        (page("f/11", "b/11", "ten"), asked("f/10", head=True, limit=5)),
    ]:
        stubber.add_response("get_log_events", answer, request)
    result = logs.onward("fraud", FIRST, "f/9", 5)
    assert (texts(result), result.token) == (["ten"], "f/11")


@pytest.mark.parametrize("code", ["ThrottlingException", "ServiceUnavailableException"])
def test_a_log_that_is_throttled_or_out_is_unavailable(stubbed, code):
    client, stubber = stubbed("logs")
    logs = CloudWatchLogs(client, "dev")
    stubber.add_client_error("describe_log_streams", code)
    with pytest.raises(Unavailable, match=code):
        logs.replicas("fraud")
    stubber.add_response("get_log_events", page("f/9", "b/9", "nine"))
    stubber.add_client_error("get_log_events", code)
    with pytest.raises(Unavailable, match=code):
        logs.newest("fraud", FIRST, 2000)


def test_a_log_that_does_not_answer_is_unavailable(failing):
    error = ReadTimeoutError(endpoint_url="https://logs.eu-central-1.amazonaws.com")
    logs = CloudWatchLogs(failing("logs", error), "dev")
    with pytest.raises(Unavailable, match="did not answer while reading the log of 'fraud'"):
        logs.onward("fraud", FIRST, "", 9)
