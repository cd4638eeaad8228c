"""What the table's stream and the queue of deliveries hand to the notices' functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from halftone.domain.audit import AuditRecord
from halftone.ports.notices import Delivery

_RECORD = "AUDIT#"


def recorded(event: dict[str, Any]) -> Iterator[tuple[str, AuditRecord]]:
    """The audit records among the changes of the table, each with its place in the stream."""
    for change in event["Records"]:
        image = change["dynamodb"].get("NewImage", {})
        if change["eventName"] == "INSERT" and image["sk"]["S"].startswith(_RECORD):
            record = msgspec.json.decode(image["body"]["S"], type=AuditRecord)
            yield change["dynamodb"]["SequenceNumber"], record


def queued(event: dict[str, Any]) -> Iterator[tuple[str, Delivery]]:
    """The deliveries of a batch, each with the id of its message."""
    for entry in event["Records"]:
        yield entry["messageId"], msgspec.json.decode(entry["body"], type=Delivery)
