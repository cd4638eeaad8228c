"""What CloudWatch Logs hands to a subscriber, read as lines of one endpoint's function."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

from halftone.domain.errors import InvalidInput
from halftone.domain.names import log_group_name
from halftone.service.capture import Delivery


def log_delivery(event: dict[str, Any], stage: str) -> Delivery | None:
    """What CloudWatch Logs hands to a subscriber; None for its test of the connection.

    Raises:
        InvalidInput: if the log group is no model function's of this stage.
    """
    delivery = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    if delivery["messageType"] != "DATA_MESSAGE":
        return None
    group, prefix = delivery["logGroup"], log_group_name(stage, "")
    if not group.startswith(prefix):
        raise InvalidInput("logGroup", group, f"the log of a model function, {prefix}...")
    lines = tuple((line["id"], line["message"]) for line in delivery["logEvents"])
    return Delivery(group.removeprefix(prefix), lines)
