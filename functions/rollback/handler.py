"""Two ways into one rollback: a guardrail's alarm, and a workflow that failed.

They are two Lambda functions of this one file, so that neither has to guess what called it.
"""

from functools import cache
from typing import Any

from halftone.bootstrap import ports, settings
from halftone.domain.audit import Author
from halftone.entrypoints.eventbridge import guardrail_alarm
from halftone.ports import Ports
from halftone.service.rollouts import alarm
from halftone.service.rollouts.rollback import roll_back


@cache
def _ports() -> Ports:
    return ports(settings(), urgent=True)


def on_alarm(event: dict[str, Any], _context: object) -> None:
    """EventBridge's "CloudWatch Alarm State Change" of a guardrail that went into alarm."""
    fired = guardrail_alarm(event, settings().stage)
    alarm.on_alarm(
        _ports(),
        fired.endpoint,
        author=Author(fired.actor, fired.reason),
        fired_at=fired.fired_at,
        detail=fired.detail,
    )


def on_workflow_failure(event: dict[str, Any], _context: object) -> None:
    """The workflow's catch: ``{"endpoint": ..., "rollout": ..., "error": {"Error", "Cause"}}``."""
    error = event.get("error", {})
    reason = f"the workflow failed: {error.get('Error')}: {error.get('Cause', '')[:500]}"
    rollout = event["rollout"]
    roll_back(_ports(), event["endpoint"], author=Author("workflow", reason), rollout=rollout)
