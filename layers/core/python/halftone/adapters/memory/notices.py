"""Notices in memory: subscriptions, what was published, queued, delivered and given up."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from halftone.domain.audit import AuditRecord
from halftone.domain.errors import ConcurrentWrite
from halftone.domain.notices.notice import Notice
from halftone.domain.notices.subscription import Subscription
from halftone.ports.notices import Delivery, Undelivered


@dataclass
class MemorySubscriptions:
    """Ports ``Subscriptions`` and ``UndeliveredNotices``. ``changed`` as for ``MemoryGroups``."""

    changed: set[str] = field(default_factory=set)
    kept: dict[str, Subscription] = field(default_factory=dict)
    records: dict[str, list[AuditRecord]] = field(default_factory=lambda: defaultdict(list))
    given_up: dict[tuple[str, str], Undelivered] = field(default_factory=dict)

    def subscriptions(self) -> Sequence[Subscription]:
        """See the port."""
        return tuple(self.kept[key] for key in sorted(self.kept))

    def commit_subscription(
        self,
        before: Subscription | None,
        after: Subscription,
        record: AuditRecord,
        *,
        request: str = "",
    ) -> None:
        """See the port."""
        newest = self.kept.get(after.id)
        if (newest.revision if newest else None) != (before.revision if before else None):
            raise ConcurrentWrite(f"subscription {after.id!r} changed since it was read")
        self.kept[after.id] = after
        self.records[after.id].append(record)
        if request:
            self.changed.add(request)

    def subscription_audit(self, key: str) -> Iterable[AuditRecord]:
        """See the port."""
        return tuple(self.records.get(key, ()))

    def keep_undelivered(self, entry: Undelivered) -> None:
        """See the port."""
        self.given_up[entry.subscription, entry.notice] = entry

    def undelivered(self, subscription: str, *, most: int) -> Sequence[Undelivered]:
        """See the port."""
        entries = [e for (key, _), e in self.given_up.items() if key == subscription]
        return sorted(entries, key=lambda entry: (entry.at, entry.notice), reverse=True)[:most]


@dataclass
class MemoryBus:
    """Port ``EventBus``: keeps what was published."""

    published: list[Notice] = field(default_factory=list)

    def publish(self, notices: Sequence[Notice]) -> None:
        """See the port."""
        self.published.extend(notices)


@dataclass
class MemoryQueue:
    """Port ``DeliveryQueue``: ``waiting`` are deliveries with their delays."""

    waiting: list[tuple[Delivery, timedelta]] = field(default_factory=list)

    def enqueue(self, deliveries: Sequence[tuple[Delivery, timedelta]]) -> None:
        """See the port."""
        self.waiting.extend(deliveries)


@dataclass
class MemorySender:
    """Port ``Sender``: keeps what was delivered, by subscription."""

    delivered: list[tuple[str, Notice, datetime]] = field(default_factory=list)

    def send(self, subscription: Subscription, notice: Notice, now: datetime) -> None:
        """See the port."""
        self.delivered.append((subscription.id, notice, now))
