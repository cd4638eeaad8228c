"""The client of the control API: what it sends, when it sends it again, what it makes of errors."""

import json
from types import SimpleNamespace

import pytest
from botocore.credentials import Credentials

from halftone.domain import errors as domain
from halftone_cli.control.api import ControlApi, Reply, Request
from halftone_cli.control.problems import ServerFault, error_of
from halftone_cli.errors import exit_code
from halftone_cli.stage import signing

OUT = domain.Unavailable("no answer")
THROTTLED = Reply(429, {}, b'{"message":"Too Many Requests"}')
BUSY = Reply(503, {"retry-after": "1"}, b'{"detail":"the table did not answer"}')
GATEWAY = Reply(503, {}, b'{"message":"Service Unavailable"}')
DONE = Reply(200, {"etag": '"7"'}, b'{"on":true}')


class Wire:
    """Answers with ``replies`` in turn, and remembers what was sent and slept."""

    def __init__(self, *replies):
        self.replies, self.sent, self.naps = list(replies), [], []
        self.api = ControlApi(self.send, sleep=self.naps.append, key="run-1-of-a-test")

    def send(self, request):
        self.sent.append(request)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply


@pytest.mark.parametrize("trouble", [OUT, THROTTLED, BUSY, GATEWAY])
def test_a_post_is_sent_again_with_the_same_key(trouble):
    wire = Wire(trouble, trouble, DONE)

    assert wire.api.post("/endpoints/fraud/releases", {"a": 1}).json == {"on": True}

    assert len(wire.sent) == 3
    assert len({request.headers["idempotency-key"] for request in wire.sent}) == 1
    assert wire.sent[0] == wire.sent[2]


def test_waits_are_those_that_the_api_asks_for_or_grow():
    wire = Wire(BUSY, OUT, OUT, DONE)

    wire.api.get("/endpoints")

    assert wire.naps == [1.0, 1.0, 2.0]


def test_it_gives_up_after_four_tries_with_the_last_reason():
    wire = Wire(OUT, OUT, OUT, BUSY)

    with pytest.raises(domain.Unavailable, match="the table did not answer"):
        wire.api.post("/uploads")

    assert (len(wire.sent), len(wire.naps)) == (4, 3)


def test_more_patience_than_a_person_has_is_not_asked_for():
    wire = Wire(Reply(503, {"retry-after": "600"}, b"{}"))

    with pytest.raises(domain.Unavailable):
        wire.api.get("/endpoints")

    assert wire.naps == []


def test_an_edit_that_may_have_been_written_is_not_sent_again():
    for trouble in (OUT, GATEWAY):
        wire = Wire(trouble)
        with pytest.raises(domain.Unavailable):
            wire.api.put("/endpoints/fraud/traffic", {}, etag='"3"')
        assert len(wire.sent) == 1


def test_an_edit_that_was_not_written_is_sent_again_as_read():
    wire = Wire(THROTTLED, BUSY, DONE)

    wire.api.put("/endpoints/fraud/traffic", {}, etag='"3"')

    assert [request.headers["if-match"] for request in wire.sent] == ['"3"'] * 3


def test_posts_of_one_run_have_keys_of_their_own():
    wire = Wire(DONE, DONE)

    wire.api.post("/uploads", part="upload")
    wire.api.post("/endpoints/fraud/releases")

    keys = [request.headers["idempotency-key"] for request in wire.sent]
    assert keys == ["run-1-of-a-test-upload", "run-1-of-a-test"]


def test_two_runs_have_different_keys():
    assert ControlApi(lambda _: DONE).key != ControlApi(lambda _: DONE).key


def test_parameters_are_encoded_and_none_is_left_out():
    wire = Wire(DONE)

    wire.api.get("/endpoints", name="a b", mine=True, group=None, limit=5)

    assert wire.sent[0].path == "/v1/endpoints?name=a+b&mine=true&limit=5"


def test_a_listing_is_read_to_its_end():
    pages = [{"items": [{"n": 1}, {"n": 2}], "next": "c"}, {"items": [{"n": 3}], "next": None}]
    wire = Wire(*(Reply(200, {}, json.dumps(page).encode()) for page in pages))

    assert [item["n"] for item in wire.api.items("/endpoints", limit=2)] == [1, 2, 3]
    assert wire.sent[1].path == "/v1/endpoints?cursor=c&limit=2"


def test_an_answer_that_is_no_json_is_no_answer():
    wire = Wire(Reply(200, {}, b"<html>"))

    with pytest.raises(domain.Unavailable, match="answered 200 without JSON"):
        wire.api.get("/endpoints")


def problem(status, kind, detail="it says why"):
    body = {"type": f"urn:halftone:problem:{kind}", "status": status, "detail": detail}
    return status, json.dumps(body).encode()


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (problem(400, "invalid-input"), domain.InvalidInput, 2),
        (problem(422, "key-reused"), domain.IdempotencyKeyReused, 2),
        (problem(403, "forbidden"), domain.Forbidden, 7),
        (problem(404, "not-found"), domain.NotFound, 3),
        (problem(409, "refused"), domain.Conflict, 4),
        (problem(409, "under-way"), domain.Conflict, 4),
        (problem(409, "stale-write"), domain.ConcurrentWrite, 4),
        (problem(409, "broken-chain"), domain.BrokenChain, 5),
        (problem(412, "outdated"), domain.PreconditionFailed, 4),
        (problem(503, "unavailable"), domain.Unavailable, 6),
        (problem(500, "fault"), ServerFault, 70),
    ],
)
def test_a_problem_becomes_the_error_that_it_was(answer, kind, code):
    error = error_of(*answer)

    assert isinstance(error, kind)
    assert str(error) == "it says why"
    assert exit_code(error).code == code


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (403, "API Gateway refuses the request"),
        (404, "the stage has no control API: deploy it again"),
        (429, "the control API is throttled"),
        (500, "the control API answered 500: Bad Gateway"),
        (502, "the control API answered 502: Bad Gateway"),
    ],
)
def test_what_api_gateway_says_itself_is_told_with_its_remedy(status, told):
    error = error_of(status, b'{"message":"Bad Gateway"}')

    assert str(error).startswith(told)
    assert exit_code(error).code == (7 if status == 403 else 6)


class Session:
    """boto3's session as far as signing needs it."""

    region_name = "eu-west-1"

    def __init__(self, credentials):
        self._credentials = credentials

    def get_credentials(self):
        return self._credentials


def test_requests_are_signed_with_spaces_as_aws_reads_them(monkeypatch):
    sent = []

    class Client:
        def __init__(self, **_):
            pass

        def send(self, prepared):
            sent.append(prepared)
            return SimpleNamespace(status_code=200, headers={"ETag": "1"}, content=b"")

    monkeypatch.setattr(signing, "URLLib3Session", Client)
    send = signing.signed(Session(Credentials("AKIAX", "secret", "token")), "https://api.example")

    reply = send(Request("POST", "/v1/uploads?a=b+c", {"idempotency-key": "k"}, b"{}"))

    [prepared] = sent
    assert (reply.status, reply.headers) == (200, {"etag": "1"})
    assert prepared.url == "https://api.example/v1/uploads?a=b%20c"
    assert prepared.headers["idempotency-key"] == "k"
    assert prepared.headers["X-Amz-Security-Token"] == "token"
    assert "/eu-west-1/execute-api/aws4_request" in prepared.headers["Authorization"]


def test_without_credentials_the_remedy_is_told():
    send = signing.signed(Session(None), "https://api.example")

    with pytest.raises(domain.Unavailable, match="no AWS credentials: sign in"):
        send(Request("GET", "/v1/endpoints", {}, b""))


def test_an_api_that_does_not_answer_is_unavailable():
    send = signing.signed(Session(Credentials("AKIAX", "secret")), "http://127.0.0.1:9")

    with pytest.raises(domain.Unavailable, match="did not answer"):
        send(Request("GET", "/v1/endpoints", {}, b""))
