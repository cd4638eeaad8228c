"""``halftone invoke`` over real HTTP on loopback, and straight on a version."""

import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support.engine import NAME


class Api(ThreadingHTTPServer):
    """Answers as an HTTP API does: ``replies`` in turn, as (version, status, body)."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies = [("1", 200, b'{"predictions":[{"y":2.0}]}')]
        self.seen = []
        self.headers = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        number = len(self.server.seen)
        self.server.seen.append((self.path, self.headers["content-type"], body.decode()))
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        version, status, answer = self.server.replies[number % len(self.server.replies)]
        if status == 0:
            self.close_connection = True
            return
        self.send_response(status)
        if version:
            self.send_header("x-halftone-version", version)
            self.send_header("x-request-id", f"r-{number}")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        """Silent."""


@pytest.fixture
def api(cli):
    server = Api()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    cli.api = server.url
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def serving(cli, api):
    """The command on a stage where risk-1 serves."""
    cli.endpoint.serve("risk-1")
    return cli


def test_it_sends_the_champions_first_sample_and_names_it(serving, api):
    ran = serving("invoke", NAME)

    assert api.seen == [
        ("/endpoints/fraud/invocations", "application/json", '{"instances":[{"x":1.0}]}')
    ]
    assert ran.code == 0
    answer, _, message = ran.out.rpartition("status")
    assert json.loads(answer) == {"predictions": [{"y": 2.0}]}
    assert message == " 200 by version 1\n"


def test_data_is_sent_as_given_from_the_line_a_file_or_stdin(serving, api, tmp_path):
    body = '{"instances": [{"y": 7}]}'
    file = tmp_path / "request.json"
    file.write_text(body)

    assert serving("invoke", NAME, "--data", body).code == 0
    assert serving("invoke", NAME, "--data", f"@{file}").code == 0
    assert serving("invoke", NAME, "--data", "-", typed=body).code == 0

    assert [sent for _, _, sent in api.seen] == [body] * 3


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("{nonsense", "--data is '{nonsense', expected JSON ("),
        ("@/no/such/file", "--data is '@/no/such/file', expected a file of JSON ("),
        ("-", "stdin is '', expected JSON ("),
    ],
)
def test_data_that_is_no_json_is_not_sent(serving, api, data, told):
    ran = serving("invoke", NAME, "--data", data)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {told}")
    assert api.seen == []


def test_count_tallies_versions_and_statuses(serving, api):
    api.replies = [("1", 200, b"{}"), ("1", 200, b"{}"), ("2", 200, b"{}"), ("2", 500, b"{}")]

    ran = serving("invoke", NAME, "--count", "8", "--json")

    assert ran.code == 1
    assert ran.json["requests"] == len(api.seen) == 8
    assert ran.json["tally"] == [
        {"version": "1", "status": 200, "requests": 4},
        {"version": "2", "status": 200, "requests": 2},
        {"version": "2", "status": 500, "requests": 2},
    ]
    assert ran.json["first"] == {"status": 200, "version": "1", "request_id": "r-0", "body": {}}


def test_the_tally_for_people_has_shares(serving, api):
    api.replies = [("1", 200, b"{}"), ("1", 200, b"{}"), ("2", 200, b"{}"), ("1", 200, b"{}")]

    heading, first, second = serving("invoke", NAME, "-c", "4").out.splitlines()

    assert heading.split() == ["version", "status", "requests", "share"]
    assert first.split() == ["1", "200", "3", "75.0", "%"]
    assert second.split() == ["2", "200", "1", "25.0", "%"]


def test_a_problem_is_an_answer_and_exits_1(serving, api):
    api.replies = [("1", 422, b'{"title":"Unprocessable Content","field":"instances"}')]

    ran = serving("invoke", NAME, "--data", "{}", "--json")

    assert ran.code == 1
    assert ran.json["first"]["body"]["field"] == "instances"


def test_a_request_without_an_answer_counts_among_many(serving, api):
    api.replies = [("1", 200, b"{}"), ("", 0, b"")]

    ran = serving("invoke", NAME, "--count", "2", "--json")

    assert ran.code == 1
    assert {"version": None, "status": 0, "requests": 1} in ran.json["tally"]


def test_no_answer_at_all_is_unavailable(serving, api):
    api.replies = [("", 0, b"")]

    ran = serving("invoke", NAME)

    assert (ran.code, ran.out) == (6, "")
    assert ran.err.startswith(f"error: {api.url}/endpoints/fraud/invocations did not answer: ")


def test_an_api_without_that_route_is_not_found(serving, api):
    api.replies = [("", 404, b'{"message":"Not Found"}')]

    ran = serving("invoke", "nope", "--data", "{}")

    assert ran.code == 3
    assert "there is no endpoint 'nope'" in ran.err


def test_without_a_champion_there_is_no_sample_to_send(cli, api):
    cli.endpoint.release("risk-1")

    ran = cli("invoke", NAME)

    assert ran.code == 4
    assert ran.err == "error: 'fraud' has no champion to take a sample from: give --data\n"


def test_a_version_is_asked_directly_and_not_over_the_api(serving, api):
    ran = serving("invoke", NAME, "--direct", "1", "--json")

    assert ran.code == 0
    assert ran.json["first"]["version"] == "1"
    assert ran.json["first"]["body"] == {"predictions": [{"y": 2.0}]}
    assert api.seen == []


def test_a_version_that_was_never_published_is_not_found(serving):
    ran = serving("invoke", NAME, "--direct", "9")

    assert ran.code == 3
    assert ran.err == "error: there is no version '9'; 'fraud' has 1\n"


def test_a_deployment_is_asked_by_its_header_with_others(serving, api):
    ran = serving("invoke", NAME, "--deployment", "green", "-H", "X-User: 17", "-H", "a:b: c")

    assert ran.code == 0
    [sent] = api.headers
    assert (sent["x-halftone-deployment"], sent["x-user"], sent["a"]) == ("green", "17", "b: c")


@pytest.mark.parametrize(
    ("token", "sent"),
    [("ht_1_s", "Bearer ht_1_s"), ("clinic:ht_1_s", "Basic Y2xpbmljOmh0XzFfcw==")],
)
def test_a_clients_token_is_from_the_line_or_the_environment(serving, api, token, sent):
    assert serving("invoke", NAME, "--token", token).code == 0
    serving.environment["HALFTONE_TOKEN"] = token
    assert serving("invoke", NAME).code == 0

    assert [headers["authorization"] for headers in api.headers] == [sent, sent]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-H", "nonsense"], "--header is 'nonsense', expected a header such as"),
        (["-H", "a b: c"], "--header is 'a b: c'"),
        (["-H", "a: b\r\nc: d"], "--header is"),
        (["--deployment", "a b"], "--deployment is 'a b'"),
        (["--direct", "1", "--deployment", "2"], "--direct is '1', expected no --deployment"),
    ],
)
def test_what_makes_no_request_is_not_sent(serving, api, words, told):
    ran = serving("invoke", NAME, *words)

    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err
    assert api.seen == []


def test_ctrl_c_ends_a_count_with_the_answers_that_there_are(cli):
    cli.endpoint.serve("risk-1")
    versions = cli.endpoint.ports.versions

    class Interrupted:
        """Versions of which the third call is interrupted."""

        def __init__(self):
            self.left = 2

        def __getattr__(self, name):
            return getattr(versions, name)

        def invoke(self, *given):
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            return versions.invoke(*given)

    cli.ports = replace(cli.endpoint.ports, versions=Interrupted())

    ran = cli("invoke", NAME, "--direct", "1", "--count", "50", "--json")

    assert (ran.code, ran.json["requests"]) == (130, 2)
    assert ran.err == "interrupted: 2 of 50 requests were sent\n"
