"""Where the comparison by one metric stands: the state that is carried, and its numbers."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from halftone.stats.capital import REGRESSION_MARGIN, SAFETY_MARGIN, Capital
from halftone.stats.likelihood import Interval, Likelihood
from halftone.stats.mixture import combine
from halftone.stats.power import Rates, requests_needed
from halftone.stats.tally import Stratum, Tally, pooled
from halftone.stats.tolerance import below, requests_below

_NOTHING = Stratum()


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a verdict prints of one metric.

    ``log_e_…`` are natural logarithms of e-values, each against its own hypothesis: "no worse than
    the regression margin", "as bad as the safety margin or worse", "the challenger's rate is the
    tolerance or more" (0, an e-value of 1, where no tolerance was given). ``estimate`` is the odds
    ratio, None while nothing is known. ``requests_needed`` are challenger units until one of the
    two decisions is to be expected at the present rates (even chance); None if none is in sight.
    """

    challenger: Tally
    champion: Tally
    alpha: float
    log_e_regression: float
    log_e_safety: float
    log_e_tolerance: float
    log_e_harmless: float
    estimate: float | None
    interval: Interval
    requests_needed: int | None

    @property
    def is_regression(self) -> bool:
        """Whether a regression beyond the margin is proven."""
        return self.log_e_regression >= -math.log(self.alpha)

    @property
    def is_harmless(self) -> bool:
        """Whether it is proven that the challenger is within the safety margin or the tolerance."""
        return self.log_e_harmless >= -math.log(self.alpha)


@dataclass(frozen=True, slots=True)
class Standing:
    """All that must be kept of a metric's closed buckets; folds in parts give the same floats.

    ``waiting`` are units that were not bet on yet (see ``pooled``). No number tells of their events
    before: what is decided by them would decide when the pool ends, and then its bets are not fair.
    """

    total: Stratum
    regression: Capital
    safety: Capital
    likelihood: Likelihood
    waiting: Stratum = _NOTHING

    @classmethod
    def start(
        cls, *, regression_margin: float = REGRESSION_MARGIN, safety_margin: float = SAFETY_MARGIN
    ) -> "Standing":
        """The standing before the first bucket."""
        return cls(
            Stratum(),
            Capital.on_regression(regression_margin),
            Capital.on_safety(safety_margin),
            Likelihood(),
        )

    def update(self, stratum: Stratum) -> "Standing":
        """The standing after one more closed bucket, drawn with the share of those that wait."""
        ready, waiting = pooled(self.waiting, stratum)
        return self._bet(ready, waiting)

    def settled(self) -> "Standing":
        """The standing with what waits bet on as it is: at the end of a share."""
        return self._bet(self.waiting, _NOTHING) if self.waiting.units else self

    def _bet(self, stratum: Stratum, waiting: Stratum) -> "Standing":
        return Standing(
            self.total + stratum,
            self.regression.update(stratum),
            self.safety.update(stratum),
            self.likelihood.update(stratum),
            waiting,
        )

    def fold(self, strata: Iterable[Stratum]) -> "Standing":
        """The standing after all of ``strata``."""
        standing = self
        for stratum in strata:
            standing = standing.update(stratum)
        return standing

    def log_e_harmless(self, tolerance: float | None) -> float:
        """log e-value against "neither is the odds ratio below the safety margin, nor the rate
        below the tolerance".
        """
        if tolerance is None:
            return self.safety.log_e
        return combine([self.safety.log_e, below(self.total.challenger, tolerance=tolerance)])

    def compare(self, *, tolerance: float | None = None, alpha: float = 0.05) -> Comparison:
        """The numbers of this standing.

        The claim "harmless" is that the odds ratio is below the safety margin *or* the rate below
        the tolerance. Where it is false, both e-values are fair bets, and so is their average: two
        ways to prove it, at one error rate.
        """
        log_e_tolerance = 0.0
        if tolerance is not None:
            log_e_tolerance = below(self.total.challenger, tolerance=tolerance)
        log_e_harmless = self.log_e_harmless(tolerance)
        return Comparison(
            challenger=self.total.challenger,
            champion=self.total.champion,
            alpha=alpha,
            log_e_regression=self.regression.log_e,
            log_e_safety=self.safety.log_e,
            log_e_tolerance=log_e_tolerance,
            log_e_harmless=log_e_harmless,
            estimate=self.likelihood.estimate(),
            interval=self.likelihood.interval(alpha),
            requests_needed=self._requests_needed(log_e_harmless, tolerance, alpha),
        )

    def _requests_needed(
        self, log_e_harmless: float, tolerance: float | None, alpha: float
    ) -> int | None:
        if max(self.regression.log_e, log_e_harmless) >= -math.log(alpha):
            return 0
        ways = (self.requests_to_regression(alpha), self._to_harmless(tolerance, alpha))
        return min((way for way in ways if way is not None), default=None)

    def requests_to_regression(self, alpha: float) -> int | None:
        """Challenger units until a regression is to be expected proven at the present rates.

        0 where it is proven, None where that is not in sight.
        """
        if self.regression.log_e >= -math.log(alpha):
            return 0
        rates = present_rates(self.total)
        return requests_needed(self.regression, rates, alpha=alpha) if rates else None

    def requests_to_harmless(self, tolerance: float | None, alpha: float) -> int | None:
        """Challenger units until "harmless" is to be expected proven at the present rates.

        0 where it is proven, None where that is not in sight.
        """
        if self.log_e_harmless(tolerance) >= -math.log(alpha):
            return 0
        return self._to_harmless(tolerance, alpha)

    def _to_harmless(self, tolerance: float | None, alpha: float) -> int | None:
        ways: list[int | None] = []
        # Half of an average is each part's own: either must then reach twice the threshold by
        # itself.
        each = alpha if tolerance is None else alpha / 2
        if (rates := present_rates(self.total)) is not None:
            ways.append(requests_needed(self.safety, rates, alpha=each))
        if tolerance is not None:
            ways.append(requests_below(self.total.challenger, tolerance=tolerance, alpha=each))
        return min((way for way in ways if way is not None), default=None)


def compare(
    strata: Iterable[Stratum],
    *,
    regression_margin: float = REGRESSION_MARGIN,
    safety_margin: float = SAFETY_MARGIN,
    tolerance: float | None = None,
    alpha: float = 0.05,
) -> Comparison:
    """The comparison by ``strata``, from the first bucket on."""
    start = Standing.start(regression_margin=regression_margin, safety_margin=safety_margin)
    return start.fold(strata).compare(tolerance=tolerance, alpha=alpha)


def present_rates(total: Stratum) -> Rates | None:
    """Rates to reckon with: each version's own, drawn by one unit's weight towards the common one.

    None where a version has no units or there is no event at all: then there is no rate to reckon
    with.
    """
    n, m, events = total.challenger.n, total.champion.n, total.events
    if n == 0 or m == 0 or events in {0, n + m}:
        return None
    common = events / (n + m)
    return Rates(
        challenger=(total.challenger.x + common) / (n + 1),
        champion=(total.champion.x + common) / (m + 1),
        share=n / (n + m),
    )
