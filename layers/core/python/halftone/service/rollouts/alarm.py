"""What a guardrail's alarm does: whatever it watches gets no more traffic."""

from datetime import datetime

from halftone.domain.endpoint.state import EndpointState
from halftone.ports import Parts
from halftone.service.rollouts.probation import withdraw
from halftone.service.rollouts.rollback import roll_back


def on_alarm(
    parts: Parts, endpoint: str, *, actor: str, reason: str, fired_at: datetime
) -> EndpointState | None:
    """End the rollout under way, or else the share of the deployment on probation.

    Answers None if the alarm tells of neither: it comes late, or for the second time.
    """
    ended = roll_back(parts, endpoint, actor=actor, reason=reason, fired_at=fired_at)
    if ended is not None:
        return ended
    return withdraw(parts, endpoint, actor=actor, reason=reason, fired_at=fired_at)
