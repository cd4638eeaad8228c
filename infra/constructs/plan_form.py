"""A plan in the form in which ``endpoint.yaml`` writes it, so that a template can carry it.

Every number stands in it, also those that came from a preset: a template says what will happen, and
changes when a preset does.
"""

from collections.abc import Mapping
from datetime import timedelta

from halftone.domain.plan import Margins, Plan, Stage


def plan_form(plan: Plan) -> Mapping[str, object]:
    """What ``parse_plan`` makes ``plan`` of."""
    steps = plan.stages[:-1] if plan.bakes else plan.stages
    return {
        # A single step of 100 % is how a plan says that it has none.
        "steps": [_stage(stage) for stage in steps] or [{"weight": 100}],
        "bake": _stage(plan.stages[-1]) if plan.bakes else "none",
        "alpha": plan.alpha,
        "on_inconclusive": plan.on_inconclusive.value,
        "margins": {"errors": _margins(plan.errors), "late": _margins(plan.late)},
    }


def _stage(stage: Stage) -> Mapping[str, object]:
    return {
        "weight": stage.weight,
        "min_time": _duration(stage.min_time),
        "max_time": _duration(stage.max_time),
        "min_requests": stage.min_requests,
        "approval": "before" if stage.approval else "none",
    }


def _margins(margins: Margins) -> Mapping[str, object]:
    return {
        "regression": margins.regression,
        "safety": margins.safety,
        "tolerance": margins.tolerance,
    }


def _duration(span: timedelta) -> str:
    seconds, rest = divmod(span, timedelta(seconds=1))
    return f"{span / timedelta(milliseconds=1):.3f}ms" if rest else f"{seconds}s"
