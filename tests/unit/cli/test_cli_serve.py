"""``halftone serve``: HTTP to a package and back, as API Gateway and Lambda would do it."""

import base64
import http.client
import json
import shlex
import socket
import statistics
import struct
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from halftone.packaging.folder import build_package
from halftone_cli.local import gateway
from halftone_cli.local.gateway import HttpRequest, event_of
from halftone_cli.local.sandbox import Limits, Sandbox
from halftone_cli.local.server import LocalEndpoint, Source
from halftone_local.machine import free_port
from tests.support.packages import folder_with

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
ECHO = """
import sys
def run(instances):
    print("said by the model")
    return [{"y": 2 * record["x"]} for record in instances]
"""


@pytest.fixture
def folder(tmp_path):
    return folder_with(tmp_path / "doubler", ECHO)


@pytest.fixture
def serving(offline):
    """Serve a path until ``during(url)`` has run; what the command left behind."""

    def serve(path, during, *words):
        port = free_port()

        def wait():
            during(f"http://127.0.0.1:{port}")
            raise KeyboardInterrupt

        return offline("serve", path, "--port", port, *words, while_waiting=wait)

    return serve


def ask(base, body=b'{"instances":[{"x":4}]}', *, method="POST", path=None, **headers):
    """The answer's status, headers and body."""
    host = base.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=10)
    connection.request(method, path or "/endpoints/doubler/invocations", body, headers)
    answer = connection.getresponse()
    result = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return result


def test_it_answers_as_the_endpoint_would_until_ctrl_c(serving, folder):
    answers = []

    ran = serving(folder, lambda base: answers.append(ask(base)))

    [(status, headers, body)] = answers
    assert (status, json.loads(body)) == (200, {"predictions": [{"y": 8.0}]})
    assert headers["x-halftone-version"] == "local"
    assert len(headers["x-request-id"]) == len("acbbe3f8-ca90-4655-84c8-2b84d0d84327.local")
    assert ran.code == 0
    assert ran.out.splitlines()[0].startswith("serving doubler@")
    assert "POST /endpoints/doubler/invocations 200 " in ran.err
    assert ran.err.endswith("stopped\n")


def test_the_curl_line_works_when_pasted(serving, folder):
    statement = []

    ran = serving(folder, statement.append, "--json")

    parts = shlex.split(ran.json["curl"])
    assert ran.json["url"] == f"{statement[0]}/endpoints/doubler/invocations" == parts[-1]
    assert parts[0] == "curl"
    assert json.loads(parts[parts.index("-d") + 1]) == {"instances": [{"x": 1.5}]}


def test_what_the_model_prints_stays_out_of_stdout(serving, folder):
    ran = serving(folder, ask, "--json")

    assert set(ran.json) == {"endpoint", "url", "package", "curl"}
    assert "said by the model" in ran.err


def test_the_log_is_shown_to_who_asks(serving, folder):
    assert '"Requests":1' in serving(folder, ask, "--log").err
    assert '"Requests":1' not in serving(folder, ask).err


def test_where_a_model_raised_is_shown_to_everybody(serving, folder):
    (folder / "predict.py").write_text("def run(instances):\n    return instances[0]['nothing']\n")
    errors = serving(folder, ask).err
    assert '"exception": "KeyError"' in errors
    assert "predict.py:2 run" in errors


def test_a_changed_file_is_taken_in_and_a_broken_one_is_not(offline, folder):
    statement = []
    endpoint = LocalEndpoint(
        Source(folder), folder.parent / "scratch", log=lambda _: None, note=statement.append
    )
    request = HttpRequest("POST", "/endpoints/doubler/invocations", body=b'{"instances":[{"x":4}]}')
    assert not endpoint.reload()

    (folder / "predict.py").write_text(ECHO.replace("2 *", "3 *"))
    assert endpoint.reload()
    assert json.loads(endpoint(request).body)["predictions"] == [{"y": 12.0}]

    (folder / "model.yaml").write_text("name: [")
    assert not endpoint.reload()
    assert statement[-1].startswith("not reloaded: ")
    assert endpoint(request).status == 200


def test_a_declaration_brings_its_name_and_limits(offline, serving, tmp_path):
    offline("init", tmp_path / "eta")
    source = tmp_path / "eta" / "endpoint.yaml"
    source.write_text(source.read_text() + "max_body: 10\n")
    answers = []

    serving(
        tmp_path / "eta",
        lambda base: answers.append(
            ask(base, b'{"instances": []}', path="/endpoints/eta/invocations")
        ),
    )

    assert answers[0][0] == 413
    assert b"expected at most 10" in answers[0][2]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["missing"], "package is 'No such file or directory'"),
        ([".", "--port", "99999"], "--port is 99999, expected a free port on 127.0.0.1"),
    ],
)
def test_what_cannot_be_served_is_one_line(offline, folder, monkeypatch, words, told):
    monkeypatch.chdir(folder)

    ran = offline("serve", *words)

    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err
    assert ran.err.splitlines()[-1].startswith("error: ")


def test_wrong_samples_are_told_and_served_all_the_same(serving, tmp_path):
    folder = folder_with(tmp_path / "doubler", ECHO.replace("2 *", "5 *"))
    answers = []

    ran = serving(folder, lambda base: answers.append(ask(base)[0]))

    assert answers == [200]
    assert "warning: sample 1 of 1: predictions[0].y is 7.5, expected 3.0" in ran.err


def sandbox(folder, timeout=10.0, log=lambda _: None):
    limits = Limits("doubler", timedelta(seconds=timeout), timedelta(seconds=1), max_body=1_000_000)
    return Sandbox(build_package(folder), limits, folder.parent / "scratch", log)


SLEEPER = """
import time
calls = []
def run(instances):
    calls.append(1)
    if len(calls) == 2:
        time.sleep(30)
    return [{"y": 2 * record["x"]} for record in instances]
"""


def test_a_model_over_its_timeout_is_a_503_and_is_started_anew(tmp_path):
    statement = []
    served = sandbox(folder_with(tmp_path / "doubler", SLEEPER), timeout=0.3, log=statement.append)
    request = HttpRequest("POST", "/endpoints/doubler/invocations", body=b'{"instances":[{"x":4}]}')

    assert [served(request).status for _ in range(2)] == [200, 503]

    assert statement[-1] == "the model took longer than the timeout of 0.3 s"


def test_one_request_at_a_time_reaches_the_model(tmp_path):
    folder = folder_with(
        tmp_path / "doubler",
        """
import time
inside = []
def run(instances):
    inside.append(1)
    time.sleep(0.05)
    if len(inside) > 1:
        raise RuntimeError("two at once")
    inside.pop()
    return [{"y": 3.0} for record in instances]
""",
    )
    served = sandbox(folder)
    request = HttpRequest("POST", "/endpoints/doubler/invocations", body=b'{"instances":[{"x":4}]}')
    statuses = []
    threads = [
        threading.Thread(target=lambda: statuses.append(served(request).status)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [200] * 4


def test_a_body_that_lambda_would_not_take_is_refused(folder):
    answer = sandbox(folder)(
        HttpRequest("POST", "/endpoints/doubler/invocations", body=b"x" * 6_000_001)
    )

    assert (answer.status, json.loads(answer.body)) == (413, {"message": "Request Too Long"})


def test_events_have_the_form_of_payload_format_2():
    request = HttpRequest(
        "POST",
        "/endpoints/a%20b/invocations?q=1&q=2&e=",
        (
            ("Host", "h"),
            ("X-Twice", "a"),
            ("x-twice", "b"),
            ("Cookie", "c=1; d=2"),
            ("Content-Type", "application/json"),
        ),
        b'{"a":1}',
    )

    event = event_of(request, NOW)

    assert event["version"] == "2.0"
    assert event["rawPath"] == "/endpoints/a b/invocations"
    assert event["rawQueryString"] == "q=1&q=2&e="
    assert event["queryStringParameters"] == {"q": "1,2", "e": ""}
    assert event["headers"] == {
        "host": "h",
        "x-twice": "a,b",
        "content-type": "application/json",
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-port": "80",
        "x-forwarded-proto": "http",
    }
    assert event["cookies"] == ["c=1", "d=2"]
    assert (event["body"], event["isBase64Encoded"]) == ('{"a":1}', False)
    assert event["requestContext"]["http"]["method"] == "POST"
    assert event["requestContext"]["time"] == "31/Jan/2026:12:00:00 +0000"


def test_a_body_that_is_no_text_is_base64():
    request = HttpRequest("POST", "/", (("content-type", "application/octet-stream"),), b"\x00a")

    event = event_of(request, NOW)

    assert base64.b64decode(event["body"]) == b"\x00a"
    assert event["isBase64Encoded"] is True


@pytest.mark.parametrize("response", [None, {}, {"errorMessage": "it crashed"}])
def test_what_is_no_answer_is_a_500_of_the_gateways_own(response):
    answer = gateway.response_of(response)

    assert (answer.status, answer.body) == (500, b'{"message": "Internal Server Error"}')


def test_binary_answers_and_cookies_come_out_as_they_went_in():
    answer = gateway.response_of(
        {
            "statusCode": 201,
            "headers": {"x-a": "b"},
            "cookies": ["c=1"],
            "body": base64.b64encode(b"\x00").decode(),
            "isBase64Encoded": True,
        }
    )

    assert (answer.status, answer.body) == (201, b"\x00")
    assert answer.headers == (("x-a", "b"), ("set-cookie", "c=1"))


def raw(base, sent, *, wait=5.0):
    """All that comes back for these bytes; the client says no more."""
    host, port = base.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=wait) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while part := connection.recv(65_536):
            received += part
    return received


POST = b"POST /endpoints/doubler/invocations HTTP/1.1\r\nhost: h\r\n"
BODY = b'{"instances":[{"x":4}]}'


def chunked(*chunks):
    ports = [b"%x;a=b\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks]
    return POST + b"transfer-encoding: chunked\r\n\r\n" + b"".join(ports) + b"0\r\nx: y\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (chunked(BODY), 200),
        (chunked(BODY[:5], BODY[5:]), 200),
        (POST + b"transfer-encoding: chunked\r\n\r\nxyz\r\n", 400),
        (POST + b"transfer-encoding: chunked\r\n\r\n%x\r\nabc" % (2**40), 413),
        (POST + b"transfer-encoding: chunked\r\n\r\n5\r\nabc", 400),
        (POST + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
        (POST + b"transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n", 400),
        (POST + b"content-length: 23\r\n\r\n" + BODY, 200),
        (POST + b"content-length: 23\r\ncontent-length: 23\r\n\r\n" + BODY, 200),
        (POST + b"content-length: 23\r\ncontent-length: 22\r\n\r\n" + BODY, 400),
        (POST + b"content-length: 24\r\n\r\n" + BODY, 400),
        (POST + b"content-length: " + b"9" * 5000 + b"\r\n\r\n", 400),
        (POST + b"content-length: 9999999\r\n\r\n", 413),
        (POST + b"content-length: -1\r\n\r\n", 400),
        (POST + b"content-length: +1\r\n\r\n", 400),
        (POST + "content-length: \u0663\r\n\r\n".encode(), 400),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET " + b"x" * 30_000 + b" y HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n", 431),
        (b"GET / HTTP/9.9\r\n\r\n", 505),
        (b"\x16\x03\x01\x00\xff\r\n\r\n", 400),
    ],
)
def test_any_framing_of_a_body_is_read_or_refused_in_short(serving, folder, sent, status):
    received = []

    ran = serving(folder, lambda base: received.append(raw(base, sent)))

    assert received[0].split(b" ")[1] == str(status).encode()
    assert len(received[0]) < 1500
    assert "Traceback" not in ran.err


def test_a_kept_connection_has_its_answers_at_once(serving, folder):
    spent = []

    def during(base):
        connection = http.client.HTTPConnection(base.removeprefix("http://"), timeout=10)
        for _ in range(12):
            began = time.perf_counter()
            connection.request("POST", "/endpoints/doubler/invocations", BODY)
            assert connection.getresponse().read() == b'{"predictions":[{"y":8.0}]}'
            spent.append(time.perf_counter() - began)
        connection.close()

    serving(folder, during)

    assert statistics.median(spent) < 0.02, "no 40 ms of a delayed acknowledgement"


def test_a_client_that_resets_leaves_no_trace(serving, folder):
    def during(base):
        host, port = base.removeprefix("http://").split(":")
        for sent in (b"", b"POST / HT", POST + b"content-length: 100\r\n\r\nx"):
            connection = socket.create_connection((host, int(port)), timeout=5)
            linger = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            connection.sendall(sent)
            time.sleep(0.05)
            connection.close()
        assert ask(base)[0] == 200

    ran = serving(folder, during)

    assert "Traceback" not in ran.err
    assert "failed" not in ran.err


def test_a_slow_client_is_given_up(serving, folder, monkeypatch):
    monkeypatch.setattr("halftone_cli.local.server._Handler.timeout", 0.2)
    received = []

    def during(base):
        host, port = base.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(POST + b"content-length: 100\r\n\r\nx")
            received.append(connection.recv(1000))

    ran = serving(folder, during)

    assert received == [b""]
    assert "Traceback" not in ran.err


def test_an_app_is_told_how_it_was_reached():
    request = HttpRequest(
        "GET",
        "/",
        (("Host", "h:8080"), ("X-Forwarded-For", "1.2.3.4"), ("X-Name", "Zo\u00c3\u00ab")),
    )

    headers = event_of(request, NOW)["headers"]

    assert headers["x-forwarded-proto"] == "http"
    assert headers["x-forwarded-port"] == "8080"
    assert headers["x-forwarded-for"] == "1.2.3.4, 127.0.0.1"
    assert headers["x-name"] == "Zo\u00eb", "http.server reads UTF-8 as Latin-1"
