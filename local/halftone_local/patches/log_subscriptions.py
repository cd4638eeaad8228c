"""Subscription filters: patterns over JSON lines, deliveries in batches, and repetitions.

AWS: ``{ $.name = "value" }`` matches events that are JSON objects with that value, ``*`` stands for
any characters. "Filter pattern syntax",
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
Matching events of a stream are delivered together, gzipped, each with an id that no other has; a
Lambda destination is invoked asynchronously, so that a delivery whose handler fails comes twice
more. "Log group-level subscription filters",
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
"Retry behavior", https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html

ministack looks for the pattern's words anywhere in a line, gives each delivery ids of its own, and
starts a sandbox for each line as it comes, once.
"""

import base64
import gzip
import itertools
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch_logs, lambda_svc

from halftone_local.access.invocations import may_invoke
from halftone_local.seams import need, wrap

BATCH_SECONDS = 0.5
MOST_EVENTS = 1000
TRIES = 3

_PATTERN = re.compile(r'\s*\{\s*\$\.(\w+)\s*=\s*"([^"]*)"\s*\}\s*')
_log = logging.getLogger(__name__)


def apply() -> None:
    for name in ("_log_groups", "_subscription_pattern_matches"):
        need(cloudwatch_logs, name)
    for name in ("_functions", "_execute_function_with_config_scope"):
        need(lambda_svc, name)
    wrap(cloudwatch_logs, "_subscription_pattern_matches", _over_json)
    outbox = _Outbox()
    threading.Thread(target=outbox.deliver_for_ever, daemon=True).start()
    wrap(cloudwatch_logs, "_fanout_to_subscription_filters", lambda _original: outbox.take)


def _over_json(original: Callable[[str, str], bool]) -> Callable[[str, str], bool]:
    def matches(pattern: str, message: str) -> bool:
        match = _PATTERN.fullmatch(pattern or "")
        return json_matches(match[1], match[2], message) if match else original(pattern, message)

    return matches


def json_matches(name: str, expected: str, message: str) -> bool:
    """Whether ``message`` is a JSON object whose field ``name`` is a text like ``wanted``."""
    try:
        line = json.loads(message)
    except (ValueError, RecursionError):
        return False
    value = line.get(name) if isinstance(line, dict) else None
    pattern = ".*".join(re.escape(part) for part in expected.split("*"))
    return isinstance(value, str) and re.fullmatch(pattern, value, re.DOTALL) is not None


@dataclass
class _Outbox:
    """Events on their way, by function and envelope."""

    waiting: dict[tuple[str, str], tuple[Any, dict[str, Any]]] = field(default_factory=dict)
    turn: threading.Lock = field(default_factory=threading.Lock)
    ids: Any = field(default_factory=lambda: itertools.count(time.time_ns()))

    def take(self, group: str, stream: str, events: Sequence[Mapping[str, Any]]) -> None:
        """Put aside what the group's filters match; never fails."""
        filters = (need(cloudwatch_logs, "_log_groups").get(group) or {}).get("subscriptionFilters")
        for one in (filters or {}).values():
            destination = one.get("destinationArn", "")
            if ":function:" not in destination:
                continue
            name = destination.split(":function:")[-1].split(":")[0]
            function = need(lambda_svc, "_functions").get(name)
            matches = need(cloudwatch_logs, "_subscription_pattern_matches")
            matched = [
                {
                    "id": f"{next(self.ids):056d}",
                    "timestamp": event.get("timestamp", int(time.time() * 1000)),
                    "message": event.get("message", ""),
                }
                for event in events
                if matches(one.get("filterPattern", ""), event.get("message", ""))
            ]
            if function is None or not matched or group == f"/aws/lambda/{name}":
                continue
            envelope = {
                "messageType": "DATA_MESSAGE",
                "owner": get_account_id(),
                "logGroup": group,
                "logStream": stream,
                "subscriptionFilters": [one.get("filterName", "")],
                "logEvents": [],
            }
            log_group = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group}:*"
            if not may_invoke(destination, "logs.amazonaws.com", log_group):
                continue
            with self.turn:
                waiting = self.waiting.setdefault((name, stream), (function, envelope))
                waiting[1]["logEvents"] += matched

    def deliver_for_ever(self) -> None:
        """One delivery after the other, so that one sandbox serves them all."""
        while True:
            time.sleep(BATCH_SECONDS)
            with self.turn:
                due, self.waiting = list(self.waiting.values()), {}
            for function, envelope in due:
                events = envelope["logEvents"]
                for start in range(0, len(events), MOST_EVENTS):
                    _deliver(
                        function, envelope | {"logEvents": events[start : start + MOST_EVENTS]}
                    )


def _deliver(function: Any, envelope: Mapping[str, Any]) -> None:
    data = base64.b64encode(gzip.compress(json.dumps(envelope).encode())).decode()
    execute = need(lambda_svc, "_execute_function_with_config_scope")
    for _ in range(TRIES):
        try:
            answer = execute(function, {"awslogs": {"data": data}})
        except Exception:  # noqa: BLE001 - whatever it is, the next delivery must not wait for it
            _log.exception("a delivery to a subscriber could not be made")
            return
        if not (isinstance(answer, dict) and answer.get("error")):
            return
