"""Credentials of a client: whatever a header holds, nobody is let in but by a token that counts."""

import base64
from datetime import UTC, datetime, timedelta

from halftone.domain.traffic.clients import RANDOM_BYTES, Unauthorized, new_token
from halftone.domain.traffic.clients import check as admitted
from halftone.domain.traffic.policy import Client

NOW = datetime(2026, 11, 2, tzinfo=UTC)
TOKEN, TOKEN_ID, DIGEST = new_token(bytes(range(RANDOM_BYTES)))
OLD, OLD_ID, OLD_DIGEST = new_token(bytes(range(1, RANDOM_BYTES + 1)))
CLIENTS = (
    Client("shop", TOKEN_ID, DIGEST, NOW, "ann"),
    Client("gone", OLD_ID, OLD_DIGEST, NOW, "ann", NOW - timedelta(seconds=1)),
)


def check(data: bytes) -> None:
    """Any header is a refusal or the client whose whole token is in it."""
    texts = [data.decode("utf-8", "surrogateescape"), data.decode("latin-1")]
    texts += [f"Basic {base64.b64encode(data).decode()}", f"Bearer {texts[0]}"]
    for text in texts:
        try:
            client = admitted(text, CLIENTS, NOW)
        except Unauthorized as refusal:
            name = str(refusal)
            if TOKEN in name:
                raise AssertionError(name) from None
            continue
        assert client.name == "shop"
        scheme, _, value = text.partition(" ")
        fields = value.strip()
        if scheme.lower() == "basic":
            fields = base64.b64decode(fields).decode()
            assert fields == f"shop:{TOKEN}"
        else:
            assert fields == TOKEN
