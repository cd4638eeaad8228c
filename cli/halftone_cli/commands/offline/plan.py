"""``halftone plan show``: what a preset does, before anything follows it."""

from datetime import timedelta
from typing import Annotated

import typer
import yaml

from halftone.domain.errors import NotFound
from halftone.domain.quantities import spoken
from halftone.domain.rollout.plan import DESCRIPTIONS, PRESETS, Plan
from halftone.domain.rollout.plan_schema import dump_plan
from halftone_cli.console import say_json, show, table
from halftone_cli.stage.session import Session
from halftone_cli.views import shapes


def show_plan(
    session: Session,
    preset: Annotated[
        str | None,
        typer.Argument(metavar="PRESET", help="Only this preset, in full.", show_default=False),
    ] = None,
) -> None:
    """Show the plans that an endpoint.yaml can name.

    One line for each; for one PRESET every field in the form that stands below `plan:` in an
    endpoint.yaml, to be copied and changed. Needs no stage and no credentials.

    \b
    Examples:
      halftone plan show
      halftone plan show gradual
    """
    if preset is not None and preset not in PRESETS:
        raise NotFound("plan", preset, f"there are {', '.join(PRESETS)}")
    plans = {name: plan for name, plan in PRESETS.items() if preset in (None, name)}
    if session.as_json:
        say_json({"plans": [_shape(name, plan) for name, plan in plans.items()]})
    elif preset is not None:
        show(_in_yaml(preset, PRESETS[preset]))
    else:
        made = table("plan", "at least", "what it does")
        for name, plan in plans.items():
            made.add_row(name, spoken(_least(plan)), DESCRIPTIONS[name])
        show(made)


def _shape(name: str, plan: Plan) -> dict[str, object]:
    return {
        "name": name,
        "description": DESCRIPTIONS[name],
        "least_seconds": _least(plan).total_seconds(),
        **shapes.plan(plan),
    }


def _least(plan: Plan) -> timedelta:
    return sum((stage.min_time for stage in plan.stages), timedelta(0))


def _in_yaml(name: str, plan: Plan) -> str:
    # Without a style of its own, PyYAML writes each step on one line, as people do.
    written = yaml.safe_dump(
        {"plan": dump_plan(plan)}, default_flow_style=None, sort_keys=False, width=100
    )
    least = f"All traffic after {spoken(_least(plan))} at the least."
    return f"# {name}: {DESCRIPTIONS[name]}\n# {least}\n{written.rstrip()}"
