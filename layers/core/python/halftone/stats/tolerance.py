"""Proof that a rate lies below a tolerance, or above it, from the challenger alone.

Where neither version has errors the comparison of the two learns nothing: there is no event to ask
"whose was it?" about. But two hundred requests without an error do prove that the rate is not 5 %.
This test says so, at any time, against "the challenger's rate is at least the tolerance".
"""

import math
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

from halftone.stats.mixture import log_mean
from halftone.stats.tally import Stratum, Tally

# The alternatives, as shares of the tolerance. The lowest wins fastest while there is no event at
# all, the highest last longest when there are some.
FRACTIONS = (0.01, 0.1, 0.25, 0.5, 0.75)


def below(evidence: Tally | Iterable[Stratum], *, tolerance: float) -> float:
    """log e-value against "the challenger's rate is at least ``tolerance``".

    The bettor's parts hold Π (q/τ)^x·((1-q)/(1-τ))^(n-x) for q below the tolerance τ: for a rate p
    >= τ, even one that changes from bucket to bucket, each factor's mean is at most 1. It depends
    on the sums alone, so a tally is as good as its buckets.

    Raises:
        ValueError: unless 0 < tolerance < 1.
    """
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance {tolerance:g}: give a rate between 0 and 1")
    tally = evidence if isinstance(evidence, Tally) else _challenger(evidence)
    return log_mean(
        [
            tally.x * math.log(fraction)
            + (tally.n - tally.x) * (math.log1p(-fraction * tolerance) - math.log1p(-tolerance))
            for fraction in FRACTIONS
        ]
    )


# The alternatives above, as multiples of the tolerance's odds, so that none reaches a rate of 1.
ODDS = (1.2, 1.5, 2.0, 3.0, 5.0, 10.0, 40.0)


def above(evidence: Tally | Iterable[Stratum], *, tolerance: float) -> float:
    """log e-value against "the challenger's rate is at most ``tolerance``": ``below``, mirrored.

    Raises:
        ValueError: unless 0 < tolerance < 1.
    """
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance {tolerance:g}: give a rate between 0 and 1")
    tally = evidence if isinstance(evidence, Tally) else _challenger(evidence)
    # With q at f times the odds of τ, q/τ = f/w and (1-q)/(1-τ) = 1/w, w = 1 + τ·(f-1).
    return log_mean(
        [tally.x * math.log(f) - tally.n * math.log1p(tolerance * (f - 1)) for f in ODDS]
    )


@dataclass(frozen=True, slots=True)
class Tolerated:
    """What a verdict prints of a rate that has nobody to be compared with."""

    challenger: Tally
    alpha: float
    log_e_regression: float
    log_e_harmless: float
    requests_needed: int | None

    @classmethod
    def of(cls, tally: Tally, *, tolerance: float, alpha: float) -> "Tolerated":
        """Where ``tally`` stands between the two proofs."""
        return cls(
            tally,
            alpha,
            above(tally, tolerance=tolerance),
            below(tally, tolerance=tolerance),
            requests_below(tally, tolerance=tolerance, alpha=alpha),
        )

    @property
    def is_harmless(self) -> bool:
        """Whether the rate is proven to lie below the tolerance."""
        return self.log_e_harmless >= -math.log(self.alpha)


def requests_below(
    tally: Tally, *, tolerance: float, alpha: float = 0.05, rate: float | None = None
) -> int | None:
    """Units still needed until ``below`` proves it, if events go on at ``rate``.

    Without a rate, at the tally's own. None if that rate is not below the tolerance, or so near
    that a million units do not tell.
    """
    if rate is None:
        rate = tally.x / tally.n if tally.n else 0.0

    def proven(more: int) -> bool:
        expected = Tally(tally.n + more, tally.x + math.ceil(rate * more))
        return below(expected, tolerance=tolerance) >= -math.log(alpha)

    if not proven(1_000_000):
        return None
    return bisect_left(range(1_000_000), True, key=proven)


def _challenger(strata: Iterable[Stratum]) -> Tally:
    return sum((stratum.challenger for stratum in strata), Tally())
