"""A webhook is told of a rollout and of its end, signed, within seconds, by the table's stream."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from halftone.domain.rollout.phase import Phase
from tests.e2e.conftest import NOTICED
from tests.e2e.people import Person
from tests.e2e.support import Stage

BASE = f"/v1/endpoints/{NOTICED}"


class Pager(BaseHTTPRequestHandler):
    """Refuses the first notice, and keeps all that it was sent with the moment it came."""

    posts: list[tuple[datetime, dict[str, str], bytes]] = []  # noqa: RUF012 - of the class on purpose

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.posts.append((datetime.now(UTC), headers, body))
        self.send_response(503 if len(self.posts) == 1 else 204)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def pager() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pager)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/halftone"
    server.shutdown()
    server.server_close()


def kinds() -> list[str]:
    """The kinds of what came, without repetitions."""
    return [*dict.fromkeys(json.loads(body)["kind"] for _, _, body in Pager.posts)]


def ids() -> list[str]:
    """The ids of what came, in order."""
    return [headers["webhook-id"] for _, headers, _ in Pager.posts]


def test_a_rollback_is_told_within_seconds(
    stage: Stage, person: Callable[[str], Person], pager: str
) -> None:
    lee = person("lee")
    wanted = {"endpoint": NOTICED, "kinds": ["rollout.*"], "channel": "webhook", "address": pager}
    status, _, made = lee.post("/v1/subscriptions", wanted, key="lee-subscribes")
    assert status == 201, made

    rollout = stage.release(NOTICED, "challenger", steps=[{"weight": 20, "min_time": "1h"}])
    stage.until_phase(NOTICED, Phase.OBSERVING)
    abort = f"{BASE}/rollouts/{rollout.id}/abort"
    status, _, answer = lee.post(abort, {"message": "a test of the pager"}, key="lee-aborts")
    assert status == 200, answer
    wanted_kinds = {"rollout.started", "rollout.rolling_back", "rollout.rolled_back"}
    stage.until("the notices of a rollback", lambda: {*kinds()} >= wanted_kinds)

    records = {record.hash: record for record in stage.records(NOTICED)}
    for arrived, headers, body in Pager.posts:
        notice = json.loads(body)
        record = records[notice["id"]]
        assert (notice["number"], notice["reason"]) == (record.seq, record.reason)
        signed = f"{notice['id']}.{headers['webhook-timestamp']}.".encode() + body
        digest = hmac.new(bytes.fromhex(made["secret"]), signed, hashlib.sha256).digest()
        assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
        if notice["kind"].startswith("rollout.roll"):
            assert (arrived - record.at).total_seconds() < 10
    # What was refused comes again, under its id.
    first = Pager.posts[0][1]["webhook-id"]
    stage.until("the refused notice again", lambda: ids().count(first) > 1)
    assert lee.ask("GET", f"/v1/subscriptions/{made['subscription']['id']}/undelivered")[2] == {
        "items": []
    }
