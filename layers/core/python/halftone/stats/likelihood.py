"""The odds ratio by the counts: an estimate, and an interval that is valid at every look.

The conditional log-likelihood ℓ(ψ) = Σ x·ln ψ - ln Z(ψ) and its slope are kept at fixed points, so
that the state stays small and can be carried over any number of buckets. Between the points a cubic
with the same values and slopes stands in (Hermite): ℓ is smooth and concave in ln ψ.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from halftone.stats.fisher import normalisers_and_means
from halftone.stats.mixture import log_sum
from halftone.stats.tally import Stratum

# Log odds ratios of the points: quarter octaves near 1, where decisions fall, whole ones far away.
_OCTAVES: tuple[float, ...] = (
    *range(-8, -4),
    *(i / 2 for i in range(-8, -4)),
    *(i / 4 for i in range(-8, 8)),
    *(i / 2 for i in range(4, 8)),
    *range(4, 11),
)
POINTS = tuple(octave * math.log(2) for octave in _OCTAVES)
_PSIS = tuple(math.exp(point) for point in POINTS)
# Each stretch between two points is cut into this many when the likelihood is averaged.
_CUTS = 16


@dataclass(frozen=True, slots=True)
class Interval:
    """Bounds of an odds ratio; 0 and inf where the data do not bound it."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Likelihood:
    """ℓ and dℓ/d ln ψ at ``POINTS``, up to a constant; a state that folds over buckets."""

    logs: tuple[float, ...] = (0.0,) * len(POINTS)
    slopes: tuple[float, ...] = (0.0,) * len(POINTS)

    def update(self, stratum: Stratum) -> "Likelihood":
        """The likelihood after one more closed bucket."""
        if not stratum.is_informative:
            return self
        n, m, x = stratum.challenger.n, stratum.champion.n, stratum.challenger.x
        sums = normalisers_and_means(n, m, stratum.events, _PSIS)
        return Likelihood(
            tuple(log + x * p - z for log, p, (z, _) in zip(self.logs, POINTS, sums, strict=True)),
            tuple(s + x - mean for s, (_, mean) in zip(self.slopes, sums, strict=True)),
        )

    def fold(self, strata: Iterable[Stratum]) -> "Likelihood":
        """The likelihood after all of ``strata``."""
        likelihood = self
        for stratum in strata:
            likelihood = likelihood.update(stratum)
        return likelihood

    def at(self, log_psi: float) -> float:
        """ℓ at a log odds ratio between the outer points, and at the nearer one beyond them."""
        log_psi = min(max(log_psi, POINTS[0]), POINTS[-1])
        i = min(bisect_right(POINTS, log_psi), len(POINTS) - 1) - 1
        width = POINTS[i + 1] - POINTS[i]
        t = (log_psi - POINTS[i]) / width
        return (
            (1 + 2 * t) * (1 - t) * (1 - t) * self.logs[i]
            + t * t * (3 - 2 * t) * self.logs[i + 1]
            + width * t * (1 - t) * ((1 - t) * self.slopes[i] - t * self.slopes[i + 1])
        )

    def estimate(self) -> float | None:
        """The odds ratio that explains the counts best (conditional maximum likelihood).

        0 or inf where only one version had events, None while nothing speaks for any value.
        """
        if not any(self.slopes):
            return None
        if self.slopes[0] <= 0:
            return 0.0
        if self.slopes[-1] >= 0:
            return math.inf
        i = next(i for i, slope in enumerate(self.slopes) if slope < 0) - 1
        return math.exp(_peak(self.at, POINTS[i], POINTS[i + 1]))

    def log_bet(self) -> float:
        """ln of the likelihood averaged over the prior: minus ℓ(ψ), it is a bet against ψ."""
        return _log_mean(self._on_lattice())

    def interval(self, alpha: float) -> Interval:
        """The odds ratios that a bettor at level ``alpha`` has not refuted at this look.

        Each value ψ is tested by the mean likelihood over a prior fixed in advance, divided by the
        likelihood at ψ (`log_bet`): an e-value against "the odds ratio is ψ". So the interval
        covers the truth at all looks together with probability 1 - ``alpha``; it is wider than one
        meant for a single look.
        """
        values = self._on_lattice()
        level = math.log(alpha) + _log_mean(values)
        centre = _LATTICE[max(range(len(values)), key=values.__getitem__)]
        if (estimate := self.estimate()) is not None and 0 < estimate < math.inf:
            centre = max(centre, math.log(estimate), key=self.at)
        low = _edge(self.at, level, centre, POINTS[0])
        high = _edge(self.at, level, centre, POINTS[-1])
        return Interval(
            0.0 if low is None else math.exp(low), math.inf if high is None else math.exp(high)
        )

    def _on_lattice(self) -> list[float]:
        """``at`` for every point of the lattice, to the last bit, at a quarter of the cost."""
        logs, slopes = self.logs, self.slopes
        return [
            here * logs[i] + there * logs[i + 1] + bend * (u * slopes[i] - t * slopes[i + 1])
            for i, t, u, here, there, bend in _BASIS
        ]


def odds_ratio_interval(strata: Iterable[Stratum], *, alpha: float = 0.05) -> Interval:
    """The anytime-valid interval of the odds ratio (challenger's odds over champion's)."""
    return Likelihood().fold(strata).interval(alpha)


def _edge(
    function: Callable[[float], float], level: float, inside: float, outside: float
) -> float | None:
    """Where a concave function falls below ``level`` on the way ``outside``, or None.

    Errs outwards, by less than a millionth of the way.
    """
    if function(outside) >= level:
        return None
    for _ in range(24):
        middle = (inside + outside) / 2
        if function(middle) >= level:
            inside = middle
        else:
            outside = middle
    return outside


def _peak(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a concave function is largest between ``low`` and ``high``, by ternary search."""
    for _ in range(40):
        third = (high - low) / 3
        if function(low + third) < function(high - third):
            low += third
        else:
            high -= third
    return (low + high) / 2


def _lattice() -> tuple[float, ...]:
    return tuple(a + (b - a) * cut / _CUTS for a, b in pairwise(POINTS) for cut in range(_CUTS))


def _log_prior(lattice: tuple[float, ...]) -> tuple[float, ...]:
    """A Cauchy density in ln ψ around "no difference": its heavy tails rule nothing out."""
    widths = [b - a for a, b in pairwise((*lattice, POINTS[-1]))]
    masses = [width / (1 + point * point) for width, point in zip(widths, lattice, strict=True)]
    return tuple(math.log(mass / math.fsum(masses)) for mass in masses)


def _log_mean(values: list[float]) -> float:
    return log_sum([weight + value for weight, value in zip(_LOG_PRIOR, values, strict=True)])


def _basis() -> Iterator[tuple[int, float, float, float, float, float]]:
    """The cubic's factors at each point of the lattice; see ``Likelihood.at``."""
    for point in _LATTICE:
        i = bisect_right(POINTS, point) - 1
        width = POINTS[i + 1] - POINTS[i]
        t = (point - POINTS[i]) / width
        u = 1 - t
        yield i, t, u, (1 + 2 * t) * u * u, t * t * (3 - 2 * t), width * t * u


_LATTICE = _lattice()
_LOG_PRIOR = _log_prior(_LATTICE)
_BASIS = tuple(_basis())
