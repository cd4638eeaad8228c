"""Tokens of clients: how they are made, what is kept of them, and how a request's are checked.

A token is ``ht_<id>_<secret>``: 8 hex digits that are public and name it, and 256 random bits. Only
its SHA-256 is kept. A plain hash is enough, because nobody can guess 256 random bits; a slow one
would cost each request what it is meant to cost a guess.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import datetime

from halftone.domain.errors import InvalidInput
from halftone.domain.traffic.policy import Client

RANDOM_BYTES = 36
"""What a token is made from: 4 bytes for its id, 32 for its secret."""

CHALLENGE = 'Bearer realm="halftone", Basic realm="halftone"'
"""The header ``www-authenticate`` of an answer 401."""

_TOKEN = re.compile(r"ht_([0-9a-f]{8})_[A-Za-z0-9_-]{43}")
_LONGEST = 4096
_NOBODY = "0" * 64


class Unauthorized(Exception):
    """A request without credentials that hold. The message says what is wrong, never with what."""


def new_token(random: bytes) -> tuple[str, str, str]:
    """A token made from RANDOM_BYTES bytes of a cryptographic source, its id, and its digest.

    The token is shown to its owner once; id and digest are what is kept.

    Raises:
        InvalidInput: for another number of bytes.
    """
    if len(random) != RANDOM_BYTES:
        raise InvalidInput("random", len(random), f"{RANDOM_BYTES} random bytes")
    token_id = random[:4].hex()
    secret = base64.urlsafe_b64encode(random[4:]).rstrip(b"=").decode()
    token = f"ht_{token_id}_{secret}"
    return token, token_id, digest_of(token)


def digest_of(token: str) -> str:
    """The SHA-256 of a token, 64 hex digits."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def check(authorization: str | None, clients: Iterable[Client], now: datetime) -> Client:
    """The client whose token the header ``authorization`` carries.

    ``Bearer <token>``, or ``Basic`` with the client's name as user and the token as password (as
    ``curl -u name:token`` sends it). Digests are compared in constant time, and one is computed and
    compared whether the id is known or not.

    Raises:
        Unauthorized: if there is none, or it is unknown, expired, or another client's.
    """
    if not authorization:
        raise Unauthorized("this endpoint is private: send a client's token as Bearer or Basic")
    name, token = _credentials(authorization)
    match = _TOKEN.fullmatch(token)
    token_id = match.group(1) if match else ""
    client = next((one for one in clients if one.token_id == token_id), None)
    expected = client.digest if client else _NOBODY
    same = hmac.compare_digest(digest_of(token), expected)
    if client is None or not same or (name is not None and name != client.name):
        raise Unauthorized("the token is not that of a client of this endpoint")
    if client.expires_at is not None and client.expires_at <= now:
        raise Unauthorized("the token has expired: ask for a new one")
    return client


def _credentials(authorization: str) -> tuple[str | None, str]:
    """The user of Basic (None for Bearer) and the token, whose form is not checked yet."""
    scheme, _, value = authorization[:_LONGEST].partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer":
        return None, value
    if scheme.lower() != "basic":
        raise Unauthorized("credentials are taken as Bearer or Basic only")
    try:
        name, colon, token = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError as error:  # binascii's and Unicode's errors are among them
        raise Unauthorized("the Basic credentials are no base64 of name:token") from error
    if not colon:
        raise Unauthorized("the Basic credentials are no base64 of name:token")
    return name, token
