"""Judging: from evidence to a verdict, by the plan's margins.

A metric is *worse* when the bets on a regression have multiplied 1/alpha times, all metrics' bets
averaged so that their number does not raise the rate of false alarms. A metric is *harmless* when
the opposite bets have, or when its rate is proven to lie below the tolerance. See docs/analysis.md.
"""

import math
from dataclasses import dataclass

from halftone.domain.evidence import Evidence, Metric
from halftone.domain.plan import Margins, Plan, Stage
from halftone.domain.verdict import Verdict, VerdictKind
from halftone.stats.mixture import combine
from halftone.stats.tally import Tally
from halftone.stats.tolerance import below


def judge(evidence: Evidence, plan: Plan, stage: Stage) -> Verdict:
    """What the evidence says at this stage."""
    bar = math.log(1 / plan.alpha)
    worse = combine([evidence.errors.worse.log_e, evidence.late.worse.log_e])
    ours, theirs = evidence.challenger, evidence.champion
    found = {
        "errors": _Found(
            evidence.errors,
            plan.errors,
            Tally(ours.requests, ours.errors),
            Tally(theirs.requests, theirs.errors),
        ),
        "late": _Found(
            evidence.late,
            plan.late,
            Tally(ours.timed, ours.late),
            Tally(theirs.timed, theirs.late),
        ),
    }
    numbers: dict[str, object] = {
        "stage_requests": evidence.in_stage,
        "least_requests": stage.min_requests,
        "e_worse": shown(worse),
        "e_needed": shown(bar),
        **{name: metric.numbers for name, metric in found.items()},
    }
    told = "; ".join(f"{name} {metric.told}" for name, metric in found.items())
    if worse >= bar:
        reason = f"e-value {shown(worse):g} of {shown(bar):g} needed: {told}"
        return Verdict(VerdictKind.FAIL, reason, numbers)
    if evidence.in_stage < stage.min_requests:
        reason = f"{evidence.in_stage} of at least {stage.min_requests} requests at this stage"
        return Verdict(VerdictKind.NO_DATA, reason, numbers)
    open_questions = [name for name, metric in found.items() if metric.harmless < bar]
    if open_questions:
        reason = f"{' and '.join(open_questions)} not proven harmless yet: {told}"
        return Verdict(VerdictKind.INCONCLUSIVE, reason, numbers)
    return Verdict(VerdictKind.PASS, f"no worse than the champion: {told}", numbers)


def shown(log_e: float) -> float:
    """An e-value from its logarithm, with three digits, for people and the record."""
    return float(f"{math.exp(min(log_e, 300.0)):.3g}")


@dataclass(frozen=True)
class _Found:
    """The evidence on one metric beside the counts that it came from."""

    metric: Metric
    margins: Margins
    ours: Tally
    theirs: Tally

    @property
    def below(self) -> float:
        """ln of the e-value for "the rate lies below the tolerance"; -inf where there is none."""
        tolerance = self.margins.tolerance / 100
        return below(self.ours, tolerance=tolerance) if tolerance else -math.inf

    @property
    def harmless(self) -> float:
        """ln of the better proof of harmlessness."""
        return max(self.metric.safe.log_e, self.below)

    @property
    def numbers(self) -> dict[str, float]:
        """What goes on record."""
        return {
            "challenger": self.ours.x,
            "challenger_of": self.ours.n,
            "champion": self.theirs.x,
            "champion_of": self.theirs.n,
            "e_worse": shown(self.metric.worse.log_e),
            "e_safe": shown(self.metric.safe.log_e),
            "e_below_tolerance": shown(self.below),
        }

    @property
    def told(self) -> str:
        """What goes into a sentence."""
        ours, theirs = self.ours, self.theirs
        return f"{ours.x} of {ours.n} (champion {theirs.x} of {theirs.n})"
