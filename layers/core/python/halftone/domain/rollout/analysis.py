"""Judging: from evidence to a verdict, by the plan's margins.

A rollout is *worse* when the bets on a regression have multiplied 1/alpha times: all metrics' bets
averaged, with weights fixed here, so that their number does not raise the rate of false alarms. A
metric is *harmless* when the opposite bets have, or when its rate is proven to lie below the
tolerance. See docs/analysis.md.
"""

import math
from collections.abc import Collection, Mapping
from typing import Protocol

from halftone.domain.quantities import spoken
from halftone.domain.rollout.evidence import WATCHED, Evidence
from halftone.domain.rollout.plan import Margins, Plan, Stage
from halftone.domain.rollout.verdict import Verdict, VerdictKind
from halftone.stats.comparison import Comparison
from halftone.stats.mixture import combine
from halftone.stats.share import share
from halftone.stats.tolerance import Tolerated

_WEIGHTS = {"errors": 4.0, "late": 2.0, "bad": 2.0, "changed": 2.0}
"""How the bet on a regression is spread over the metrics; the latency limits have 1 each."""

_HARMLESS = ("errors", "late", "bad", "changed")
"""The metrics that must be proven harmless. Latencies only end rollouts: which rise matters to a
client is what ``late`` says."""

Found = Mapping[str, Comparison | Tolerated]
"""Where each metric stands."""


class Proof(Protocol):
    """Where one metric stands between "no worse" and the proof of a regression."""

    @property
    def log_e_regression(self) -> float:
        """ln of the e-value against "no worse than the margin"."""
        ...


_SHARE_ALPHA = 0.01
"""How often a share that is kept may be taken for one that is not, in a whole rollout."""

_SCORED = 20
"""So many requests to be scored, and none that was, are lost: chance does that in 2e-9 of cases."""


def judge(evidence: Evidence, plan: Plan, stage: Stage, units: str = "requests") -> Verdict:
    """What the evidence says at this stage; ``units`` is what it counts, for people."""
    bar = -math.log(plan.alpha)
    comparisons: dict[str, Comparison | Tolerated] = {
        name: metric.compare(tolerance=tolerance_of(plan, name), alpha=plan.alpha)
        for name, metric in evidence.metrics.items()
    }
    scored = evidence.challenger.tally("changed")
    # Told by the plan and not by what came in, so that the stakes stand before the first look.
    if plan.changed and any(one.mirror for one in plan.stages):
        tolerance = plan.changed / 100
        comparisons["changed"] = Tolerated.of(scored, tolerance=tolerance, alpha=plan.alpha)
    worse = log_e_worse(comparisons)
    lost = log_e_lost(evidence)
    numbers: dict[str, object] = {
        "stage_requests": evidence.in_stage,
        "least_requests": stage.min_requests,
        "e_worse": shown(worse),
        "e_needed": shown(bar),
        "e_share": shown(lost),
        "set_aside": evidence.set_aside,
        **{name: _numbers(comparison) for name, comparison in comparisons.items()},
    }
    kind, reason = _classify(evidence, stage, comparisons, units, worse=worse, lost=lost, bar=bar)
    return Verdict(kind, reason, numbers, proof=shown(worse - bar))


def _classify(
    evidence: Evidence,
    stage: Stage,
    comparisons: Found,
    units: str,
    *,
    worse: float,
    lost: float,
    bar: float,
) -> tuple[VerdictKind, str]:
    required = {
        name: comparison
        for name, comparison in comparisons.items()
        if must_be_harmless(name, comparison.challenger.n)
    }
    summary = "; ".join(f"{name} {_describe(comparison)}" for name, comparison in required.items())
    if worse >= bar:
        worst = max(comparisons, key=lambda name: comparisons[name].log_e_regression)
        needed = f"e-value {shown(worse):g} of {shown(bar):g} needed"
        return VerdictKind.FAIL, f"{needed}, most of it by {worst}: {_describe(comparisons[worst])}"
    if evidence.doubts:
        return VerdictKind.ERROR, _doubted(evidence)
    due = evidence.beside * stage.mirror / 100
    if lost >= -math.log(_SHARE_ALPHA) or (not evidence.in_stage and due >= _SCORED):
        return VerdictKind.LOST_TRAFFIC, _lost(evidence, stage)
    if evidence.in_stage < stage.min_requests:
        reason = f"{evidence.in_stage} of at least {stage.min_requests} {units} at this stage"
        return VerdictKind.NO_DATA, reason
    unproven = [name for name, comparison in required.items() if not comparison.is_harmless]
    if unproven:
        missing = _missing(required, units)
        reason = f"{' and '.join(unproven)} not proven harmless yet: {summary}{missing}"
        return VerdictKind.INCONCLUSIVE, reason
    return VerdictKind.PASS, f"no worse than the champion: {summary}"


def log_e_lost(evidence: Evidence) -> float:
    """ln of the e-value against "each unit was drawn with the share of its stage".

    Half of the bet is on the whole rollout, half begins anew again and again.
    """
    return combine([share(evidence.splits), evidence.windows.log_e])


def log_e_worse(comparisons: Mapping[str, Proof]) -> float:
    """ln of the e-value against "the challenger is no worse in any metric"."""
    return combine(
        [comparison.log_e_regression for comparison in comparisons.values()],
        [_WEIGHTS.get(name, 1.0) for name in comparisons],
    )


def stake(metric: str, metrics: Collection[str]) -> float:
    """The part of the bet on a regression that lies on ``metric`` where ``metrics`` are judged.

    By itself that metric proves a regression at this part of alpha.
    """
    return _WEIGHTS.get(metric, 1.0) / sum(_WEIGHTS.get(name, 1.0) for name in metrics)


def shown(log_e: float) -> float:
    """An e-value from its logarithm, with three digits, for people and the record."""
    return float(f"{math.exp(min(log_e, 300.0)):.3g}")


def must_be_harmless(metric: str, seen: int) -> bool:
    """Whether a step ends only once ``metric``, of which ``seen`` units came, is proven harmless.

    Answers are judged only where somebody sends feedback or mirrors; all else is always seen.
    """
    return metric in _HARMLESS and (metric != "bad" or seen > 0)


def tolerance_of(plan: Plan, metric: str) -> float | None:
    """The rate (0 to 1) below which ``metric`` is harmless; None: the plan names none."""
    margins: Margins = {"errors": plan.errors, "late": plan.late, "bad": plan.quality}.get(
        metric, plan.latency
    )
    return margins.tolerance / 100 or None


def _numbers(comparison: Comparison | Tolerated) -> dict[str, object]:
    """What goes on record of one metric. JSON has no infinity: an open bound is null."""
    if isinstance(comparison, Tolerated):
        return {
            "challenger": comparison.challenger.x,
            "challenger_of": comparison.challenger.n,
            "e_worse": shown(comparison.log_e_regression),
            "e_harmless": shown(comparison.log_e_harmless),
            "requests_needed": comparison.requests_needed,
        }
    bounds = (comparison.interval.low, comparison.interval.high)
    return {
        "challenger": comparison.challenger.x,
        "challenger_of": comparison.challenger.n,
        "champion": comparison.champion.x,
        "champion_of": comparison.champion.n,
        "e_worse": shown(comparison.log_e_regression),
        "e_harmless": shown(comparison.log_e_harmless),
        "odds_ratio": _finite(comparison.estimate),
        "odds_ratio_interval": [_finite(bound) for bound in bounds],
        "requests_needed": comparison.requests_needed,
    }


def _finite(value: float | None) -> float | None:
    return float(f"{value:.3g}") if value is not None and math.isfinite(value) else None


def _describe(comparison: Comparison | Tolerated) -> str:
    if isinstance(comparison, Tolerated):
        return f"{comparison.challenger.x} of {comparison.challenger.n}"
    ours, theirs = comparison.challenger, comparison.champion
    return f"{ours.x} of {ours.n} (champion {theirs.x} of {theirs.n})"


def _missing(comparisons: Found, units: str) -> str:
    needed = [c.requests_needed for c in comparisons.values() if not c.is_harmless]
    if not needed or None in needed:
        return ""
    return f"; about {max(n for n in needed if n is not None)} more {units} at present rates"


def _doubted(evidence: Evidence) -> str:
    newest = evidence.doubts[-1]
    message = f"the counts of {newest.start:%H:%M:%S} UTC can't be right: {newest.why}"
    more = len(evidence.doubts) - 1
    beside = f" (and {more} more)" if more else ""
    return f"{message}{beside}; held until none was seen for {spoken(WATCHED)}"


def _lost(evidence: Evidence, stage: Stage) -> str:
    if stage.mirror and not evidence.in_stage:
        return (
            f"the challenger has scored none of {evidence.beside} requests, "
            f"of which {stage.mirror:g} % were to be scored"
        )
    shares = "; ".join(
        f"{split.challenger} of {split.total} where {100 * split.expected:g} % were due"
        for split in evidence.splits
    )
    lately = "; ".join(f"{s.challenger} of the last {s.total}" for s in evidence.windows.splits)
    message = f"the challenger does not get the share it was given: {shares}"
    return f"{message}; lately {lately}" if lately else message
