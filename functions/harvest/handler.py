"""The subscriber to the logs of all model functions of a stage: lines become files and metrics."""

import json
import sys
from functools import cache
from typing import Any

from halftone.bootstrap import capture_ports, capture_settings
from halftone.entrypoints.log_delivery import log_delivery
from halftone.ports.capture import CapturePorts
from halftone.service.capture import ingest


@cache
def _ports() -> CapturePorts:
    return capture_ports(capture_settings())


def handler(event: dict[str, Any], _context: object) -> None:
    """One delivery of CloudWatch Logs. What can't be done is raised, and delivered again."""
    delivery = log_delivery(event, capture_settings().stage)
    if delivery is None:
        return
    done = ingest(_ports(), delivery)
    told = {"endpoint": delivery.endpoint, "batch": delivery.batch, **vars(done)}
    sys.stdout.write(f"{json.dumps(told)}\n")
