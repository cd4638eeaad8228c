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
    found: dict[str, Comparison | Tolerated] = {
        name: metric.compare(tolerance=_tolerance(plan, name), alpha=plan.alpha)
        for name, metric in evidence.metrics.items()
    }
    scored = evidence.challenger.tally("changed")
    # Told by the plan and not by what came in, so that the stakes stand before the first look.
    if plan.changed and any(one.mirror for one in plan.stages):
        tolerance = plan.changed / 100
        found["changed"] = Tolerated.of(scored, tolerance=tolerance, alpha=plan.alpha)
    worse = log_e_worse(found)
    lost = log_e_lost(evidence)
    numbers: dict[str, object] = {
        "stage_requests": evidence.in_stage,
        "least_requests": stage.min_requests,
        "e_worse": shown(worse),
        "e_needed": shown(bar),
        "e_share": shown(lost),
        "set_aside": evidence.set_aside,
        **{name: _numbers(comparison) for name, comparison in found.items()},
    }
    kind, reason = _say(evidence, stage, found, units, worse=worse, lost=lost, bar=bar)
    return Verdict(kind, reason, numbers, proof=shown(worse - bar))


def _say(
    evidence: Evidence,
    stage: Stage,
    found: Found,
    units: str,
    *,
    worse: float,
    lost: float,
    bar: float,
) -> tuple[VerdictKind, str]:
    # Answers are judged only where somebody sends feedback or mirrors; all else is always seen.
    seen = {
        name: comparison
        for name, comparison in found.items()
        if name in _HARMLESS and (name != "bad" or comparison.challenger.n)
    }
    told = "; ".join(f"{name} {_told(comparison)}" for name, comparison in seen.items())
    if worse >= bar:
        worst = max(found, key=lambda name: found[name].log_e_regression)
        needed = f"e-value {shown(worse):g} of {shown(bar):g} needed"
        return VerdictKind.FAIL, f"{needed}, most of it by {worst}: {_told(found[worst])}"
    if evidence.doubts:
        return VerdictKind.ERROR, _doubted(evidence)
    due = evidence.beside * stage.mirror / 100
    if lost >= -math.log(_SHARE_ALPHA) or (not evidence.in_stage and due >= _SCORED):
        return VerdictKind.LOST_TRAFFIC, _lost(evidence, stage)
    if evidence.in_stage < stage.min_requests:
        reason = f"{evidence.in_stage} of at least {stage.min_requests} {units} at this stage"
        return VerdictKind.NO_DATA, reason
    unproven = [name for name, comparison in seen.items() if not comparison.is_harmless]
    if unproven:
        reason = f"{' and '.join(unproven)} not proven harmless yet: {told}{_missing(seen, units)}"
        return VerdictKind.INCONCLUSIVE, reason
    return VerdictKind.PASS, f"no worse than the champion: {told}"


def log_e_lost(evidence: Evidence) -> float:
    """ln of the e-value against "each unit was drawn with the share of its stage".

    Half of the bet is on the whole rollout, half begins anew again and again.
    """
    return combine([share(evidence.splits), evidence.windows.log_e])


def log_e_worse(found: Mapping[str, Proof]) -> float:
    """ln of the e-value against "the challenger is no worse in any metric"."""
    return combine(
        [comparison.log_e_regression for comparison in found.values()],
        [_WEIGHTS.get(name, 1.0) for name in found],
    )


def stake(metric: str, metrics: Collection[str]) -> float:
    """The part of the bet on a regression that lies on ``metric`` where ``metrics`` are judged.

    By itself that metric proves a regression at this part of alpha.
    """
    return _WEIGHTS.get(metric, 1.0) / sum(_WEIGHTS.get(name, 1.0) for name in metrics)


def shown(log_e: float) -> float:
    """An e-value from its logarithm, with three digits, for people and the record."""
    return float(f"{math.exp(min(log_e, 300.0)):.3g}")


def _tolerance(plan: Plan, metric: str) -> float | None:
    margins: Margins = {"errors": plan.errors, "late": plan.late, "bad": plan.quality}.get(
        metric, plan.latency
    )
    return margins.tolerance / 100 or None


def _numbers(found: Comparison | Tolerated) -> dict[str, object]:
    """What goes on record of one metric. JSON has no infinity: an open bound is null."""
    if isinstance(found, Tolerated):
        return {
            "challenger": found.challenger.x,
            "challenger_of": found.challenger.n,
            "e_worse": shown(found.log_e_regression),
            "e_harmless": shown(found.log_e_harmless),
            "requests_needed": found.requests_needed,
        }
    bounds = (found.interval.low, found.interval.high)
    return {
        "challenger": found.challenger.x,
        "challenger_of": found.challenger.n,
        "champion": found.champion.x,
        "champion_of": found.champion.n,
        "e_worse": shown(found.log_e_regression),
        "e_harmless": shown(found.log_e_harmless),
        "odds_ratio": _finite(found.estimate),
        "odds_ratio_interval": [_finite(bound) for bound in bounds],
        "requests_needed": found.requests_needed,
    }


def _finite(value: float | None) -> float | None:
    return float(f"{value:.3g}") if value is not None and math.isfinite(value) else None


def _told(found: Comparison | Tolerated) -> str:
    if isinstance(found, Tolerated):
        return f"{found.challenger.x} of {found.challenger.n}"
    ours, theirs = found.challenger, found.champion
    return f"{ours.x} of {ours.n} (champion {theirs.x} of {theirs.n})"


def _missing(found: Found, units: str) -> str:
    needed = [c.requests_needed for c in found.values() if not c.is_harmless]
    if not needed or None in needed:
        return ""
    return f"; about {max(n for n in needed if n is not None)} more {units} at present rates"


def _doubted(evidence: Evidence) -> str:
    newest = evidence.doubts[-1]
    told = f"the counts of {newest.start:%H:%M:%S} UTC can't be right: {newest.why}"
    more = len(evidence.doubts) - 1
    beside = f" (and {more} more)" if more else ""
    return f"{told}{beside}; held until none was seen for {spoken(WATCHED)}"


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
    told = f"the challenger does not get the share it was given: {shares}"
    return f"{told}; lately {lately}" if lately else told
