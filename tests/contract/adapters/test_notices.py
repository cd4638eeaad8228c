"""Notices on EventBridge, SQS, SNS and HTTP, and their subscriptions in the table."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import pytest

from halftone.adapters.aws.dynamodb.subscriptions import DynamoSubscriptions
from halftone.adapters.aws.notice_sender import NoticeSender
from halftone.adapters.aws.notices import NoticeBus, NoticeQueue
from halftone.domain.audit import AuditHead, append
from halftone.domain.errors import ConcurrentWrite, Unavailable
from halftone.domain.notices.notice import notice_of
from halftone.domain.notices.subscription import Channel
from halftone.entrypoints.notices import queued, recorded
from halftone.ports.notices import Delivery, Undelivered
from halftone.testing import MemorySubscriptions
from tests.contract.store.changes import create_table
from tests.support.notices import START, chain, subscription

NOTICE = notice_of(chain("fence")[0], "dev")
Aws = Callable[[str], Any]


class Subscriber(BaseHTTPRequestHandler):
    """Answers as its path says, and keeps what it was sent."""

    posts: list[tuple[str, dict[str, str], bytes]] = []  # noqa: RUF012 - of the class on purpose

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.posts.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        self.send_response(int(self.path.rpartition("/")[2]))
        self.send_header("location", "http://127.0.0.1:1/elsewhere")
        self.send_header("content-length", "4")
        self.end_headers()
        self.wfile.write(b"busy")

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def subscriber() -> Iterator[str]:
    Subscriber.posts.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Subscriber)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(params=["in memory", "on DynamoDB"])
def subscriptions(request: pytest.FixtureRequest, aws: Aws) -> Any:
    if request.param == "in memory":
        return MemorySubscriptions()
    dynamodb = aws("dynamodb")
    return DynamoSubscriptions(dynamodb, create_table(dynamodb))


def record_of(key: str, head: AuditHead = AuditHead()) -> Any:  # noqa: B008 - a value
    return append(
        head,
        endpoint=f"subscription:{key}",
        at=START,
        actor="ann",
        action="subscribed",
        before={},
        after={},
        reason="why",
        numbers={},
    )


def test_subscriptions_are_kept_with_their_records(subscriptions: Any) -> None:
    made, record = subscription(), record_of("0123456789ab")
    subscriptions.commit_subscription(None, made, record, request="r1")
    assert list(subscriptions.subscriptions()) == [made]
    assert list(subscriptions.subscription_audit(made.id)) == [record]
    following = record_of(made.id, record.head)
    ended = replace(made, ended="enough", revision=2)
    with pytest.raises(ConcurrentWrite):
        subscriptions.commit_subscription(None, ended, following)
    subscriptions.commit_subscription(made, ended, following)
    assert list(subscriptions.subscriptions()) == [ended]


def test_what_was_given_up_is_listed_newest_first(subscriptions: Any) -> None:
    entries = [
        Undelivered(
            "0123456789ab", f"{n}" * 64, "title", START + timedelta(hours=n), START, "refused"
        )
        for n in (1, 2, 3)
    ]
    for entry in (*entries, entries[1]):
        subscriptions.keep_undelivered(entry)
    assert list(subscriptions.undelivered("0123456789ab", most=2)) == [entries[2], entries[1]]
    assert list(subscriptions.undelivered("ffffffffffff", most=2)) == []


def test_a_webhook_gets_signed_json(subscriber: str) -> None:
    hook = subscription(address=f"{subscriber}/hook/200")
    NoticeSender(None, ["127.0.0.1"]).send(hook, NOTICE, START)  # type: ignore[arg-type]
    ((path, headers, body),) = Subscriber.posts
    assert path == "/hook/200"
    assert headers["webhook-id"] == json.loads(body)["id"] == NOTICE.id
    assert headers["webhook-signature"].startswith("v1,")


@pytest.mark.parametrize("channel", [Channel.SLACK, Channel.TEAMS])
def test_chats_get_a_text(channel: Channel, subscriber: str) -> None:
    chat = subscription(channel=channel, address=f"{subscriber}/200")
    NoticeSender(None, ["127.0.0.1"]).send(chat, NOTICE, START)  # type: ignore[arg-type]
    ((_, headers, body),) = Subscriber.posts
    assert NOTICE.title in json.loads(body)["text"]
    assert "webhook-signature" not in headers


@pytest.mark.parametrize("status", [301, 307, 400, 410, 500])
def test_any_answer_but_a_2xx_is_a_failure_that_says_so(status: int, subscriber: str) -> None:
    """Redirects as well: they may lead to where no address was checked."""
    hook = subscription(address=f"{subscriber}/{status}")
    with pytest.raises(Unavailable, match=f"127.0.0.1 answered {status}: busy"):
        NoticeSender(None, ["127.0.0.1"]).send(hook, NOTICE, START)  # type: ignore[arg-type]
    assert len(Subscriber.posts) == 1


def test_a_name_that_leads_to_a_private_address_is_not_called(subscriber: str) -> None:
    hook = subscription(address=subscriber.replace("127.0.0.1", "localhost") + "/200")
    with pytest.raises(Unavailable, match="which is not public"):
        NoticeSender(None).send(hook, NOTICE, START)  # type: ignore[arg-type]
    assert not Subscriber.posts


def test_a_topic_gets_a_text_with_attributes_to_filter_by(aws: Aws) -> None:
    sns, sqs = aws("sns"), aws("sqs")
    topic = sns.create_topic(Name="halftone-dev-oncall")["TopicArn"]
    url = sqs.create_queue(QueueName="mail")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["QueueArn"])
    NoticeSender(sns).send(subscription(channel=Channel.SNS, address=topic), NOTICE, START)
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    sent = json.loads(message["Body"])
    assert sent["Subject"] == NOTICE.title
    assert sent["MessageAttributes"]["severity"]["Value"] == "alert"


def test_every_notice_is_an_event_on_the_bus(aws: Aws) -> None:
    events, sqs = aws("events"), aws("sqs")
    events.create_event_bus(Name="halftone-dev")
    url = sqs.create_queue(QueueName="events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    pattern = json.dumps({"source": ["halftone"], "detail-type": ["rollout.rolling_back"]})
    events.put_rule(Name="back", EventBusName="halftone-dev", EventPattern=pattern)
    target = {"Id": "1", "Arn": arn["QueueArn"]}
    events.put_targets(Rule="back", EventBusName="halftone-dev", Targets=[target])
    NoticeBus(events, "halftone-dev").publish([NOTICE] * 11)
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert {json.loads(m["Body"])["detail"]["id"] for m in received} == {NOTICE.id}


def test_events_that_the_bus_did_not_take_are_an_error(stubbed: Any) -> None:
    events, stubber = stubbed("events")
    stubber.add_response("put_events", {"FailedEntryCount": 1, "Entries": []})
    with pytest.raises(Unavailable, match="all but 1 of 1"):
        NoticeBus(events, "halftone-dev").publish([NOTICE])


def test_what_is_queued_is_read_as_it_was(aws: Aws) -> None:
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName="deliveries")["QueueUrl"]
    delivery = Delivery("0123456789ab", NOTICE, attempt=3)
    NoticeQueue(sqs, url).enqueue([(delivery, timedelta())] * 11)
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    event = {"Records": [{"messageId": m["MessageId"], "body": m["Body"]} for m in received]}
    assert {read for _, read in queued(event)} == {delivery}


def test_deliveries_that_the_queue_did_not_take_are_an_error(stubbed: Any) -> None:
    sqs, stubber = stubbed("sqs")
    failed = {"Id": "0", "SenderFault": False, "Code": "InternalError", "Message": "try again"}
    stubber.add_response("send_message_batch", {"Successful": [], "Failed": [failed]})
    with pytest.raises(Unavailable, match="try again"):
        NoticeQueue(sqs, "https://sqs/q").enqueue([(Delivery("a", NOTICE), timedelta())])


def test_only_new_records_of_the_stream_are_read() -> None:
    record = chain("fence")[0]
    body = {"S": msgspec.json.encode(record).decode()}

    def change(name: str, sort_key: str) -> dict[str, Any]:
        image = {"pk": {"S": "ENDPOINT#fraud"}, "sk": {"S": sort_key}, "body": body}
        return {"eventName": name, "dynamodb": {"SequenceNumber": "7", "NewImage": image}}

    changes = [
        change("INSERT", "AUDIT#000000000001"),
        change("MODIFY", "AUDIT#000000000001"),
        change("INSERT", "STATE"),
        {"eventName": "REMOVE", "dynamodb": {"SequenceNumber": "8"}},
    ]
    assert list(recorded({"Records": changes})) == [("7", record)]
