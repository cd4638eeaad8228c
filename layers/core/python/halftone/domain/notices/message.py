"""A notice as each channel carries it: JSON that is signed, or a text for people.

The signature is that of https://www.standardwebhooks.com: HMAC-SHA256 over id, time and body.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime

from halftone.domain.notices.notice import Notice

_LONGEST = 2_000
"""Characters of a text: what Slack shows of a message without folding it."""


def payload(notice: Notice) -> Mapping[str, object]:
    """What a webhook, a topic and the event bus are given: JSON values alone."""
    fields = {**vars(notice), "at": notice.at.isoformat(), "severity": notice.severity.value}
    return {**fields, "updates": list(notice.updates), "title": notice.title}


def body(notice: Notice) -> bytes:
    """``payload`` as JSON in UTF-8, the same bytes each time."""
    return json.dumps(payload(notice), sort_keys=True, ensure_ascii=False).encode()


def signature(secret: str, message_id: str, sent: datetime, data: bytes) -> Mapping[str, str]:
    """The headers that prove who sent ``data``, and when; ``secret`` is 64 hex digits."""
    seconds = f"{sent.timestamp():.0f}"
    signed = b".".join((message_id.encode(), seconds.encode(), data))
    digest = hmac.new(bytes.fromhex(secret), signed, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def text(notice: Notice) -> str:
    """What a person reads: what happened, why, by whom, and the updates before it."""
    lines = [notice.title, notice.reason]
    if notice.share is not None:
        lines.append(
            f"version {notice.challenger or '?'} has {notice.share:g} % of the traffic,"
            f" version {notice.champion or '-'} the rest"
        )
    lines += [f"before: {update}" for update in notice.updates]
    by = f"{notice.at:%Y-%m-%d %H:%M:%S} UTC, by {notice.actor}, record {notice.number}"
    message = "\n".join([*lines, by])
    return message if len(message) <= _LONGEST else f"{message[: _LONGEST - 1]}…"


def chat_body(notice: Notice) -> bytes:
    """The body for an incoming webhook of Slack or Teams: both take ``{"text": …}``.

    Their markup is escaped: a reason may hold what a model or a client wrote.
    """
    escaped = text(notice).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return json.dumps({"text": escaped}).encode()
