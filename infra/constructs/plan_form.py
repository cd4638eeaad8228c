"""A plan in the form in which ``endpoint.yaml`` writes it, so that a template can carry it.

Every number stands in it, also those that came from a preset: a template says what will happen, and
changes when a preset does. What is not about stages bears the same name in a ``Plan`` and in YAML,
so that a rule added to the language is carried along.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import timedelta

from halftone.domain.plan import Margins, Plan, Stage

_ABOUT_STAGES = ("stages", "bakes", "approve_all")


def plan_form(plan: Plan) -> Mapping[str, object]:
    """What ``parse_plan`` makes ``plan`` of."""
    steps = plan.stages[:-1] if plan.bakes else plan.stages
    rules: dict[str, object] = {}
    margins: dict[str, object] = {}
    for rule in fields(plan):
        value = getattr(plan, rule.name)
        if isinstance(value, Margins):
            margins[rule.name] = asdict(value)
        elif rule.name not in _ABOUT_STAGES:
            rules[rule.name] = _duration(value) if isinstance(value, timedelta) else value
    return {
        "steps": [*map(_stage, steps), {"weight": 100, "approval": _approval(plan.approve_all)}],
        "bake": _stage(plan.stages[-1]) if plan.bakes else "none",
        "margins": margins,
        **rules,
    }


def _stage(stage: Stage) -> Mapping[str, object]:
    return {
        "weight": stage.weight,
        "min_time": _duration(stage.min_time),
        "max_time": _duration(stage.max_time),
        "min_requests": stage.min_requests,
        "approval": _approval(stage.approval),
    }


def _approval(needed: bool) -> str:
    return "before" if needed else "none"


def _duration(span: timedelta) -> str:
    seconds, rest = divmod(span, timedelta(seconds=1))
    return f"{span / timedelta(milliseconds=1):.3f}ms" if rest else f"{seconds}s"
