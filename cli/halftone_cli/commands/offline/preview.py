"""``halftone plan preview``: what a plan will take, see and cost, before anything follows it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

import typer

from halftone.domain.errors import InvalidInput
from halftone.domain.insight.sticky_keys import FOLLOWED
from halftone.domain.names import checked_name
from halftone.domain.quantities import percentage
from halftone.domain.rollout.plan import PRESETS
from halftone.domain.rollout.preview import (
    WORSE,
    Preview,
    StepPreview,
    Traffic,
    about,
    few_or_many,
    preview,
)
from halftone.service.insight.preview import EndpointPreview, preview_endpoint
from halftone_cli.commands.options import endpoint_names
from halftone_cli.console import one_line, say_json, show, table
from halftone_cli.local.plans import chosen_plan
from halftone_cli.stage.session import Session
from halftone_cli.views import shapes

_ERRORS = 0.1
"""Percent of requests that are taken to err where only a rate is given."""

_LAG = timedelta(minutes=1)
_KEY_LAG = _LAG + FOLLOWED
"""How late metrics may be, and keys after them, where no stage says so: what a stage has unless it
is set."""


def preview_plan(
    session: Session,
    endpoint: Annotated[
        str | None,
        typer.Argument(
            metavar="ENDPOINT",
            help="Whose traffic, and whose newest plan.",
            show_default=False,
            autocompletion=endpoint_names,
        ),
    ] = None,
    *,
    plan: Annotated[
        str | None,
        typer.Option(
            metavar="PLAN",
            help="A preset, or a file: an endpoint.yaml or a plan.",
            show_default=False,
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            metavar="R", help="Requests a second, instead of the last hour's.", show_default=False
        ),
    ] = None,
    error_rate: Annotated[
        str | None,
        typer.Option(
            metavar="P",
            help=f"Percent of them that err; with --rate {_ERRORS:g} if not given.",
            show_default=False,
        ),
    ] = None,
    key_rate: Annotated[
        float | None,
        typer.Option(
            metavar="K",
            help="New keys (users) an hour, where a key draws: what counts are then keys.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Show how long a plan takes at today's traffic, and what it can see.

    For each step: how long a challenger that is no worse stays there, and what for; how many of its
    requests prove it harmless; the smallest error rate that the step shows as a regression with 80
    % power; and after how many requests and how long a challenger that errs ten times as often is
    taken back, half of the time or more. Those that failed by then would not have failed without
    it. Alarms may be faster. Nothing is changed.

    With ENDPOINT the traffic is that of its last hour; --plan and --rate together need neither a
    stage nor credentials. In mode guarded with a sticky key, keys are counted and not requests:
    --key-rate says how many come in an hour that the step has not seen before, and --error-rate how
    many of them meet an error. With ENDPOINT these are known while such a rollout is under way.

    \b
    Examples:
      halftone plan preview fraud
      halftone plan preview fraud --plan endpoints/fraud/endpoint.yaml --error-rate 0.5
      halftone plan preview --plan large-model --rate 20 --json
      halftone plan preview --plan gradual --rate 20 --key-rate 3000
    """
    chosen = chosen_plan(plan) if plan is not None else None
    errors = _part(error_rate) if error_rate is not None else None
    given = _traffic(rate, errors) if rate is not None else None
    if endpoint is not None:
        name, ports = checked_name("ENDPOINT", endpoint), session.stage.ports
        with _options():
            found = preview_endpoint(
                ports, name, plan=chosen, traffic=given, errors=errors, keys=key_rate
            )
    elif chosen is None:
        raise InvalidInput("--plan", None, f"{', '.join(PRESETS)} or a file, or an ENDPOINT")
    elif given is None:
        raise InvalidInput("--rate", None, "requests a second, or an ENDPOINT to look at")
    else:
        with _options():
            traffic = replace(given, keys=key_rate)
        found = EndpointPreview(chosen, "", preview(chosen, traffic, lag=_LAG, key_lag=_KEY_LAG))
    if session.as_json:
        say_json(shapes.preview(found, endpoint))
    else:
        _tell(found.plan_of or str(plan), found.preview)


def _part(percent: str) -> float:
    return percentage("--error-rate", percent, least=0.001, most=50.0) / 100


def _traffic(rate: float, errors: float | None) -> Traffic:
    part = _ERRORS / 100 if errors is None else errors
    source = f"as given; {100 * part:g} % taken to err, and as many to be late"
    with _options():
        return Traffic(rate, part, part, source)


@contextmanager
def _options() -> Iterator[None]:
    """What is wrong with the traffic is told by the option that it came from."""
    try:
        yield
    except InvalidInput as error:
        names = {"requests_a_second": "--rate", "keys_an_hour": "--key-rate"}
        if error.field not in names:
            raise
        raise InvalidInput(names[error.field], error.value, error.expected) from None


def _tell(plan: str, found: Preview) -> None:
    traffic = found.traffic
    keyed = traffic.keys is not None
    keys = "" if traffic.keys is None else f" of {few_or_many(traffic.keys)} new keys an hour"
    show(one_line(f"{plan} at {traffic.rate:.3g} requests a second{keys} ({traffic.source})"))
    if found.steps:
        made = table(
            "step",
            "share",
            "counted" if keyed else "a second",
            "lasts",
            "until",
            "proof",
            "sees errors of",
            f"{WORSE}x caught after",
            "back after",
            "failed",
        )
        for step in found.steps:
            made.add_row(*_row(step, keyed=keyed))
        show(made)
    gates = f"{found.approvals} approval{'s' if found.approvals > 1 else ''}"
    people = f", and what people take for {gates}" if found.approvals else ""
    if found.promoted_after is None:
        show("promoted: never by itself, see the warnings")
    else:
        show(f"promoted: after {about(found.promoted_after)}{people}")
    if found.steps and not keyed:
        show(
            "failed: in mode weighted; in mode guarded none would, the champion answers in their "
            "place"
        )
    for warning in found.warnings:
        show(f"warning: {warning}")


def _row(step: StepPreview, *, keyed: bool) -> tuple[str, ...]:
    bound = step.bound_by.replace("_", " ").replace("requests", step.counted.units)
    return (
        step.name.removeprefix("the "),
        f"{step.stage.told}{' (approval)' if step.stage.approval else ''}",
        step.counted.spoken if keyed else f"{step.rate:.2g}",
        "-" if step.lasts is None else about(step.lasts),
        bound,
        "-" if step.proof is None else f"{step.proof}",
        "-" if step.visible is None else f"{100 * step.visible:.2g} %",
        "-" if step.caught is None else f"{step.caught}",
        "-" if step.back_after is None else about(step.back_after),
        "-" if step.hurt is None else f"{step.hurt}",
    )
