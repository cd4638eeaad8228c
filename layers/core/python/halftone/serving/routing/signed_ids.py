"""Signed request ids: what a client can say of a request is what this endpoint's servers said.

An id is ``<request>.<version>[.<label print>].<claims>.<signature>``. The claims are the key's id,
the time in seconds since 1970 (hex) and how the request was drawn, parted by hyphens:

=============================  ===================================================================
``n``                          it took part in no rollout, or another version stood in
``p``                          it was pinned: nobody drew it
``t-<rollout>-<stage>``        it was drawn in that stage (``<rollout>`` is a print of its id)
``t-<rollout>-<stage>-<key>``  it was drawn in that stage, by a key that the stage drew afresh
=============================  ===================================================================

The signature is a keyed BLAKE2b (RFC 7693) over the endpoint's name and all that stands before it.
Whoever holds an id can read it; nobody without the key can make one, or change a character of it.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from hmac import compare_digest
from typing import Any

from halftone.domain.endpoint.route_table import Experiment, RouteConfig
from halftone.domain.rollout.signing import VALID
from halftone.domain.traffic.assignment import fingerprint, salted

_ID = re.compile(
    r"(?P<request>[A-Za-z0-9-]{1,64})\.(?P<version>[1-9][0-9]{0,9})(?:\.(?P<label>[0-9a-f]{8}))?"
    r"\.(?P<key_id>[0-9a-f]{4})-(?P<at>[0-9a-f]{8})-"
    r"(?:(?P<other>[np])|t-(?P<rollout>[0-9a-f]{8})-(?P<stage>[0-9]{1,3})(?:-(?P<key>[0-9a-f]{16}))?)"
    r"\.(?P<signature>[0-9a-f]{32})",
    re.ASCII,
)

NOBODY, PINNED = "n", "p"


@dataclass(frozen=True, slots=True)
class SignedId:
    """What an id says. ``at`` is in seconds since 1970, ``label`` the print of the answer's label.

    ``stage`` is None where the request was drawn in none; else ``rollout`` is the print of that
    one's id, and ``key`` that of the key that was drawn (none: requests were).
    """

    request: str
    version: str
    label: str | None
    at: int
    pinned: bool
    rollout: str
    stage: int | None
    key: str


class Signer:
    """Signs and reads the ids of one endpoint, by one dispatch. ``clock``: seconds since 1970."""

    def __init__(self, dispatch: RouteConfig, clock: Callable[[], float] = time.time) -> None:
        self._endpoint = dispatch.endpoint
        self._clock = clock
        # A copy of a hash that has taken the key in costs a third of a new one.
        self._hashes = {key.id: _keyed(key.secret) for key in dispatch.signing}
        self._newest = dispatch.signing[0].id if dispatch.signing else ""
        self.trial = dispatch.trial
        self.drawn = f"t-{self.rollout}-{self.trial.stage}" if self.trial else ""

    @property
    def rollout(self) -> str:
        """The print of the id of the rollout under way ("": there is none)."""
        return rollout_print(self.trial) if self.trial else ""

    def sign(self, named: str, drawn: str) -> str:
        """The id ``named`` with the claim ``drawn``, signed; as it is where there is no key."""
        if not self._newest:
            return named
        said = f"{named}.{self._newest}-{int(self._clock()):08x}-{drawn}"
        return f"{said}.{self._signature(self._newest, said)}"

    def read(self, given: str) -> SignedId | None:
        """What ``given`` says; None unless this endpoint signed it, and not too long ago."""
        found = _ID.fullmatch(given)
        if found is None or found["key_id"] not in self._hashes:
            return None
        expected = self._signature(found["key_id"], given.rpartition(".")[0])
        at = int(found["at"], 16)
        if not compare_digest(expected, found["signature"]):
            return None
        if self._clock() - at > VALID.total_seconds():
            return None
        return SignedId(
            request=found["request"],
            version=found["version"],
            label=found["label"],
            at=at,
            pinned=found["other"] == PINNED,
            rollout=found["rollout"] or "",
            stage=int(found["stage"]) if found["stage"] else None,
            key=found["key"] or "",
        )

    def _signature(self, key_id: str, said: str) -> str:
        hashed = self._hashes[key_id].copy()
        hashed.update(f"{self._endpoint}\n{said}".encode())
        return str(hashed.hexdigest())


def rollout_print(trial: Experiment) -> str:
    """8 hex digits that stand for the rollout in an id."""
    return fingerprint(salted("rollout"), trial.rollout, size=4)


def _keyed(secret: str) -> Any:
    return blake2b(key=bytes.fromhex(secret), digest_size=16, person=b"request id")
