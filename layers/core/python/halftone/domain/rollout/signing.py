"""The keys with which an endpoint signs the ids of its requests. Pure: others make the secrets.

Feedback decides rollouts, so that it must be about a request that this endpoint answered: an id
that its servers did not sign counts for nothing. The keys are part of the endpoint's state and of
the item that its model servers read; no log, no record of the audit and no answer holds them.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

ROTATED = timedelta(days=30)
"""The age at which a key is followed by a new one."""

VALID = timedelta(days=90)
"""How long feedback on a request is taken."""


@dataclass(frozen=True)
class SigningKey:
    """``secret`` is 64 hex digits, ``id`` (4 of them) names it in what it has signed."""

    id: str
    secret: str = field(repr=False)
    since: datetime


def must_rotate(keys: tuple[SigningKey, ...], now: datetime) -> bool:
    """Whether there is no key (``keys`` are newest first), or the newest is too old."""
    return not keys or now - keys[0].since >= ROTATED


def rotated(keys: tuple[SigningKey, ...], secret: str, now: datetime) -> tuple[SigningKey, ...]:
    """``keys`` with a new one, without those whose ids are all too old to be taken.

    Two keys never have the same id: one whose secret begins like another's takes the place of it.
    """
    new = SigningKey(secret[:4], secret, now)
    ended = [now, *(key.since for key in keys)]  # when each key was followed by another
    valid = [
        key for key, end in zip(keys, ended, strict=False) if now - end < VALID and key.id != new.id
    ]
    return (new, *valid)
