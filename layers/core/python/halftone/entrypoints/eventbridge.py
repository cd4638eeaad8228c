"""EventBridge's "CloudWatch Alarm State Change", read as a rollback's reason."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from halftone.domain.names import guardrail_prefix


@dataclass(frozen=True)
class GuardrailAlarm:
    """Which endpoint's guardrail went into alarm, when, and why, in words for the record.

    ``fired_at`` is when the alarms behind it did: the composite alarm follows them late, perhaps
    after they were armed for another version. ``reason`` is short, ``detail`` in CloudWatch's own
    words.
    """

    endpoint: str
    fired_at: datetime
    actor: str
    reason: str
    detail: str


def guardrail_alarm(event: dict[str, Any], stage: str) -> GuardrailAlarm:
    """The alarm in an event that the platform's rule has matched."""
    name, state = event["detail"]["alarmName"], event["detail"]["state"]
    detail = str(state.get("reason") or "no reason given")
    return GuardrailAlarm(
        endpoint=name.removeprefix(guardrail_prefix(stage)),
        fired_at=_fired_at(state),
        actor=f"alarm/{name}",
        reason=f"guardrail in alarm: {_children(state) or detail[:120]}",
        detail=detail,
    )


def _fired_at(state: dict[str, Any]) -> datetime:
    """When the last of the alarms behind a composite alarm went off, or the composite itself."""
    moments = [a.get("state", {}).get("timestamp") for a in _triggering(state)]
    stamps = [moment for moment in moments if moment is not None] or [state["timestamp"]]
    return max(map(datetime.fromisoformat, stamps))


def _children(state: dict[str, Any]) -> str:
    """The alarms that made a composite alarm go off, by the short names that the template uses."""
    return ", ".join(sorted(alarm["arn"].rsplit("--", 1)[-1] for alarm in _triggering(state)))


def _triggering(state: dict[str, Any]) -> list[dict[str, Any]]:
    """The alarms in alarm that made a composite alarm go off."""
    alarms = json.loads(state.get("reasonData") or "{}").get("triggeringAlarms", [])
    return [a for a in alarms if a.get("state", {}).get("value", "ALARM") == "ALARM"]
