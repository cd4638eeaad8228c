"""docs/control.md says of the control API what the code says."""

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from halftone.api.errors import STATUS, NotJson, PreconditionRequired, TooLong, problem
from halftone.domain.access import MAY, Action, Role
from halftone.domain.endpoint import status
from halftone.domain.errors import (
    ConcurrentWrite,
    Conflict,
    Forbidden,
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    RecordRestored,
    RequestInProgress,
    Unavailable,
    UnderWay,
)
from halftone.service.idempotency import LEASE

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "control.md").read_text(encoding="utf-8")
DOCUMENT = json.loads((DOCS / "openapi.json").read_text(encoding="utf-8"))
ERRORS = [
    InvalidInput("f", 1, "2"),
    Forbidden("no"),
    NotFound("endpoint", "x"),
    Conflict("no"),
    UnderWay("r", "no"),
    RecordRestored("older"),
    RequestInProgress("wait"),
    ConcurrentWrite("raced"),
    PreconditionFailed("read again"),
    IdempotencyKeyReused("another"),
    Unavailable("out"),
    TooLong("body", "2 bytes", "at most 1"),
    NotJson("content-type", None, "application/json"),
    PreconditionRequired("If-Match"),
]


def rows(head: str) -> list[list[str]]:
    """The cells of the table whose head begins so."""
    lines = PAGE.splitlines()
    begin = next(n for n, line in enumerate(lines) if line.startswith(head))
    result = []
    for line in lines[begin + 2 :]:
        if not line.startswith("|"):
            break
        result.append([cell.strip() for cell in line.strip("|").split("|")])
    return result


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_errors_are_told_with_their_status(error):
    by_kind = {
        kind: row[0]
        for row in rows("| status | `type`")
        for kind in re.findall("`([^`]+)`", row[1])
    }
    answer = problem(error)
    kind = json.loads(answer.body)["type"].rpartition(":")[2]
    assert by_kind[kind] == str(answer.status_code)


def test_every_status_of_an_error_is_told():
    numbers = {int(row[0]) for row in rows("| status | `type`")}
    assert {*STATUS.values()} <= numbers


def test_statuses_of_endpoints_are_told_as_the_code_tells_them():
    by_name = {row[0]: row[1] for row in rows("| endpoint's status")}
    assert {*by_name} == {*map(str, status.Status)}
    for text, meaning in by_name.items():
        assert re.search(rf"\| {text} +\| {re.escape(meaning)} +\|", status.__doc__ or "")


def test_the_table_of_roles_is_the_code_s():
    head = next(line for line in PAGE.splitlines() if line.startswith("| action |"))
    roles = [cell.strip() for cell in head.strip("|").split("|")][1:-1]
    assert roles == [*map(str, Role)]
    by_name = {row[0]: row[1:-1] for row in rows("| action |")}
    assert {*by_name} == {*map(str, Action)}
    for action, cells in by_name.items():
        for role, cell in zip(roles, cells, strict=True):
            assert (cell == "yes") is (action in MAY[Role(role)]), (action, role)


def test_operations_that_the_page_names_are_there():
    shapes = [re.sub(r"\{\w+\}", "[^/]+", path) for path in DOCUMENT["paths"]]
    named = re.findall(r"`(?:GET|POST|PUT|PATCH|DELETE) (/v1/[^`?… ]+)", PAGE)
    assert len(named) > 5
    for path in named:
        assert any(re.fullmatch(shape, path) for shape in shapes), path


def _signature_expected(path: str, headers: Mapping[str, str]) -> str:
    """What AWS makes of the request: its names of the query sorted, each followed by ``=``."""
    signed = headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    request = AWSRequest("GET", f"http://x{path}", headers={n: headers[n] for n in signed})
    request.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(Credentials("AKID", "secret"), "execute-api", "eu-central-1")
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return str(signer.signature(text, request))


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("line", re.findall(r"^(curl --aws-sigv4 .*\n .*)$", PAGE, re.MULTILINE))
def test_curl_signs_each_line_of_the_page_as_aws_does(line):
    observed = []

    class Seeing(BaseHTTPRequestHandler):
        def do_GET(self):
            observed.append((self.path, {n.lower(): v for n, v in self.headers.items()}))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Seeing) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        environment = {
            "PATH": os.environ["PATH"],
            "CONTROL_URL": f"http://127.0.0.1:{server.server_port}/v1",
            "AWS_ACCESS_KEY_ID": "AKID",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_SESSION_TOKEN": "token",
        }
        subprocess.run(["sh", "-ec", line], env=environment, check=True, timeout=30)
        thread.join()
    ((path, headers),) = observed
    assert headers["x-amz-security-token"] == "token"
    assert headers["authorization"].endswith(f"Signature={_signature_expected(path, headers)}")


def test_the_document_says_where_the_api_is_and_who_signs():
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert DOCUMENT["security"] == [{name: []} for name in schemes]
    assert schemes["sigv4"]["x-amazon-apigateway-authtype"] == "awsSigv4"
    assert [server["url"] for server in DOCUMENT["servers"]] == [
        "/",
        "https://{api}.execute-api.{region}.amazonaws.com",
    ]
    for server in DOCUMENT["servers"]:
        assert re.findall(r"{(\w+)}", server["url"]) == [*server.get("variables", {})]


def test_the_lease_is_told():
    assert f"({LEASE.total_seconds():.0f} s)" in PAGE


def test_figures_are_there():
    for name in ("imports", "calls"):
        between = PAGE.partition(f"<!-- {name} -->")[2].partition(f"<!-- end of {name} -->")[0]
        assert between.count("\n| ") > 4
