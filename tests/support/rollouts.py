"""Rollouts as values, for tests of what is decided about them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from halftone.domain.model.manifest import PackageRef
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import Plan, Stage
from halftone.domain.rollout.rollout import Rollout

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PLAN = Plan(
    (
        Stage(5.0, min_time=MINUTE, max_time=10 * MINUTE, min_requests=100),
        Stage(50.0, min_time=MINUTE, max_time=10 * MINUTE, min_requests=100),
        Stage(95.0, min_time=MINUTE, max_time=10 * MINUTE, min_requests=100),
    )
)


def rollout(phase: Phase = Phase.OBSERVING, **changes: Any) -> Rollout:
    """From version 1 to version 2; watched at the first step since START unless told otherwise."""
    fields: dict[str, Any] = {
        "id": "fraud-r1",
        "plan": PLAN,
        "package": PackageRef("fraud", "0" * 64),
        "settings": "s1",
        "actor": "ann",
        "started_at": START,
        "champion": "1",
        "challenger": "2",
        "stage": 0,
        "share": 5.0,
        "target": 5.0,
        "stage_since": START,
        "exposed_at": START,
    }
    return Rollout(phase=phase, **{**fields, **changes})
