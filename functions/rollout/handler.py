"""The tick of a rollout: called by the workflow in a loop, and by each endpoint's schedule.

Event: ``{"endpoint": name, "rollout": id or null}``; null means whatever is under way.
Answer: ``{"done": bool, "wait": whole seconds, "phase": ..., "reason": ...}``.
"""

import math
from functools import cache
from typing import Any

from halftone.bootstrap import ports, settings
from halftone.ports import Ports
from halftone.service.rollouts.advance import advance


@cache
def _ports() -> Ports:
    return ports(settings())


def handler(event: dict[str, Any], _context: object) -> dict[str, object]:
    """Advance the rollout by what can be done now."""
    tick = advance(_ports(), event["endpoint"], event["rollout"], every=settings().tick)
    return {
        "done": tick.done,
        "wait": math.ceil(tick.wait.total_seconds()),
        "phase": tick.phase,
        "reason": tick.reason,
    }
