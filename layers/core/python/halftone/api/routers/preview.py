"""What a plan would take at an endpoint's traffic."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Query, Response

from halftone.api import schemas
from halftone.api.authorizer import RequestContext, reads
from halftone.api.requests import EndpointName
from halftone.api.responses import Shape, answer, router, shown
from halftone.domain.errors import InvalidInput
from halftone.domain.rollout.plan import PRESETS, Plan
from halftone.domain.rollout.plan_schema import load_plan
from halftone.domain.rollout.preview import Traffic
from halftone.service.insight.preview import EndpointPreview, preview_endpoint

routes = router("record")


class StepPreview(Shape):
    """A step of a plan at that traffic; null where something is not in sight.

    `counts` says what is counted of the challenger: `requests`, or `keys` where a key draws. That
    is what `proof_requests` and `caught_after_requests` count.
    """

    name: str
    weight: float
    mirror: float
    approval: bool
    requests_a_second: float
    counts: str
    counted_an_hour: float
    lasts_seconds: float | None
    bound_by: str
    proof_requests: int | None
    visible_errors_percent: float | None
    caught_after_requests: int | None
    back_after_seconds: float | None
    failed: int | None


class PreviewTraffic(Shape):
    """The traffic that was reckoned with, and where it comes from."""

    requests_a_second: float
    errors_percent: float
    late_percent: float
    source: str
    keys_an_hour: float | None


class PlanPreview(Shape):
    """What a plan takes, sees and costs; `promoted_after_seconds` null: not by itself."""

    plan: schemas.Plan
    plan_of: str
    traffic: PreviewTraffic
    steps: Sequence[StepPreview]
    promoted_after_seconds: float | None
    approvals: int
    warnings: Sequence[str]


@routes.get(
    "/endpoints/{endpoint}/preview",
    responses=shown(PlanPreview)
    | {409: {"description": "There is no plan or no traffic to reckon with: name it."}},
)
async def preview_plan(
    endpoint: EndpointName,
    call: Annotated[RequestContext, reads()],
    *,
    plan: Annotated[
        str | None,
        Query(max_length=4000, description="A preset's name, or a plan as JSON; else the newest."),
    ] = None,
    requests_a_second: Annotated[
        float | None, Query(ge=0.001, le=1e6, description="Else those of the last hour.")
    ] = None,
    errors_percent: Annotated[
        float | None,
        Query(ge=0.001, le=50, description="Percent of requests (of keys, where a key draws)."),
    ] = None,
    keys_an_hour: Annotated[
        float | None,
        Query(
            gt=0,
            le=3.6e9,
            description="New keys an hour, where a key draws; else those of the stage under way.",
        ),
    ] = None,
) -> Response:
    """Show how long a plan takes at an endpoint's traffic, and what it can see."""
    errors = None if errors_percent is None else errors_percent / 100
    traffic = None
    if requests_a_second is not None:
        part = 0.001 if errors is None else errors
        source = f"as given; {100 * part:g} % taken to err, and as many to be late"
        traffic = Traffic(requests_a_second, part, part, source)
    chosen = None if plan is None else _plan(plan)
    previewed = preview_endpoint(
        call.ports, endpoint, plan=chosen, traffic=traffic, errors=errors, keys=keys_an_hour
    )
    return answer(_preview(previewed))


def _plan(text: str) -> Plan:
    if not text.lstrip().startswith("{"):
        return load_plan(text)
    try:
        value: Mapping[str, Any] = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInput("plan", text, f"JSON, or one of {', '.join(PRESETS)}") from None
    return load_plan(value)


def _preview(previewed: EndpointPreview) -> PlanPreview:
    preview = previewed.preview
    return PlanPreview(
        plan=schemas.shown_plan(previewed.plan),
        plan_of=previewed.plan_of,
        traffic=PreviewTraffic(
            requests_a_second=preview.traffic.rate,
            errors_percent=100 * preview.traffic.errors,
            late_percent=100 * preview.traffic.late,
            source=preview.traffic.source,
            keys_an_hour=preview.traffic.keys,
        ),
        steps=[
            StepPreview(
                name=step.name,
                weight=step.stage.weight,
                mirror=step.stage.mirror,
                approval=step.stage.approval,
                requests_a_second=step.rate,
                counts=step.counted.units,
                counted_an_hour=3600 * step.counted.rate,
                lasts_seconds=step.lasts.total_seconds() if step.lasts else None,
                bound_by=step.bound_by,
                proof_requests=step.proof,
                visible_errors_percent=None if step.visible is None else 100 * step.visible,
                caught_after_requests=step.caught,
                back_after_seconds=step.back_after.total_seconds() if step.back_after else None,
                failed=step.hurt,
            )
            for step in preview.steps
        ],
        promoted_after_seconds=preview.promoted_after.total_seconds()
        if preview.promoted_after
        else None,
        approvals=preview.approvals,
        warnings=preview.warnings,
    )
