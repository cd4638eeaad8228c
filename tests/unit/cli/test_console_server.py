"""The console's server lets in its own page, and nobody else who reaches the port."""

import http.client
import json
import re
from collections.abc import Mapping

import pytest

from halftone.domain.errors import InvalidInput, NotFound, Unavailable
from halftone_cli.control.api import Reply, Request
from halftone_cli.local.console import files as console_files
from halftone_cli.local.console.files import Bundle
from halftone_cli.local.console.server import ConsoleServer, ConsoleStage, serving_console


class World:
    """A server on a bundle of three files; ``sent`` is what reached the API."""

    def __init__(self, folder):
        (folder / "assets").mkdir()
        (folder / "index.html").write_text("<!doctype html><title>Halftone</title>")
        (folder / "assets" / "app-1.js").write_text("1")
        (folder / "assets" / "app-1.js.br").write_bytes(b"compressed")
        self.bundle = Bundle(folder)
        self.sent: list[Request] = []
        self.uploaded: list[tuple[str, Mapping[str, str], bytes]] = []
        self.reply = Reply(
            200, {"content-type": "application/json", "etag": '"7"', "x-secret": "s"}, b"{}"
        )
        self.fault: Exception | None = None
        self.server: ConsoleServer

    def send(self, request: Request) -> Reply:
        self.sent.append(request)
        if self.fault:
            raise self.fault
        return self.reply

    def ask(self, method="GET", path="/", body=None, secret=None, **headers):
        """One request as a browser sends it, unless ``headers`` say otherwise."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        fields = {"Host": f"127.0.0.1:{self.server.port}"}
        fields |= {"halftone-session": secret} if secret else {}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, {n: v for n, v in fields.items() if v is not None})
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, {n.lower(): v for n, v in response.getheaders()}, content

    def session(self) -> str:
        """The session's secret, by the key of the link."""
        key = self.server.link.partition("#key=")[2]
        status, _, body = self.ask("POST", "/session", json.dumps({"key": key}))
        assert status == 200
        return json.loads(body)["session"]


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    upload = lambda url, headers, data: world.uploaded.append((url, headers, data))  # noqa: E731
    stage = ConsoleStage("test", False, world.send, upload)
    with serving_console(stage, world.bundle) as world.server:
        yield world


def test_it_listens_on_loopback_alone(world):
    assert world.server.server_address[0] == "127.0.0.1"
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/#key=[\w-]{43}", world.server.link)


def test_the_key_of_the_link_opens_once(world):
    key = world.server.link.partition("#key=")[2]
    assert world.session()
    status, headers, body = world.ask("POST", "/session", json.dumps({"key": key}))
    assert (status, headers["content-type"]) == (403, "application/problem+json")
    assert "used before" in json.loads(body)["detail"]


@pytest.mark.parametrize("body", ["", "{}", "[]", '{"key": 5}', '{"key": "wrong"}', "[" * 5000])
def test_what_is_not_the_key_opens_nothing_and_uses_nothing_up(world, body):
    assert world.ask("POST", "/session", body)[0] == 403
    assert world.session()


@pytest.mark.parametrize("path", ["/v1/me", "/v1/endpoints/x/rollback", "/session", "/upload/x"])
@pytest.mark.parametrize("secret", [None, "wrong"])
def test_nothing_reaches_the_api_without_the_session(world, path, secret):
    world.session()
    status, _, body = world.ask("GET", path, secret=secret)
    assert status == 401
    assert "halftone console" in json.loads(body)["detail"]
    assert not world.sent


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
        {"Host": ""},
        {"Host": "127.0.0.1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_foreign_page_is_refused_even_with_the_session(world, headers, method):
    secret = world.session()
    status, _, _ = world.ask(method, "/v1/me", "{}", secret, **headers)
    assert status == 403
    assert not world.sent


@pytest.mark.parametrize("path", ["/", "/endpoints/fraud", "/assets/app-1.js", "/v1/me", "/no.js"])
def test_every_answer_has_the_policy_that_allows_one_origin(world, path):
    _, headers, _ = world.ask("GET", path)
    policy = headers["content-security-policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert not any("unsafe" in directive for directive in policy)
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert not [name for name in headers if name.startswith("access-control")]


def test_a_preflight_gets_no_leave(world):
    status, headers, _ = world.ask("OPTIONS", "/v1/me", Origin="http://evil.example")
    assert status == 403
    assert not [name for name in headers if name.startswith("access-control")]


def test_requests_go_on_with_the_headers_that_the_api_knows(world):
    secret = world.session()
    status, headers, body = world.ask(
        "POST",
        "/v1/x?a=b",
        '{"a": 1}',
        secret,
        Idempotency_Key="k" * 8,
        Cookie="c",
        Authorization="a",
    )
    assert (status, body) == (200, b"{}")
    sent = world.sent[-1]
    assert (sent.method, sent.path, sent.body) == ("POST", "/v1/x?a=b", b'{"a": 1}')
    assert dict(sent.headers) == {"idempotency-key": "k" * 8}
    assert headers["etag"] == '"7"'
    assert "x-secret" not in headers
    assert headers["cache-control"] == "no-store"


def test_a_stage_that_does_not_answer_is_a_problem_and_no_crash(world):
    world.fault = Unavailable("the API did not answer")
    status, headers, body = world.ask("GET", "/v1/me", secret=world.session())
    assert (status, headers["content-type"]) == (503, "application/problem+json")
    assert json.loads(body)["detail"] == "the API did not answer"


def test_the_page_stands_at_its_addresses_and_files_at_theirs(world):
    for path in ("/", "/endpoints/fraud/rollouts/fraud-1"):
        status, headers, body = world.ask("GET", path)
        assert (status, headers["cache-control"]) == (200, "no-store")
        assert b"<title>Halftone" in body
    status, headers, body = world.ask("GET", "/assets/app-1.js", Accept_Encoding="gzip, br")
    assert (status, headers["content-encoding"], body) == (200, "br", b"compressed")
    assert "immutable" in headers["cache-control"]
    for path in ("/assets/none.js", "/../secrets.txt", "/assets/../../pyproject.toml"):
        assert world.ask("GET", path)[0] == 404


def test_uploads_go_where_the_api_gave_leave_and_nowhere_else(world):
    secret = world.session()
    leave = {"url": "https://bucket/key?signed", "headers": {"a": "b"}, "method": "PUT"}
    world.reply = Reply(201, {"content-type": "application/json"}, json.dumps(leave).encode())
    _, _, body = world.ask("POST", "/v1/endpoints/x/uploads", "{}", secret)
    url = json.loads(body)["url"]
    assert url.startswith("/upload/")
    assert world.ask("PUT", url, b"zip", secret)[0] == 204
    assert world.uploaded == [("https://bucket/key?signed", {"a": "b"}, b"zip")]
    assert world.ask("PUT", url, b"zip", secret)[0] == 404
    assert world.ask("PUT", "/upload/https://evil.example", b"zip", secret)[0] == 404


def test_a_port_that_is_taken_is_named(world):
    stage = ConsoleStage("test", False, world.send)
    with (
        pytest.raises(InvalidInput, match=str(world.server.port)),
        serving_console(stage, world.bundle, world.server.port),
    ):
        pass


def test_a_checkout_without_the_bundle_says_what_builds_it(monkeypatch, tmp_path):
    monkeypatch.setattr(console_files, "_IN_WHEEL", tmp_path)
    monkeypatch.setattr(console_files, "_IN_CHECKOUT", tmp_path)
    with pytest.raises(NotFound, match="make setup"):
        console_files.bundle()
