"""What several routes answer with. Times are ISO 8601 in UTC, shares percent, spans seconds."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from halftone.api.evidence_schemas import (
    Clock,
    Eta,
    EvidenceNumbers,
    Permission,
    numbers,
    shown_clock,
    shown_eta,
    shown_permissions,
)
from halftone.api.overviews import Summary, poll_seconds
from halftone.api.responses import Shape
from halftone.domain import audit
from halftone.domain.endpoint import deployment
from halftone.domain.endpoint.status import Status
from halftone.domain.model import manifest
from halftone.domain.rollout import plan
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import Margins
from halftone.domain.rollout.verdict import Verdict
from halftone.domain.traffic.match_schema import dump_match
from halftone.domain.traffic.policy import Mode
from halftone.service.endpoints.endpoints import ReadEndpoint
from halftone.service.insight import permissions
from halftone.service.insight.rollouts import RolloutView, Told


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
    """An endpoint.

    `restored` is why nothing is written to AWS: the table was restored to an earlier day ("": it
    was not). `POST …/adopt` says what holds. `answering` are the shares of unpinned requests by
    version, by alias and routes where no rule matches. `difference` is how the aliases as they were
    read differ from the record ("": they do not; null: they were not compared). `summary` is null
    but in a list that was asked for it.
    """

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
    restored: str
    answering: Mapping[str, float]
    difference: str | None
    summary: Summary | None


class PlanStage(Shape):
    """A step of a plan, or its bake.

    It has a `weight` that the challenger answers, or a `mirror` share that it scores unseen: the
    other one is 0. `match` is whose requests take part, in a plan's own words; null: everybody's.
    """

    weight: float
    mirror: float
    match: Mapping[str, Any] | None
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
    """What the evidence says: a word, a sentence and the numbers behind them.

    `evidence` is `numbers` with a shape; null where the verdict was given without any.
    """

    kind: str
    reason: str
    numbers: Mapping[str, Any]
    evidence: EvidenceNumbers | None


class Rollout(Shape):
    """A rollout. `stage` counts from 1, 0 before the first.

    `verdict` is of the stage under way, or of the last look at a rollout that is over. `eta` is
    null where no clock runs. `may` is what the caller may do now, by action: `abort`, `pause`,
    `resume`, `approve`, `reject`, `promote`. `poll_seconds` is how soon to look again. Of rollouts
    before these were recorded there is no `plan` and no `clock`.
    """

    id: str
    endpoint: str
    phase: Phase
    over: bool
    package: Package
    champion: str | None
    challenger: str | None
    share: float
    target: float
    stage: int
    started_at: datetime
    stage_since: datetime | None
    ended_at: datetime | None
    actor: str
    message: str
    reason: str
    plan: Plan | None
    verdict: VerdictShown | None
    mode: Mode | None
    clock: Clock | None
    eta: Eta | None
    may: Mapping[str, Permission]
    poll_seconds: int


class RolloutEntry(Shape):
    """A rollout in a list. `package.digest` is the beginning of the digest, 12 digits."""

    id: str
    phase: Phase
    over: bool
    package: Package
    champion: str | None
    challenger: str | None
    share: float
    started_at: datetime
    ended_at: datetime | None
    actor: str
    message: str
    reason: str


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


def package(reference: manifest.PackageRef) -> Package:
    """A package."""
    return Package(name=reference.name, digest=reference.digest)


def champion(deployed: deployment.Deployment) -> Champion:
    """A champion."""
    return Champion(
        version=deployed.version,
        package=package(deployed.package),
        published_at=deployed.created_at,
    )


def verdict(decided: Verdict) -> VerdictShown:
    """A verdict."""
    return VerdictShown(
        kind=decided.kind.value,
        reason=decided.reason,
        numbers=dict(decided.numbers),
        evidence=numbers(decided.numbers),
    )


def endpoint(read: ReadEndpoint, summary: Summary | None = None) -> Endpoint:
    """An endpoint."""
    state, about = read.state, read.state.about
    return Endpoint(
        name=state.endpoint,
        status=read.status.status,
        message=read.status.message,
        champion=champion(state.champion) if state.champion else None,
        rollout=state.rollout.id if state.rollout else None,
        owner=about.owner,
        creator=about.creator,
        created_at=about.created_at,
        self_approval=about.self_approval,
        revision=state.revision,
        restored=state.restored,
        answering=dict(read.shares),
        difference=read.difference,
        summary=summary,
    )


def shown_rollout(view: RolloutView, may: Mapping[str, permissions.Permission]) -> Rollout:
    """A rollout, with what the caller may do to it."""
    entry, full = view.entry, view.rollout
    return Rollout(
        id=entry.id,
        endpoint=view.state.endpoint,
        phase=entry.phase,
        over=entry.phase.final,
        package=package(full.package) if full else _short(entry.package),
        champion=full.champion if full else entry.champion,
        challenger=entry.challenger,
        share=entry.share,
        target=full.target if full else entry.share,
        stage=full.stage + 1 if full else 0,
        started_at=entry.started_at,
        stage_since=full.stage_since if full else None,
        ended_at=entry.ended_at,
        actor=entry.actor,
        message=full.message if full else entry.message,
        reason=entry.reason,
        plan=shown_plan(full.plan) if full else None,
        verdict=verdict(view.verdict) if view.verdict else None,
        mode=full.mode if full else None,
        clock=shown_clock(view.clock) if view.clock else None,
        eta=shown_eta(view.forecast) if view.forecast else None,
        may=shown_permissions(may),
        poll_seconds=poll_seconds(entry.phase),
    )


def shown_entry(told: Told) -> RolloutEntry:
    """A rollout in a list."""
    return RolloutEntry(
        id=told.id,
        phase=told.phase,
        over=told.phase.final,
        package=_short(told.package),
        champion=told.champion,
        challenger=told.challenger,
        share=told.share,
        started_at=told.started_at,
        ended_at=told.ended_at,
        actor=told.actor,
        message=told.message,
        reason=told.reason,
    )


def _short(text: str) -> Package:
    """The package that the audit writes as its name and the beginning of its digest."""
    name, _, digest = text.rpartition("@")
    return Package(name=name, digest=digest)


def shown_plan(kept: plan.Plan) -> Plan:
    """A plan."""
    return Plan(
        stages=[
            PlanStage(
                weight=stage.weight,
                mirror=stage.mirror,
                match=dump_match(stage.match) if stage.match else None,
                min_seconds=stage.min_time.total_seconds(),
                max_seconds=stage.max_time.total_seconds(),
                min_requests=stage.min_requests,
                approval=stage.approval,
                bake=kept.is_bake(number),
            )
            for number, stage in enumerate(kept.stages)
        ],
        alpha=kept.alpha,
        on_inconclusive=kept.on_inconclusive.value,
        margins={n: asdict(m) for n, m in vars(kept).items() if isinstance(m, Margins)},
    )


def record(kept: audit.AuditRecord) -> AuditRecord:
    """An audit record."""
    return AuditRecord(**{**vars(kept), "at": kept.at.isoformat()})
