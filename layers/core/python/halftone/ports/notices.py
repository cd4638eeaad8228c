"""What notices need of the world. Each port has a part on AWS and a part in memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from halftone.domain.audit import AuditRecord
from halftone.domain.notices.notice import Notice
from halftone.domain.notices.subscription import Subscription
from halftone.ports.state import Clock, Store


class Subscriptions(Protocol):
    """Who is told of what, with a chain of records for each subscription."""

    def subscriptions(self) -> Sequence[Subscription]:
        """All subscriptions, also those that have ended, in the order of their ids."""
        ...

    def commit_subscription(
        self,
        before: Subscription | None,
        after: Subscription,
        record: AuditRecord,
        *,
        request: str = "",
    ) -> None:
        """Write all or nothing; ``request`` is marked as one that has changed something.

        Raises:
            ConcurrentWrite: if ``before`` is not the newest any more.
        """
        ...

    def subscription_audit(self, key: str) -> Iterable[AuditRecord]:
        """The records of the subscription with that id, oldest first."""
        ...


@dataclass(frozen=True)
class Undelivered:
    """A notice that could not be delivered within the time for it: ``why`` is the last answer."""

    subscription: str
    notice: str
    title: str
    at: datetime
    given_up_at: datetime
    why: str


class UndeliveredNotices(Protocol):
    """What was given up, kept for 90 days."""

    def keep_undelivered(self, entry: Undelivered) -> None:
        """Keep ``entry``; keeping it twice keeps it once."""
        ...

    def undelivered(self, subscription: str, *, most: int) -> Sequence[Undelivered]:
        """The newest ``most`` of a subscription, the newest first."""
        ...


class EventBus(Protocol):
    """The stage's bus, on which every notice is published."""

    def publish(self, notices: Sequence[Notice]) -> None:
        """Publish all of ``notices``.

        Raises:
            Unavailable: if any of them was not taken.
        """
        ...


@dataclass(frozen=True)
class Delivery:
    """One notice on its way to one subscription; ``attempt`` counts from 1."""

    subscription: str
    notice: Notice
    attempt: int = 1


class DeliveryQueue(Protocol):
    """Deliveries that are still to be made."""

    def enqueue(self, deliveries: Sequence[tuple[Delivery, timedelta]]) -> None:
        """Hand each delivery out after its delay (up to 15 minutes), once or more than once.

        Raises:
            Unavailable: if any of them was not taken.
        """
        ...


class Sender(Protocol):
    """The way out."""

    def send(self, subscription: Subscription, notice: Notice, now: datetime) -> None:
        """Deliver ``notice`` by the subscription's channel.

        Raises:
            Unavailable: with the answer, if it was not taken.
        """
        ...


@dataclass(frozen=True)
class NoticePorts:
    """All ports of the notices' functions together; ``stage`` is named in each notice."""

    stage: str
    clock: Clock
    store: Store
    subscriptions: Subscriptions
    undelivered: UndeliveredNotices
    bus: EventBus
    queue: DeliveryQueue
    sender: Sender
