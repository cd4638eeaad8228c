"""Notices: from the table's stream to the bus and the queue, and from the queue to subscribers."""

import json
import sys
from functools import cache
from typing import Any

from halftone.bootstrap import notice_ports, notice_settings
from halftone.domain.errors import HalftoneError
from halftone.entrypoints.notices import queued, recorded
from halftone.ports.notices import NoticePorts
from halftone.service.notices.delivery import announce, deliver


@cache
def _ports() -> NoticePorts:
    return notice_ports(notice_settings())


def on_records(event: dict[str, Any], _context: object) -> None:
    """One batch of the table's changes. What can't be done is raised, and handed out again."""
    records = [record for _, record in recorded(event)]
    queued_now = announce(_ports(), records)
    if records:
        _log({"records": len(records), "queued": queued_now, "last": records[-1].hash})


def on_deliveries(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """One batch of deliveries. Those that table or queue stopped are handed out again alone."""
    failed = []
    for message_id, delivery in queued(event):
        line: dict[str, Any] = {
            "subscription": delivery.subscription,
            "notice": delivery.notice.id,
            "kind": delivery.notice.kind,
            "attempt": delivery.attempt,
        }
        try:
            line["sent"] = deliver(_ports(), delivery)
        except HalftoneError as error:
            failed.append({"itemIdentifier": message_id})
            line["error"] = str(error)
        _log(line)
    return {"batchItemFailures": failed}


def _log(line: dict[str, Any]) -> None:
    sys.stdout.write(f"{json.dumps(line)}\n")
