"""The stage's event bus and the queue of deliveries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from halftone.adapters.aws.clients import translated
from halftone.domain.errors import Unavailable
from halftone.domain.notices.message import body
from halftone.domain.notices.notice import Notice
from halftone.ports.notices import Delivery

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient

SOURCE = "halftone"
"""The ``source`` of the events; ``detail-type`` is the kind of the notice."""

_AT_ONCE = 10
"""How many entries PutEvents and SendMessageBatch take."""
_T = TypeVar("_T")


class NoticeBus:
    """Port ``EventBus`` on EventBridge."""

    def __init__(self, client: EventBridgeClient, bus: str) -> None:
        self._events = client
        self._bus = bus

    def publish(self, notices: Sequence[Notice]) -> None:
        """See the port. One call for ten notices."""
        for batch in _batches(notices):
            entries: list[Any] = [
                {
                    "EventBusName": self._bus,
                    "Source": SOURCE,
                    "DetailType": notice.kind,
                    "Time": notice.at,
                    "Resources": [notice.subject],
                    "Detail": body(notice).decode(),
                }
                for notice in batch
            ]
            with translated("publishing notices"):
                failed = self._events.put_events(Entries=entries)["FailedEntryCount"]
            if failed:
                raise Unavailable(f"EventBridge took all but {failed} of {len(entries)} notices")


class NoticeQueue:
    """Port ``DeliveryQueue`` on SQS."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._sqs = client
        self._url = url

    def enqueue(self, deliveries: Sequence[tuple[Delivery, timedelta]]) -> None:
        """See the port. One call for ten deliveries."""
        for batch in _batches(deliveries):
            entries: list[Any] = [
                {
                    "Id": str(number),
                    "MessageBody": msgspec.json.encode(delivery).decode(),
                    "DelaySeconds": min(int(delay.total_seconds()) + 1, 900) if delay else 0,
                }
                for number, (delivery, delay) in enumerate(batch)
            ]
            with translated("queueing notices"):
                answer = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
            if answer.get("Failed"):
                failed = answer["Failed"][0]
                raise Unavailable(f"SQS did not take a notice: {failed.get('Message', failed)}")


def _batches(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]
