"""Does the challenger get the share of traffic it was given? Lost traffic is a finding.

A challenger that answers fewer requests than its share may crash before it can count itself, or be
throttled; one that answers more is not behind the weights it is believed to be behind. Both would
also spoil every comparison (a "sample ratio mismatch": Lindon and Malek, Anytime-valid inference
for multinomial count data, 2022).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from halftone.stats.mixture import log_mean

# Odds of reaching the challenger, as multiples of the expected odds; both directions.
_FACTORS = (1.1, 1.25, 1.5, 2.0, 4.0, 10.0, 100.0)
FACTORS = tuple(1 / f for f in _FACTORS) + _FACTORS


@dataclass(frozen=True, slots=True)
class Split:
    """``challenger`` of ``total`` units in a bucket during which ``expected`` was its share (0 to
    1).

    Buckets in which the weights changed belong to neither share and must be left out, as must
    pinned requests, which no weight has drawn.

    Raises:
        ValueError: for impossible counts, or a share of 0 or 1, under which nothing is drawn.
    """

    challenger: int
    total: int
    expected: float

    def __post_init__(self) -> None:
        if not 0 <= self.challenger <= self.total:
            raise ValueError(f"{self.challenger} of {self.total} units: count each unit once")
        if not 0 < self.expected < 1:
            raise ValueError(
                f"expected share {self.expected:g}: leave out buckets in which nothing was drawn"
            )


def share(splits: Iterable[Split]) -> float:
    """log e-value against "the challenger is drawn with the expected share", in both directions.

    The parts hold Π (q/s)^c·((1-q)/(1-s))^(N-c), where q has f times the odds of the share s and f
    stays the same while the plan changes s. Exact for independent draws at any mixture of shares.
    """
    logs = [0.0] * len(FACTORS)
    for split in splits:
        for i, factor in enumerate(FACTORS):
            whole = math.log1p(split.expected * (factor - 1))
            logs[i] += split.challenger * math.log(factor) - split.total * whole
    return log_mean(logs)
