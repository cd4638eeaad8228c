"""From a record to its subscribers: announced once it is on record, and tried again for a day.

The engine takes no part in it: records come from the table's stream, after they were written.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from halftone.domain.audit import AuditRecord
from halftone.domain.errors import Unavailable
from halftone.domain.notices.notice import notice_of, told_with, window_end
from halftone.domain.notices.subscription import Subscription
from halftone.ports.notices import Delivery, NoticePorts, Undelivered

TRIED_FOR = timedelta(hours=24)
"""How long after a record its notice is tried."""

_FIRST_RETRY, _LONGEST_RETRY = timedelta(seconds=10), timedelta(minutes=15)
_BEFORE = 100
"""Records before an update in which others of its window are looked for."""


def announce(ports: NoticePorts, records: Sequence[AuditRecord]) -> int:
    """Publish the notices of ``records`` and queue them for their subscribers; answer how many.

    Done twice, the same notices go out twice, under the same ids.

    Raises:
        Unavailable: if bus or queue did not take all of it.
    """
    notices = [notice_of(record, ports.stage) for record in records]
    if not notices:
        return 0
    ports.bus.publish(notices)
    now, subscriptions = ports.clock.now(), ports.subscriptions.subscriptions()
    deliveries = [
        (
            Delivery(subscription.id, notice),
            max(window_end(notice) - now, timedelta()) if notice.update else timedelta(),
        )
        for notice in notices
        for subscription in subscriptions
        if subscription.wants(notice)
    ]
    if deliveries:
        ports.queue.enqueue(deliveries)
    return len(deliveries)


def deliver(ports: NoticePorts, delivery: Delivery) -> bool:
    """Make ``delivery``, or queue it once more; answer whether something went out.

    An update is delivered by the last one of its five minutes, together with those before. A
    delivery that fails for a day is kept as undelivered.

    Raises:
        Unavailable: if table or queue does not answer.
    """
    subscription = _subscription(ports, delivery.subscription)
    if subscription is None or subscription.ended:
        return False
    notice = delivery.notice
    if notice.update:
        after = max(notice.number - _BEFORE, 0)
        combined = told_with(notice, ports.store.audit(notice.subject, after=after))
        if combined is None:
            return False
        notice = combined
    now = ports.clock.now()
    try:
        ports.sender.send(subscription, notice, now)
    except Unavailable as error:
        if now - notice.at < TRIED_FOR:
            again = replace(delivery, attempt=delivery.attempt + 1)
            ports.queue.enqueue([(again, retry_after(delivery.attempt))])
            return False
        ports.undelivered.keep_undelivered(
            Undelivered(
                subscription=subscription.id,
                notice=notice.id,
                title=notice.title,
                at=notice.at,
                given_up_at=now,
                why=str(error),
            )
        )
        return False
    return True


def retry_after(attempt: int) -> timedelta:
    """How long after failed attempt number ``attempt`` the next one is made: 10 s to 15 min."""
    # Doubled ever again it would soon be a number that no duration can hold.
    return min(_FIRST_RETRY * (1 << min(attempt - 1, 10)), _LONGEST_RETRY)


def _subscription(ports: NoticePorts, key: str) -> Subscription | None:
    return next((s for s in ports.subscriptions.subscriptions() if s.id == key), None)
