"""Handle a guardrail's alarm: take all traffic from the version that it watches."""

from datetime import datetime

from halftone.domain.audit import Author
from halftone.domain.endpoint.state import EndpointState
from halftone.ports import RolloutPorts
from halftone.service.rollouts.probation import withdraw
from halftone.service.rollouts.rollback import roll_back


def on_alarm(
    ports: RolloutPorts, endpoint: str, *, author: Author, fired_at: datetime, detail: str = ""
) -> EndpointState | None:
    """End the rollout under way, or else the share of the deployment on probation.

    ``detail`` is what the platform says of the alarm. Returns None if the alarm applies to
    neither: it is late or a duplicate.
    """
    ended = roll_back(ports, endpoint, author=author, fired_at=fired_at, detail=detail)
    if ended is not None:
        return ended
    return withdraw(ports, endpoint, author=author, fired_at=fired_at, detail=detail)
