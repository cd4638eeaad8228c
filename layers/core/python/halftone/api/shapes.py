"""What several routes answer with. Times are ISO 8601 in UTC, shares percent, spans seconds."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from halftone.api.answers import Shape
from halftone.domain import audit, deployment, plan, rollout
from halftone.domain.endpoint import EndpointState
from halftone.domain.plan import Margins
from halftone.domain.status import Status, told
from halftone.domain.verdict import Verdict


class Package(Shape):
    """A model package."""

    name: str
    digest: str


class Champion(Shape):
    """The version that answers."""

    version: str
    package: Package
    published_at: datetime


class Endpoint(Shape):
    """An endpoint."""

    name: str
    status: Status
    message: str
    champion: Champion | None
    rollout: str | None
    owner: str | None
    creator: str
    created_at: datetime | None
    self_approval: bool | None
    revision: int


class PlanStage(Shape):
    """A step of a plan, or its bake."""

    weight: float
    min_seconds: float
    max_seconds: float
    min_requests: int
    approval: bool
    bake: bool


class Plan(Shape):
    """A rollout plan; `margins` are what counts as worse, by metric."""

    stages: Sequence[PlanStage]
    alpha: float
    on_inconclusive: str
    margins: Mapping[str, Mapping[str, float]]


class VerdictShown(Shape):
    """What the evidence says: a word, a sentence and the numbers behind them."""

    kind: str
    reason: str
    numbers: Mapping[str, Any]


class Rollout(Shape):
    """A rollout. `stage` counts from 1, 0 before the first; `verdict` is of the stage under way."""

    id: str
    endpoint: str
    phase: str
    over: bool
    package: Package
    champion: str | None
    challenger: str | None
    share: float
    target: float
    stage: int
    started_at: datetime
    stage_since: datetime | None
    actor: str
    message: str
    reason: str
    plan: Plan
    verdict: VerdictShown | None


class AuditRecord(Shape):
    """One audit record, whole: every field that its hash covers, and the hash."""

    endpoint: str
    seq: int
    at: str
    actor: str
    action: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    reason: str
    numbers: Mapping[str, Any]
    previous: str
    hash: str


def package(given: deployment.PackageRef) -> Package:
    """A package."""
    return Package(name=given.name, digest=given.digest)


def champion(given: deployment.Deployment) -> Champion:
    """A champion."""
    return Champion(
        version=given.version, package=package(given.package), published_at=given.created_at
    )


def verdict(given: Verdict) -> VerdictShown:
    """A verdict."""
    return VerdictShown(kind=given.kind.value, reason=given.reason, numbers=dict(given.numbers))


def endpoint(state: EndpointState) -> Endpoint:
    """An endpoint."""
    said, about = told(state), state.about
    return Endpoint(
        name=state.endpoint,
        status=said.status,
        message=said.message,
        champion=champion(state.champion) if state.champion else None,
        rollout=state.rollout.id if state.rollout else None,
        owner=about.owner,
        creator=about.creator,
        created_at=about.created_at,
        self_approval=about.self_approval,
        revision=state.revision,
    )


def shown_rollout(given: rollout.Rollout, name: str, said: Verdict | None) -> Rollout:
    """A rollout, with what the evidence says of it."""
    return Rollout(
        id=given.id,
        endpoint=name,
        phase=given.phase.value,
        over=given.phase.final,
        package=package(given.package),
        champion=given.champion,
        challenger=given.challenger,
        share=given.share,
        target=given.target,
        stage=given.stage + 1,
        started_at=given.started_at,
        stage_since=given.stage_since,
        actor=given.actor,
        message=given.message,
        reason=given.reason,
        plan=shown_plan(given.plan),
        verdict=verdict(said) if said else None,
    )


def shown_plan(given: plan.Plan) -> Plan:
    """A plan."""
    return Plan(
        stages=[
            PlanStage(
                weight=stage.weight,
                min_seconds=stage.min_time.total_seconds(),
                max_seconds=stage.max_time.total_seconds(),
                min_requests=stage.min_requests,
                approval=stage.approval,
                bake=given.is_bake(number),
            )
            for number, stage in enumerate(given.stages)
        ],
        alpha=given.alpha,
        on_inconclusive=given.on_inconclusive.value,
        margins={n: asdict(m) for n, m in vars(given).items() if isinstance(m, Margins)},
    )


def record(given: audit.AuditRecord) -> AuditRecord:
    """An audit record."""
    return AuditRecord(**{**vars(given), "at": given.at.isoformat()})
