"""The audit: a hash chain with one record for every change of state of an endpoint.

A record's hash covers all its other fields and the hash before it, so that nobody can change,
drop or insert a record without breaking every later one. Verifying needs the records alone: no
key, no service, no network.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from halftone.domain.errors import BrokenChain

GENESIS = "0" * 64


@dataclass(frozen=True)
class Author:
    """Who changes something and why, as the record of the change says it.

    ``actor`` is the ARN of a principal, a stack, or ``halftone`` for the engine itself. ``reason``
    is the message that they gave ("": none). ``revision`` is that of the state that they have seen;
    a change of a later state is refused (None: whatever the state is by now).
    """

    actor: str
    reason: str = ""
    revision: int | None = None

    def with_reason(self, reason: str) -> "Author":
        """The same author, with another reason."""
        return replace(self, reason=reason)

    def at(self, revision: int | None) -> "Author":
        """The same author, who has seen ``revision``."""
        return replace(self, revision=revision)

    def with_default(self, reason: str) -> "Author":
        """The same author, with ``reason`` where none was given."""
        return self if self.reason else replace(self, reason=reason)


@dataclass(frozen=True)
class AuditHead:
    """Where a chain ends: the number and the hash (64 hex digits) of its newest record."""

    seq: int = 0
    hash: str = GENESIS


@dataclass(frozen=True)
class AuditRecord:
    """One change of state: when (UTC), who, what, from what to what, and why (words, numbers)."""

    endpoint: str
    seq: int
    at: datetime
    actor: str
    action: str
    before: Mapping[str, object]
    after: Mapping[str, object]
    reason: str
    numbers: Mapping[str, object]
    previous: str
    hash: str = ""

    def digest(self) -> str:
        """The SHA-256 that ``hash`` must equal: over canonical JSON of every other field."""
        fields = {**vars(self), "at": self.at.isoformat()}
        del fields["hash"]
        return hashlib.sha256(canonical_json(fields)).hexdigest()

    @property
    def head(self) -> AuditHead:
        """The chain's end if this record is its newest."""
        return AuditHead(self.seq, self.hash)


def canonical_json(value: object) -> bytes:
    """The one JSON text of ``value``: keys sorted, no spaces, UTF-8, no NaN."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def append(
    head: AuditHead,
    *,
    endpoint: str,
    at: datetime,
    actor: str,
    action: str,
    before: Mapping[str, object],
    after: Mapping[str, object],
    reason: str,
    numbers: Mapping[str, object],
) -> AuditRecord:
    """The record that follows ``head``, sealed."""
    unsealed = AuditRecord(
        endpoint=endpoint,
        seq=head.seq + 1,
        at=at,
        actor=actor,
        action=action,
        before=before,
        after=after,
        reason=reason,
        numbers=numbers,
        previous=head.hash,
    )
    return AuditRecord(**{**vars(unsealed), "hash": unsealed.digest()})


def verify(endpoint: str, records: Iterable[AuditRecord], head: AuditHead | None = None) -> int:
    """Check a whole chain from its first record; answer how many records it has.

    ``head`` is what the endpoint's state says of its newest record: with it, a chain whose end was
    cut off is found too.

    Raises:
        BrokenChain: naming the first record that does not fit.
    """
    end = AuditHead()
    for record in records:
        if record.endpoint != endpoint:
            raise BrokenChain(endpoint, end.seq + 1, f"it belongs to {record.endpoint!r}")
        if record.seq != end.seq + 1:
            raise BrokenChain(endpoint, end.seq + 1, f"missing: record {record.seq} comes next")
        if record.previous != end.hash:
            raise BrokenChain(endpoint, record.seq, "it does not follow the record before it")
        if record.hash != record.digest():
            raise BrokenChain(endpoint, record.seq, "its content does not match its hash")
        end = record.head
    if head is not None and head != end:
        raise BrokenChain(
            endpoint, end.seq + 1, f"missing: the endpoint's state names record {head.seq}"
        )
    return end.seq
