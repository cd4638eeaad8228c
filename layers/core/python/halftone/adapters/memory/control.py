"""What the control API needs besides the engine's parts, in memory: claims, groups, uploads."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from halftone.domain.access import Group
from halftone.domain.audit import AuditRecord
from halftone.domain.errors import ConcurrentWrite
from halftone.domain.names import upload_key
from halftone.ports.control import Claimed, IdempotencyRecord, Upload


@dataclass
class MemoryIdempotencyStore:
    """Port ``Claims``. ``changed`` are the requests for which something has been committed."""

    changed: set[str]
    kept: dict[str, IdempotencyRecord] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)

    def claim(self, wanted: IdempotencyRecord, now: datetime) -> Claimed:
        """See the port."""
        before = self.kept.get(wanted.id)
        if before and (
            before.answer is not None
            or before.until > now
            or before.fingerprint != wanted.fingerprint
        ):
            return Claimed(mine=False, before=before)
        self.kept[wanted.id] = wanted
        return Claimed(mine=True, before=before)

    def settle(self, claim: IdempotencyRecord) -> None:
        """See the port."""
        if self.kept[claim.id].holder != claim.holder:
            raise ConcurrentWrite(f"request {claim.id} is carried out by another try")
        until = claim.until if claim.answer is not None else datetime.min.replace(tzinfo=UTC)
        self.kept[claim.id] = replace(claim, until=until)

    def has_changed(self, request: str) -> bool:
        """See the port."""
        return request in self.changed

    def first_seen(self, request: str, seen: str) -> str:
        """See the port."""
        return self.seen.setdefault(request, seen)


@dataclass
class MemoryGroups:
    """Port ``Groups``. ``changed`` are the requests for which something has been committed."""

    changed: set[str] = field(default_factory=set)
    kept: dict[str, Group] = field(default_factory=dict)
    records: dict[str, list[AuditRecord]] = field(default_factory=lambda: defaultdict(list))

    def load_group(self, name: str) -> Group | None:
        """See the port."""
        return self.kept.get(name)

    def load_groups(self, names: Sequence[str]) -> Sequence[Group]:
        """See the port."""
        return tuple(self.kept[name] for name in names if name in self.kept)

    def commit_group(
        self, before: Group | None, after: Group, record: AuditRecord, *, request: str = ""
    ) -> None:
        """See the port."""
        newest = self.kept.get(after.name)
        if (newest.revision if newest else None) != (before.revision if before else None):
            raise ConcurrentWrite(f"group {after.name!r} changed since it was read")
        self.kept[after.name] = after
        self.records[after.name].append(record)
        if request:
            self.changed.add(request)

    def groups(self) -> Sequence[str]:
        """See the port."""
        return tuple(sorted(self.kept))

    def group_audit(self, name: str, *, after: int = 0) -> Iterable[AuditRecord]:
        """See the port."""
        return tuple(r for r in self.records.get(name, ()) if r.seq > after)


@dataclass
class MemoryUploads:
    """Port ``Uploads``: leave is given, but there is nowhere to put anything."""

    bucket: str = "assets"

    def prepare(self, digest: str, now: datetime) -> Upload:
        """See the port."""
        bucket, key = self.place(digest)
        return Upload(f"memory://{bucket}/{key}", {}, bucket, key, now + timedelta(hours=1))

    def place(self, digest: str) -> tuple[str, str]:
        """See the port."""
        return self.bucket, upload_key(digest)
