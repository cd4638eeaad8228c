"""How far a step is from each decision: in requests (or keys), and in seconds at its pace."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from halftone.domain.rollout.analysis import must_be_harmless, stake, tolerance_of
from halftone.domain.rollout.evidence import Evidence
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.rollout import Rollout
from halftone.stats.tolerance import Tolerated


@dataclass(frozen=True)
class Distance:
    """Challenger units that are still needed, and how long they take; None: not in sight."""

    units: int | None
    after: timedelta | None


@dataclass(frozen=True)
class Forecast:
    """What the present rates and pace lead to.

    ``units`` is what is counted, ``requests`` or ``keys``, ``pace`` the challenger's a second since
    the step began (None: none came yet). ``least`` is the way to the step's least count,
    ``harmless`` to the proof that every metric is harmless, ``worse`` to that of a regression.
    ``step`` is when the step may end: its least time, its least count and the proof are there then.
    """

    units: str
    pace: float | None
    least: Distance
    harmless: Distance
    worse: Distance
    step: Distance


def forecast(rollout: Rollout, evidence: Evidence, now: datetime) -> Forecast | None:
    """The forecast of the present step; None where its clock does not run."""
    stage, since = rollout.current, rollout.stage_since
    if stage is None or since is None or rollout.phase not in (Phase.OBSERVING, Phase.BAKING):
        return None
    began = rollout.borders[-1].at if rollout.borders else since
    seconds = (evidence.until - began).total_seconds()
    present = evidence.stage == rollout.stage
    seen = evidence.in_stage if present else 0
    pace = seen / seconds if seen and seconds > 0 else None

    def distance(units: int | None) -> Distance:
        if units == 0:
            return Distance(0, timedelta(0))
        known = units is not None and pace is not None
        return Distance(units, timedelta(seconds=units / pace) if known else None)  # type: ignore[operator]

    least = distance(max(0, stage.min_requests - seen))
    harmless = distance(_most(_to_harmless(rollout, evidence)))
    worse = distance(_fewest(_to_regression(rollout, evidence)))
    rest = max(since + stage.min_time - now, timedelta(0))
    spans = [least.after, harmless.after]
    step = None if None in spans else max([rest, *(span for span in spans if span is not None)])
    counts = [least.units, harmless.units]
    units = None if None in counts else max(count for count in counts if count is not None)
    return Forecast(rollout.units, pace, least, harmless, worse, Distance(units, step))


def _to_harmless(rollout: Rollout, evidence: Evidence) -> Iterable[int | None]:
    plan = rollout.plan
    for name, metric in evidence.metrics.items():
        if must_be_harmless(name, metric.total.challenger.n):
            yield metric.requests_to_harmless(tolerance_of(plan, name), plan.alpha)
    if _changes_count(rollout):
        scored = evidence.challenger.tally("changed")
        tolerated = Tolerated.of(scored, tolerance=plan.changed / 100, alpha=plan.alpha)
        yield 0 if tolerated.is_harmless else tolerated.requests_needed


def _to_regression(rollout: Rollout, evidence: Evidence) -> Iterable[int | None]:
    names = [*evidence.metrics, *(["changed"] if _changes_count(rollout) else [])]
    for name, metric in evidence.metrics.items():
        yield metric.requests_to_regression(rollout.plan.alpha * stake(name, names))


def _changes_count(rollout: Rollout) -> bool:
    return bool(rollout.plan.changed) and any(stage.mirror for stage in rollout.plan.stages)


def _most(counts: Iterable[int | None]) -> int | None:
    """The greatest; None if one is not in sight."""
    every = [*counts]
    known = [count for count in every if count is not None]
    return max(known, default=0) if len(known) == len(every) else None


def _fewest(counts: Iterable[int | None]) -> int | None:
    return min((count for count in counts if count is not None), default=None)
