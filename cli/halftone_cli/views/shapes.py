"""The JSON that ``--json`` prints. These shapes are documented in docs/cli.md and stay as they are:
a field may be added, none is renamed or removed.

Times are ISO 8601 in UTC, spans are seconds, shares are percent.
"""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from halftone.domain.audit import AuditRecord
from halftone.domain.model.manifest import PackageRef
from halftone.domain.rollout.plan import Margins, Plan
from halftone.domain.rollout.rollout import Rollout
from halftone.domain.traffic.match_schema import dump_match
from halftone.service.insight.preview import EndpointPreview
from halftone_cli.views.reading import View

Json = dict[str, Any]


def status(stage: str, views: Iterable[View]) -> Json:
    """Of ``status`` and ``rollback``."""
    return {"stage": stage, "endpoints": [_endpoint(view) for view in views]}


def record(entry: AuditRecord) -> Json:
    """One audit record, whole: every field that its hash covers, and the hash."""
    return {**asdict(entry), "at": entry.at.isoformat()}


def plan(shown_plan: Plan) -> Json:
    """A rollout plan."""
    return {
        "stages": [
            {
                "weight": stage.weight,
                "mirror": stage.mirror,
                "match": None if stage.match is None else dump_match(stage.match),
                "min_seconds": stage.min_time.total_seconds(),
                "max_seconds": stage.max_time.total_seconds(),
                "min_requests": stage.min_requests,
                "approval": stage.approval,
                "bake": shown_plan.is_bake(number),
            }
            for number, stage in enumerate(shown_plan.stages)
        ],
        "alpha": shown_plan.alpha,
        "on_inconclusive": shown_plan.on_inconclusive.value,
        "margins": {name: asdict(margins) for name, margins in margins_of(shown_plan).items()},
    }


def margins_of(plan_of: Plan) -> dict[str, Margins]:
    """What counts as worse, by metric."""
    return {name: value for name, value in vars(plan_of).items() if isinstance(value, Margins)}


def preview(of_endpoint: EndpointPreview, endpoint: str | None) -> Json:
    """Of ``plan preview``."""
    steps_preview = of_endpoint.preview
    return {
        "endpoint": endpoint,
        "plan_of": of_endpoint.plan_of or None,
        "traffic": {
            "requests_a_second": steps_preview.traffic.rate,
            "errors_percent": 100 * steps_preview.traffic.errors,
            "late_percent": 100 * steps_preview.traffic.late,
            "source": steps_preview.traffic.source,
            "keys_an_hour": steps_preview.traffic.keys,
        },
        "steps": [
            {
                "weight": step.stage.weight,
                "mirror": step.stage.mirror,
                "approval": step.stage.approval,
                "requests_a_second": step.rate,
                "counts": step.counted.units,
                "counted_an_hour": 3600 * step.counted.rate,
                "lasts_seconds": _seconds(step.lasts),
                "bound_by": step.bound_by,
                "proof_requests": step.proof,
                "visible_errors_percent": None if step.visible is None else 100 * step.visible,
                "tenfold": {
                    "caught_after_requests": step.caught,
                    "back_after_seconds": _seconds(step.back_after),
                    "failed_weighted": step.hurt,
                    "failed_guarded": 0,
                },
            }
            for step in steps_preview.steps
        ],
        "promoted_after_seconds": _seconds(steps_preview.promoted_after),
        "approvals": steps_preview.approvals,
        "warnings": list(steps_preview.warnings),
    }


def package(reference: PackageRef) -> Json:
    """A package by name and digest."""
    return {"name": reference.name, "digest": reference.digest}


def _endpoint(view: View) -> Json:
    champion, routing, guard = view.state.champion, view.routing, view.guard
    rollout, verdict = view.state.rollout, view.verdict
    return {
        "endpoint": view.state.endpoint,
        "at": view.at.isoformat(),
        "since": _moment(view.since),
        "champion": champion
        and {
            "version": champion.version,
            "package": package(champion.package),
            "published_at": champion.created_at.isoformat(),
        },
        "alias": routing
        and {
            "main": routing.main,
            "other": routing.other,
            "share": routing.share,
            "agrees": not view.disagreement,
            "disagreement": view.disagreement,
        },
        "answering": dict(view.answering),
        "restored": view.state.restored,
        "guardrail": guard
        and {
            "state": guard.state.value,
            "armed_for": guard.armed_for,
            "reason": guard.reason,
            "detail": guard.detail,
        },
        "rollout": rollout and _rollout(rollout),
        "verdict": verdict
        and {
            "kind": verdict.kind.value,
            "reason": verdict.reason,
            "numbers": dict(verdict.numbers),
        },
        "audit": [record(recent) for recent in view.recent],
        "faults": list(view.faults),
    }


def _rollout(rollout: Rollout) -> Json:
    return {
        "id": rollout.id,
        "phase": rollout.phase.value,
        "over": rollout.phase.final,
        "package": package(rollout.package),
        "champion": rollout.champion,
        "challenger": rollout.challenger,
        "mode": rollout.mode.value,
        "share": rollout.share,
        "mirror": rollout.mirror,
        "target": rollout.target,
        "stage": rollout.stage + 1,
        "started_at": rollout.started_at.isoformat(),
        "stage_since": _moment(rollout.stage_since),
        "actor": rollout.actor,
        "message": rollout.message,
        "reason": rollout.reason,
        "plan": plan(rollout.plan),
    }


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
