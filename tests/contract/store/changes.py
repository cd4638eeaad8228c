"""What the tests of the record write: tables, changes with their audit records, evidence."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from halftone.domain.audit import append
from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.model.manifest import PackageRef
from halftone.domain.rollout.evidence import Arm, Bucket, Evidence
from halftone.domain.rollout.rollout import Rollout
from halftone.ports.state import Change
from tests.support.rollouts import START, rollout

ROLLOUT = rollout(latency_limits=(12.5, 80.1, 1 / 3))
ENTRY: dict[str, Any] = {
    "actor": "ann",
    "action": "advance",
    "before": {"share": 5.0},
    "after": {"share": 20.0},
    "reason": "harmless",
    "numbers": {"log_e": 3.0000000000000004, "requests": 412},
}


def create_table(dynamodb: Any) -> str:
    """A new empty table; its name."""
    name = f"record-{uuid.uuid4()}"
    dynamodb.create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def next_change(
    read: EndpointState | None,
    /,
    *,
    endpoint: str = "fraud",
    at: datetime = START,
    under_way: Rollout | None = ROLLOUT,
    deployment: Deployment | None = None,
    **entry: Any,
) -> Change:
    """What a use case that has read a state would write, or None of a new endpoint."""
    state = read or EndpointState(endpoint)
    record = append(state.audit, endpoint=endpoint, at=at, **{**ENTRY, **entry})
    after = replace(
        state,
        revision=state.revision + 1,
        champion=deployment or state.champion,
        rollout=under_way,
        audit=record.head,
    )
    return Change(read, after, record, deployment)


def deployment(version: str, **changes: Any) -> Deployment:
    """A deployment of that version."""
    deployment = Deployment(version, PackageRef("fraud", "ab" * 32), "s1", "fraud-r1", START)
    return replace(deployment, **changes)


def grown(evidence: Evidence, *counts: tuple[Arm, Arm]) -> tuple[Evidence, list[Bucket]]:
    """``evidence`` with one more bucket for each pair of counts, and those buckets."""
    span = timedelta(seconds=10)
    since = evidence.until
    buckets = [Bucket(since + i * span, *pair) for i, pair in enumerate(counts)]
    return evidence.fold(buckets, since + len(counts) * span, ROLLOUT), buckets


def no_evidence(rollout_id: str = "fraud-r1") -> Evidence:
    """A rollout's evidence before its first bucket."""
    return Evidence.begin(replace(ROLLOUT, id=rollout_id), datetime(2026, 1, 1, tzinfo=UTC))
