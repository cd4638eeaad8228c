"""Capital: what a bettor against a hypothesis about the odds ratio would hold, bucket after bucket.

Against "ψ is at most ψ0" the bettor spreads one unit over alternatives ψ > ψ0 and, per bucket,
multiplies each part by the likelihood ratio E(ψ) = (ψ/ψ0)^x · Z(ψ0)/Z(ψ) of Fisher's noncentral
hypergeometric law (see `fisher`). If the hypothesis is true, no part can be expected to grow, so
the sum exceeds 1/α at *any* time with probability at most α (Ville, 1939; Grünwald, de Heide and
Koolen, Safe testing, 2024). Hence one may look as often as one likes. Bets against "ψ is at least
ψ1" mirror this.

Conditioning on each bucket's total takes the base rate out: incidents that hit both versions, drift
and changing weights cost nothing.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from halftone.stats.fisher import normalisers
from halftone.stats.mixture import log_sum
from halftone.stats.tally import Stratum

Grid = tuple[tuple[float, float], ...]

# How many times worse (or, mirrored, better) than the margin each alternative is, and the stake on
# it. Most regressions worth a bet are a few times the margin, so half the capital lies there; a
# version that hardly answers at all multiplies even a small stake at once. The stakes stand before
# any look: docs/analysis.md shows what they gain and cost against equal ones.
GRID: Grid = (
    (1.2, 1.0),
    (1.5, 2.0),
    (2.0, 5.0),
    (3.0, 5.0),
    (5.0, 3.0),
    (8.0, 2.0),
    (15.0, 1.0),
    (40.0, 0.5),
    (100.0, 0.25),
    (300.0, 0.25),
)
REGRESSION_MARGIN = 1.25
SAFETY_MARGIN = 2.0


@dataclass(frozen=True, slots=True)
class Capital:
    """The logarithm of each alternative's part; an immutable state that folds over buckets.

    ``null`` is the hypothesis' odds ratio; ``alternatives`` lie all above it (bets on a regression)
    or all below it (bets on safety); ``logs`` start at the stakes. Floats survive JSON unchanged,
    so a state can be stored and carried on.

    Raises:
        ValueError: if the margin is no positive number or an alternative lies on the wrong side,
        where a
            bet would win money while the hypothesis is true.
    """

    null: float
    alternatives: tuple[float, ...]
    logs: tuple[float, ...]

    def __post_init__(self) -> None:
        if not all(0 < psi < math.inf for psi in (self.null, *self.alternatives)):
            raise ValueError(f"odds ratios {self.null}, {self.alternatives}: give positive numbers")
        below = [alternative < self.null for alternative in self.alternatives]
        above = [alternative > self.null for alternative in self.alternatives]
        if not self.alternatives or not (all(below) or all(above)):
            raise ValueError(
                f"alternatives {self.alternatives} to an odds ratio of {self.null}:"
                " all must lie on one side of it; scale the grid by the margin"
            )
        if len(self.logs) != len(self.alternatives):
            raise ValueError(f"{len(self.logs)} parts for {len(self.alternatives)} alternatives")

    @classmethod
    def on_regression(cls, odds_ratio: float = REGRESSION_MARGIN, grid: Grid = GRID) -> "Capital":
        """One unit of capital against "the odds ratio is at most ``odds_ratio``"."""
        return cls(odds_ratio, tuple(odds_ratio * factor for factor, _ in grid), _stakes(grid))

    @classmethod
    def on_safety(cls, odds_ratio: float = SAFETY_MARGIN, grid: Grid = GRID) -> "Capital":
        """One unit of capital against "the odds ratio is at least ``odds_ratio``"."""
        return cls(odds_ratio, tuple(odds_ratio / factor for factor, _ in grid), _stakes(grid))

    def update(self, stratum: Stratum) -> "Capital":
        """The capital after one more closed bucket."""
        if not stratum.is_informative:
            return self
        n, m, x = stratum.challenger.n, stratum.champion.n, stratum.challenger.x
        at_null, *at = normalisers(n, m, stratum.events, (self.null, *self.alternatives))
        logs = tuple(
            log + x * math.log(alternative / self.null) + at_null - at_alternative
            for log, alternative, at_alternative in zip(
                self.logs, self.alternatives, at, strict=True
            )
        )
        return replace(self, logs=logs)

    def fold(self, strata: Iterable[Stratum]) -> "Capital":
        """The capital after all of ``strata``; folding in parts gives the same floats."""
        capital = self
        for stratum in strata:
            capital = capital.update(stratum)
        return capital

    @property
    def log_e(self) -> float:
        """ln of the e-value: the hypothesis is refuted at level α once this reaches ln(1/α)."""
        return log_sum(self.logs)


def regression(
    strata: Iterable[Stratum], *, odds_ratio: float = REGRESSION_MARGIN, grid: Grid = GRID
) -> float:
    """log e-value against "the challenger has at most ``odds_ratio`` times the odds"."""
    return Capital.on_regression(odds_ratio, grid).fold(strata).log_e


def safety(
    strata: Iterable[Stratum], *, odds_ratio: float = SAFETY_MARGIN, grid: Grid = GRID
) -> float:
    """log e-value against "the challenger has at least ``odds_ratio`` times the odds"."""
    return Capital.on_safety(odds_ratio, grid).fold(strata).log_e


def _stakes(grid: Grid) -> tuple[float, ...]:
    whole = math.fsum(stake for _, stake in grid)
    return tuple(math.log(stake / whole) for _, stake in grid)
