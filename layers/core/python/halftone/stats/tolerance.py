"""Proof that a rate lies below a tolerance, from the challenger alone.

Where neither version has errors the comparison of the two learns nothing: there is no event to ask
"whose was it?" about. But two hundred requests without an error do prove that the rate is not 5 %.
This test says so, at any time, against "the challenger's rate is at least the tolerance".
"""

import math
from bisect import bisect_left
from collections.abc import Iterable

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
