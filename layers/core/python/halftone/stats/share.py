"""Does the challenger get the share of traffic it was given? Lost traffic is a finding.

A challenger that answers fewer requests than its share may crash before it can count itself, or be
throttled; one that answers more is not behind the weights it is believed to be behind. Both would
also spoil every comparison (a "sample ratio mismatch": Lindon and Malek, Anytime-valid inference
for multinomial count data, 2022).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from halftone.stats.mixture import log_mean, log_sum

# Odds of reaching the challenger, as multiples of the expected odds; both directions.
_FACTORS = (1.1, 1.25, 1.5, 2.0, 4.0, 10.0, 100.0)
FACTORS = tuple(1 / f for f in _FACTORS) + _FACTORS

WINDOW = 50.0
"""Challenger units that are due in one window of ``ShareWindows``."""


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


@dataclass(frozen=True, slots=True)
class ShareWindows:
    """Bets on the share that begin anew in each window, so that old draws do not outvote new ones.

    Over a whole rollout a challenger that vanishes after an hour would have to be away for another
    hour before ``share`` doubts it. Here window number j has the stake 1/(j·(j+1)); what it has won
    or lost is kept when it ends. It ends when ``WINDOW`` of the challenger's units were due, which
    is told by the totals alone, never by who got them. ``kept`` is the logarithm of what the ended
    windows hold (None: there is none yet), ``splits`` are the draws of the present one.
    """

    number: int = 1
    splits: tuple[Split, ...] = ()
    kept: float | None = None

    def update(self, split: Split) -> "ShareWindows":
        """The windows after one more closed bucket."""
        now = replace(self, splits=added(self.splits, split))
        if sum(one.total * one.expected for one in now.splits) < WINDOW:
            return now
        return ShareWindows(self.number + 1, (), now.holding)

    @property
    def log_e(self) -> float:
        """log e-value against "each unit was drawn with the share expected of it"."""
        return log_sum([self.holding, -math.log(self.number + 1)])

    @property
    def holding(self) -> float:
        """ln of what the ended windows and the present one hold."""
        own = share(self.splits) - math.log(self.number * (self.number + 1))
        return own if self.kept is None else log_sum([self.kept, own])


def added(splits: tuple[Split, ...], split: Split) -> tuple[Split, ...]:
    """``splits`` with one more, in one sum for each expected share."""
    same = [one for one in splits if one.expected == split.expected]
    others = tuple(one for one in splits if one.expected != split.expected)
    ours = split.challenger + sum(one.challenger for one in same)
    return (*others, Split(ours, split.total + sum(one.total for one in same), split.expected))


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
