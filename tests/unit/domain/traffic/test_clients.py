"""Tokens: made once, kept as a hash, and checked without telling how close a guess was."""

import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from halftone.domain.errors import InvalidInput
from halftone.domain.traffic.clients import RANDOM_BYTES, Unauthorized, check, new_token
from halftone.domain.traffic.policy import Client

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
RANDOM = bytes(range(RANDOM_BYTES))
TOKEN, TOKEN_ID, DIGEST = new_token(RANDOM)


def client(name="shop", **changes):
    given_as = {"token_id": TOKEN_ID, "digest": DIGEST, "created_at": NOW, "created_by": "ann"}
    return Client(name, **{**given_as, **changes})


def basic(text):
    return f"Basic {base64.b64encode(text.encode()).decode()}"


BEARER = f"Bearer {TOKEN}"
BASIC = basic(f"shop:{TOKEN}")


def test_a_token_holds_its_id_and_256_bits_and_is_kept_hashed():
    assert re.fullmatch(r"ht_00010203_[A-Za-z0-9_-]{43}", TOKEN)
    assert base64.urlsafe_b64decode(TOKEN.split("_", 2)[2] + "=") == RANDOM[4:]
    assert TOKEN_ID == "00010203"
    assert hashlib.sha256(TOKEN.encode()).hexdigest() == DIGEST


@pytest.mark.parametrize("size", [0, 32, 37])
def test_another_number_of_random_bytes_is_refused(size):
    with pytest.raises(InvalidInput) as caught:
        new_token(b"x" * size)
    assert caught.value.value == size


@pytest.mark.parametrize(
    "header",
    [BEARER, f"bearer  {TOKEN} ", BASIC, "b" + BASIC[1:]],
    ids=["bearer", "bearer in lower case", "basic", "basic in lower case"],
)
def test_bearer_and_basic_name_the_client(header):
    others = [client("other", token_id="ffffffff")]
    assert check(header, [*others, client()], NOW).name == "shop"


other, _, _ = new_token(RANDOM[:4] + bytes(32))


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "this endpoint is private"),
        ("", "this endpoint is private"),
        (f"Digest {TOKEN}", "Bearer or Basic only"),
        (TOKEN, "Bearer or Basic only"),
        ("Bearer", "not that of a client"),
        (f"Bearer {TOKEN}x", "not that of a client"),
        (f"Bearer {TOKEN[:-1]}", "not that of a client"),
        (f"Bearer {other}", "not that of a client"),
        (f"Bearer {DIGEST}", "not that of a client"),
        (basic(f"else:{TOKEN}"), "not that of a client"),
        (basic(f":{TOKEN}"), "not that of a client"),
        (basic(TOKEN), "no base64 of name:token"),
        ("Basic %%%", "no base64 of name:token"),
        ("Basic " + base64.b64encode(b"shop:\xff").decode(), "no base64 of name:token"),
    ],
)
def test_all_else_is_unauthorized_and_never_quoted(header, reason):
    with pytest.raises(Unauthorized, match=reason) as caught:
        check(header, [client()], NOW)
    assert TOKEN[12:30] not in str(caught.value)


def test_a_token_expires_to_the_second():
    soon = NOW + timedelta(seconds=1)
    assert check(f"Bearer {TOKEN}", [client(expires_at=soon)], NOW).expires_at == soon
    with pytest.raises(Unauthorized, match="expired"):
        check(f"Bearer {TOKEN}", [client(expires_at=soon)], soon)


def test_only_who_has_the_secret_learns_that_a_token_expired():
    with pytest.raises(Unauthorized, match="not that of a client"):
        check(f"Bearer {other}", [client(expires_at=NOW)], NOW)


def test_without_clients_nobody_gets_in():
    with pytest.raises(Unauthorized, match="not that of a client"):
        check(f"Bearer {TOKEN}", [], NOW)


@given(st.text() | st.text().map(lambda text: f"Bearer {text}") | st.text().map(basic))
@example("Bearer ht_00010203_" + "\ud800" * 43)
@example("Bearer é")
def test_any_header_is_let_in_or_unauthorized(header):
    with pytest.raises(Unauthorized):
        check(header, [client()], NOW)
