"""What a guardrail's alarm does: whatever it watches gets no more traffic."""

from datetime import datetime

from halftone.domain.endpoint.state import EndpointState
from halftone.ports import Ports
from halftone.service.rollouts.probation import withdraw
from halftone.service.rollouts.rollback import roll_back


def on_alarm(
    ports: Ports, endpoint: str, *, actor: str, reason: str, fired_at: datetime
) -> EndpointState | None:
    """End the rollout under way, or else the share of the deployment on probation.

    Answers None if the alarm tells of neither: it comes late, or for the second time.
    """
    ended = roll_back(ports, endpoint, actor=actor, reason=reason, fired_at=fired_at)
    if ended is not None:
        return ended
    return withdraw(ports, endpoint, actor=actor, reason=reason, fired_at=fired_at)
