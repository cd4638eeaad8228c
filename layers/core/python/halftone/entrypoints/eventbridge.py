"""EventBridge's "CloudWatch Alarm State Change", read as a rollback's reason."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from halftone.domain.names import guardrail_prefix


@dataclass(frozen=True)
class GuardrailAlarm:
    """Which endpoint's guardrail went into alarm, when, and why, in words for the record."""

    endpoint: str
    fired_at: datetime
    actor: str
    reason: str


def guardrail_alarm(event: dict[str, Any], stage: str) -> GuardrailAlarm:
    """The alarm in an event that the platform's rule has matched."""
    name, state = event["detail"]["alarmName"], event["detail"]["state"]
    return GuardrailAlarm(
        endpoint=name.removeprefix(guardrail_prefix(stage)),
        fired_at=datetime.fromisoformat(state["timestamp"]),
        actor=f"alarm/{name}",
        reason=f"guardrail in alarm: {_children(state) or state.get('reason', 'no reason given')}",
    )


def _children(state: dict[str, Any]) -> str:
    """The alarms that made a composite alarm go off, by the short names that the template uses."""
    found = json.loads(state.get("reasonData") or "{}").get("triggeringAlarms", [])
    red = [a["arn"] for a in found if a.get("state", {}).get("value", "ALARM") == "ALARM"]
    return ", ".join(sorted(arn.rsplit("--", 1)[-1] for arn in red))
