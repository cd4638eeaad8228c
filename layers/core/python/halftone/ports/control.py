"""What the control API needs of the world; the contract tests hold both kinds of parts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from halftone.domain.access import Group
from halftone.domain.audit import AuditRecord


@dataclass(frozen=True)
class IdempotencyRecord:
    """That somebody carries out a request, until ``until`` at the latest.

    ``id`` names the request, ``fingerprint`` is a hash of all that was asked for, ``holder`` is the
    one try that carries it out. ``answer`` is what was answered, once it was.
    """

    id: str
    fingerprint: str
    holder: str
    until: datetime
    answer: str | None = None


@dataclass(frozen=True)
class Claimed:
    """What came of claiming: whether it was taken, and the claim that stood there before."""

    mine: bool
    before: IdempotencyRecord | None


class IdempotencyStore(Protocol):
    """Requests that were made with a key, and what they were answered: for good."""

    def claim(self, wanted: IdempotencyRecord, now: datetime) -> Claimed:
        """Take ``wanted`` if nobody has it, or who had it left it unanswered until before ``now``.

        One with another fingerprint is never taken.
        """
        ...

    def settle(self, claim: IdempotencyRecord) -> None:
        """Keep ``claim`` with its answer; without one, let the next try have it at once.

        Raises:
            ConcurrentWrite: if it is no longer ``claim.holder``'s.
        """
        ...

    def has_changed(self, request: str) -> bool:
        """Whether a change was committed on behalf of that request."""
        ...

    def first_seen(self, request: str, seen: str) -> str:
        """What its author saw when that request came first: ``seen``, if it comes just now."""
        ...


class Groups(Protocol):
    """Groups with their members, and the audit of them."""

    def load_group(self, name: str) -> Group | None:
        """The newest record of a group, strongly consistent."""
        ...

    def load_groups(self, names: Sequence[str]) -> Sequence[Group]:
        """The newest records of those of ``names`` that there are. One call a hundred."""
        ...

    def commit_group(
        self, before: Group | None, after: Group, record: AuditRecord, *, request: str = ""
    ) -> None:
        """Write ``after`` in place of ``before`` (None: it is new) with its audit record.

        ``request`` is marked in the same transaction as one that has changed something.

        Raises:
            ConcurrentWrite: if ``before`` is not the newest any more.
        """
        ...

    def groups(self) -> Sequence[str]:
        """The names of all groups, sorted."""
        ...

    def group_audit(self, name: str, *, after: int = 0) -> Iterable[AuditRecord]:
        """The records after number ``after``, oldest first."""
        ...


@dataclass(frozen=True)
class Upload:
    """Leave to put one package into the artifact bucket: a PUT to ``url`` with ``headers``."""

    url: str
    headers: Mapping[str, str]
    bucket: str
    key: str
    expires_at: datetime


class Uploads(Protocol):
    """Packages on their way in."""

    def prepare(self, digest: str, now: datetime) -> Upload:
        """Leave to upload exactly the bytes of that SHA-256."""
        ...

    def place(self, digest: str) -> tuple[str, str]:
        """The bucket and the key at which an upload of that digest is, or would be."""
        ...
