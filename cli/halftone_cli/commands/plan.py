"""``halftone plan show``: what a preset does, before anything follows it."""

from datetime import timedelta
from typing import Annotated

import typer

from halftone.domain.errors import NotFound
from halftone.domain.plan import PRESETS, Margins, Plan
from halftone.domain.quantities import spoken
from halftone_cli import shapes
from halftone_cli.context import Session
from halftone_cli.output import say_json, show
from halftone_cli.tables import plan_table


def show_plan(
    session: Session,
    preset: Annotated[
        str | None,
        typer.Argument(metavar="PRESET", help="Only this preset.", show_default=False),
    ] = None,
) -> None:
    """Show the plans that an endpoint.yaml can name.

    Each with its stages, the rules by which they are judged, and the least time until a challenger
    takes all traffic. Needs no stage and no credentials.

    \b
    Examples:
      halftone plan show
      halftone plan show gradual --json
    """
    if preset is not None and preset not in PRESETS:
        raise NotFound("plan", preset, f"there are {', '.join(PRESETS)}")
    plans = {name: plan for name, plan in PRESETS.items() if preset in (None, name)}
    if session.as_json:
        say_json({"plans": [_shape(name, plan) for name, plan in plans.items()]})
        return
    for name, plan in plans.items():
        show(
            f"{name}: all traffic after {spoken(_least(plan))} at the least",
            plan_table(plan),
            f"alpha {plan.alpha:g}; without a verdict at a stage's greatest age: "
            f"{plan.on_inconclusive}",
            *(f"{name}: {_spoken(found)}" for name, found in shapes.margins_of(plan).items()),
            "",
        )


def _shape(name: str, plan: Plan) -> dict[str, object]:
    return {"name": name, "least_seconds": _least(plan).total_seconds(), **shapes.plan(plan)}


def _least(plan: Plan) -> timedelta:
    return sum((stage.min_time for stage in plan.stages), timedelta(0))


def _spoken(margins: Margins) -> str:
    return (
        f"worse from odds ratio {margins.regression:g}, harmless below {margins.safety:g} "
        f"or below a rate of {margins.tolerance:g} %"
    )
