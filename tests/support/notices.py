"""Records, notices and subscriptions as tests of notices need them."""

from datetime import UTC, datetime, timedelta

from halftone.domain.audit import AuditHead, AuditRecord, append
from halftone.domain.notices.subscription import Channel, Subscription

START = datetime(2026, 3, 1, 12, 0, 10, tzinfo=UTC)
SECRET = "ab" * 32


def chain(*actions: str, every: timedelta = timedelta(minutes=1)) -> list[AuditRecord]:
    """Records of rollout r1 of endpoint fraud, one for each action, one after ``every``."""
    head, records = AuditHead(), []
    for number, action in enumerate(actions):
        record = append(
            head,
            endpoint="fraud",
            at=START + number * every,
            actor="halftone",
            action=action,
            before={},
            after={"rollout": "r1", "share": 5.0, "champion": "1", "challenger": "2"},
            reason=f"reason {number + 1}",
            numbers={},
        )
        head = record.head
        records.append(record)
    return records


def subscription(
    key: str = "0123456789ab",
    *,
    kinds: tuple[str, ...] = ("*",),
    endpoint: str = "*",
    channel: Channel = Channel.WEBHOOK,
    address: str = "https://ops.example.com/hook",
    ended: str = "",
) -> Subscription:
    """A subscription to everything, unless told otherwise."""
    return Subscription(
        id=key,
        endpoint=endpoint,
        kinds=kinds,
        channel=channel,
        address=address,
        secret=SECRET,
        actor="ann",
        made_at=START,
        ended=ended,
    )
