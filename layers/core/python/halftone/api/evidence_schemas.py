"""The shapes of evidence, clock, forecast and permissions. Spans are seconds, times ISO 8601."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from halftone.api.responses import Shape
from halftone.domain.access import Role
from halftone.domain.insight import forecast
from halftone.domain.insight import rollout_clock as clock
from halftone.domain.insight.rollout_clock import Then, WaitsFor
from halftone.domain.rollout import looks
from halftone.domain.rollout.analysis import must_be_harmless
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.verdict import VerdictKind
from halftone.service.insight import permissions

LEAST_LN = -700.0
"""The natural logarithm that stands for an e-value of 0, which has none."""


class MetricEvidence(Shape):
    """One metric: counts of both versions, both e-values, and the odds ratio with its interval.

    `name` is `errors`, `late`, `bad`, `changed`, or `over_0` to `over_2` (slower than the
    champion's median, 90th and 99th percentile). `champion` is null where the challenger's rate is
    held to a tolerance alone. `ln_…` are natural logarithms of the e-values. A bound is null where
    the interval is open. `requests_needed` is how many more of the challenger's requests (or keys)
    are to be expected until one of the two is proven; null: not in sight. `required` says whether a
    step ends only once the metric is proven harmless.
    """

    name: str
    challenger: int
    challenger_of: int
    champion: int | None
    champion_of: int | None
    e_worse: float
    e_harmless: float
    ln_e_worse: float
    ln_e_harmless: float
    odds_ratio: float | None
    odds_ratio_low: float | None
    odds_ratio_high: float | None
    requests_needed: int | None
    required: bool


class EvidenceNumbers(Shape):
    """The evidence in numbers.

    `e_worse` is the e-value against "no worse in any metric": at `e_needed` a regression is proven.
    `e_harmless` is that of the required metric that is furthest from the proof that it is harmless.
    `e_share` is the e-value against "the challenger gets the share that it was given".
    """

    stage_requests: int
    least_requests: int
    e_worse: float
    e_harmless: float
    e_needed: float
    e_share: float
    ln_e_worse: float
    ln_e_harmless: float
    ln_e_needed: float
    set_aside: int
    metrics: Sequence[MetricEvidence]


class Look(Shape):
    """One look at the evidence: when, at which share, and what it saw.

    `until` is the moment to which requests had been counted, `stage` counts from 1.
    """

    at: datetime
    until: datetime
    stage: int
    share: float
    mirror: float
    kind: VerdictKind
    reason: str
    evidence: EvidenceNumbers


class EvidenceSeries(Shape):
    """The looks at a rollout, the oldest first, thinned to as many as were asked for.

    `until` is the watermark of the newest: `since` of the next question. `total` is how many looks
    there were since then, before thinning.
    """

    rollout: str
    until: datetime | None
    total: int
    looks: Sequence[Look]


class Clock(Shape):
    """The clock of the present step, as of `now`.

    `elapsed_seconds` is how long it has run, without pauses. `earliest_next` is when the step's
    least time is over, `latest` when its greatest is; null where the clock does not run. When what
    it `waits_for` is there, `then` follows: `step` to `next_share` (or `next_mirror`), `promote`,
    `approval`, `roll_back`. If that is not there at `latest`, `at_latest` follows. New words may
    come in `waits_for`, `then` and `at_latest`.
    """

    now: datetime
    elapsed_seconds: float
    paused_since: datetime | None
    earliest_next: datetime | None
    latest: datetime | None
    waits_for: WaitsFor
    then: Then
    next_share: float | None
    next_mirror: float | None
    at_latest: Then


class Distance(Shape):
    """How many more of the challenger's units it takes, and how long; null: not in sight."""

    units: int | None
    seconds: float | None


class Eta(Shape):
    """What the present rates and pace lead to.

    `units` is what is counted: `requests`, or `keys` where a key draws. `pace` is how many of the
    challenger's come in a second. `least` leads to the step's least count, `harmless` to the proof
    that every metric is harmless, `worse` to that of a regression, `step` to the end of the step.
    """

    units: str
    pace: float | None
    least: Distance
    harmless: Distance
    worse: Distance
    step: Distance


class Permission(Shape):
    """Whether an action is open to the caller now, by groups and by the state; IAM is not asked.

    `why` is the reason code where it is not: `role` (one of `roles` in `group`, or in group `all`,
    would do), `started` (two pairs of eyes), `phase` (it is open in `phases`), `over`,
    `no_traffic`, `under_way`, `nothing_serves`. New codes may come.
    """

    allowed: bool
    why: permissions.Why | None
    roles: Sequence[Role]
    group: str | None
    phases: Sequence[Phase]


def numbers(recorded: Mapping[str, Any]) -> EvidenceNumbers | None:
    """The numbers of a verdict, typed; None where it was given without evidence."""
    if "e_worse" not in recorded:
        return None
    metrics = [_metric(name, each) for name, each in recorded.items() if isinstance(each, Mapping)]
    harmless = min((each.e_harmless for each in metrics if each.required), default=1.0)
    return EvidenceNumbers(
        stage_requests=int(recorded["stage_requests"]),
        least_requests=int(recorded["least_requests"]),
        e_worse=float(recorded["e_worse"]),
        e_harmless=harmless,
        e_needed=float(recorded["e_needed"]),
        e_share=float(recorded.get("e_share", 1.0)),
        ln_e_worse=_ln(recorded["e_worse"]),
        ln_e_harmless=_ln(harmless),
        ln_e_needed=_ln(recorded["e_needed"]),
        set_aside=int(recorded.get("set_aside", 0)),
        metrics=metrics,
    )


def _metric(name: str, recorded: Mapping[str, Any]) -> MetricEvidence:
    low, high = recorded.get("odds_ratio_interval") or (None, None)
    seen = int(recorded["challenger_of"])
    return MetricEvidence(
        name=name,
        challenger=int(recorded["challenger"]),
        challenger_of=seen,
        champion=recorded.get("champion"),
        champion_of=recorded.get("champion_of"),
        e_worse=float(recorded["e_worse"]),
        e_harmless=float(recorded["e_harmless"]),
        ln_e_worse=_ln(recorded["e_worse"]),
        ln_e_harmless=_ln(recorded["e_harmless"]),
        odds_ratio=recorded.get("odds_ratio"),
        odds_ratio_low=low,
        odds_ratio_high=high,
        requests_needed=recorded.get("requests_needed"),
        required=must_be_harmless(name, seen),
    )


def _ln(e_value: float) -> float:
    return float(f"{math.log(e_value):.4g}") if e_value > 0 else LEAST_LN


def look(seen: looks.Look) -> Look | None:
    """A look; None where it saw no numbers."""
    evidence = numbers(seen.numbers)
    if evidence is None:
        return None
    return Look(
        at=seen.at,
        until=seen.until,
        stage=seen.stage + 1,
        share=seen.share,
        mirror=seen.mirror,
        kind=seen.kind,
        reason=seen.reason,
        evidence=evidence,
    )


def shown_clock(at: clock.RolloutClock) -> Clock:
    """A clock."""
    return Clock(
        now=at.now,
        elapsed_seconds=at.elapsed.total_seconds(),
        paused_since=at.paused_since,
        earliest_next=at.earliest_next,
        latest=at.latest,
        waits_for=at.waits_for,
        then=at.then,
        next_share=at.next_share,
        next_mirror=at.next_mirror,
        at_latest=at.at_latest,
    )


def shown_eta(ahead: forecast.Forecast) -> Eta:
    """A forecast."""
    return Eta(
        units=ahead.units,
        pace=ahead.pace,
        least=_distance(ahead.least),
        harmless=_distance(ahead.harmless),
        worse=_distance(ahead.worse),
        step=_distance(ahead.step),
    )


def _distance(ahead: forecast.Distance) -> Distance:
    return Distance(units=ahead.units, seconds=_seconds(ahead.after))


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def shown_permissions(
    by_action: Mapping[str, permissions.Permission],
) -> Mapping[str, Permission]:
    """Permissions by the name of the action."""
    return {
        name: Permission(
            allowed=one.allowed,
            why=one.why,
            roles=one.roles,
            group=one.group,
            phases=one.phases,
        )
        for name, one in by_action.items()
    }
