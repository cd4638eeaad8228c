"""Notices as their channels carry them."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace

from halftone.domain.notices.message import body, chat_body, signature, text
from halftone.domain.notices.notice import notice_of
from tests.support.notices import SECRET, START, chain

NOTICE = notice_of(chain("fence")[0], "dev")


def test_the_signature_covers_id_time_and_body() -> None:
    headers = signature(SECRET, NOTICE.id, START, body(NOTICE))
    signed = f"{NOTICE.id}.{headers['webhook-timestamp']}.".encode() + body(NOTICE)
    wanted = hmac.new(bytes.fromhex(SECRET), signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(wanted).decode()}"
    assert headers["webhook-id"] == NOTICE.id
    changed = signature(SECRET, NOTICE.id, START, body(NOTICE) + b" ")
    assert changed["webhook-signature"] != headers["webhook-signature"]


def test_the_body_holds_every_field() -> None:
    sent = json.loads(body(NOTICE))
    assert {*sent} == {*vars(NOTICE), "title"}
    assert (sent["id"], sent["kind"], sent["at"]) == (NOTICE.id, NOTICE.kind, START.isoformat())


def test_a_text_says_what_happened_why_and_by_whom() -> None:
    said = text(replace(NOTICE, updates=("the first", "the second")))
    assert said.splitlines() == [
        "[dev] fraud: rollout rolling back",
        "reason 1",
        "version 2 has 5 % of the traffic, version 1 the rest",
        "before: the first",
        "before: the second",
        "2026-03-01 12:00:10 UTC, by halftone, record 1",
    ]


def test_chats_get_no_markup_of_others() -> None:
    sent = json.loads(chat_body(replace(NOTICE, reason="<!channel> <http://x|y> & more")))
    assert "<" not in sent["text"]
    assert "&lt;!channel&gt;" in sent["text"]


def test_a_text_is_never_long() -> None:
    assert len(text(replace(NOTICE, reason="x" * 100_000))) == 2_000
