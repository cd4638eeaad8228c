"""How long until the test decides, and what it can see: before a rollout, or from where it stands.

Over many requests a conditional bet grows like the likelihood ratio of two pairs of rates: those
with the alternative's odds ratio, and those with the hypothesis', each with the same overall rate
as the truth. Per request its logarithm then has a known mean (a difference of Kullback-Leibler
divergences, the rate at which Kelly's gambler gets rich) and variance; taken as a Brownian motion
with drift, the time to the threshold follows an inverse Gaussian law. Approximations, then; the
property tests hold them against simulation, and docs/analysis.md says how far off they are.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

from halftone.stats.capital import Capital
from halftone.stats.mixture import log_sum

# More requests than any rollout sees: beyond it a decision is not in sight.
HORIZON = 10**9


@dataclass(frozen=True, slots=True)
class Rates:
    """The truth one reckons with: both versions' event rates, and the challenger's share of units.

    Raises:
        ValueError: unless every number lies strictly between 0 and 1.
    """

    challenger: float
    champion: float
    share: float

    def __post_init__(self) -> None:
        for name in ("challenger", "champion", "share"):
            if not 0 < (value := getattr(self, name)) < 1:
                raise ValueError(f"{name} {value:g}: give a number between 0 and 1")


def power(capital: Capital, rates: Rates, n: int, *, alpha: float = 0.05) -> float:
    """The chance that ``capital`` refutes its hypothesis within ``n`` more challenger units."""
    if capital.log_e >= -math.log(alpha):
        return 1.0
    if n <= 0:
        return 0.0
    drifts = [_drift(rates, capital.null, a) for a in capital.alternatives]
    ends = [log + n * mean for log, (mean, _) in zip(capital.logs, drifts, strict=True)]
    best = max(range(len(ends)), key=ends.__getitem__)
    mean, variance = drifts[best]
    # The best alternative must carry the others, which hold nothing by then: that is its price.
    price = ends[best] - log_sum(ends)
    return _passage(-math.log(alpha) + price - capital.logs[best], n * mean, n * variance)


def requests_needed(
    capital: Capital, rates: Rates, *, alpha: float = 0.05, chance: float = 0.5
) -> int | None:
    """Challenger units until ``capital`` decides with that ``chance``; None if out of sight."""
    if power(capital, rates, HORIZON, alpha=alpha) < chance:
        return None
    low, high = -1, 0
    while power(capital, rates, high, alpha=alpha) < chance:
        low, high = high, 2 * high + 1
    while high - low > 1:
        middle = (low + high) // 2
        if power(capital, rates, middle, alpha=alpha) < chance:
            low = middle
        else:
            high = middle
    return high


def detectable(
    n: int,
    *,
    share: float,
    base_rate: float,
    capital: Capital | None = None,
    alpha: float = 0.05,
    chance: float = 0.8,
) -> float | None:
    """The smallest challenger rate that ``n`` of its units show as a regression with that chance.

    None if even a challenger that fails always would be missed.
    """
    capital = capital or Capital.on_regression()

    def seen(rate: float) -> bool:
        return power(capital, Rates(rate, base_rate, share), n, alpha=alpha) >= chance

    low, high = base_rate, 1 - 1e-9
    if not seen(high):
        return None
    while high - low > 1e-4 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if seen(middle) else (middle, high)
    return high


@lru_cache(maxsize=1024)  # the searches above ask for the same ones at every step
def _drift(rates: Rates, null: float, alternative: float) -> tuple[float, float]:
    """Mean and variance of the log capital's growth, per challenger unit."""
    bad, good, s = rates.challenger, rates.champion, rates.share
    bad0, good0 = _fitted(rates, null)
    bad1, good1 = _fitted(rates, alternative)
    mean = s * _gain(bad, bad0, bad1) + (1 - s) * _gain(good, good0, good1)
    variance = (
        s * bad * (1 - bad) * (_logit(bad1) - _logit(bad0)) ** 2
        + (1 - s) * good * (1 - good) * (_logit(good1) - _logit(good0)) ** 2
    )
    return mean / s, variance / s


def _gain(rate: float, before: float, after: float) -> float:
    """Expected log-likelihood ratio of ``after`` to ``before`` for one unit with ``rate``."""
    return rate * math.log(after / before) + (1 - rate) * math.log((1 - after) / (1 - before))


def _fitted(rates: Rates, psi: float) -> tuple[float, float]:
    """(challenger, champion) rates with odds ratio ``psi`` and the truth's overall rate."""
    s = rates.share
    overall = s * rates.challenger + (1 - s) * rates.champion
    low, high = -50.0, 50.0  # log odds of the champion
    for _ in range(60):
        middle = (low + high) / 2
        if s * _expit(middle + math.log(psi)) + (1 - s) * _expit(middle) < overall:
            low = middle
        else:
            high = middle
    return _expit(low + math.log(psi)), _expit(low)


def _passage(barrier: float, mean: float, variance: float) -> float:
    """P(a Brownian motion that ends at that mean and variance touched ``barrier``)."""
    if barrier <= 0:
        return 1.0
    if variance <= 0:
        return float(mean >= barrier)
    sd = math.sqrt(variance)
    reflected = 2 * mean * barrier / variance + _log_normal_cdf((-barrier - mean) / sd)
    return min(1.0, _normal_cdf((mean - barrier) / sd) + math.exp(min(0.0, reflected)))


def _normal_cdf(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2))


def _log_normal_cdf(z: float) -> float:
    if z > -30:
        return math.log(_normal_cdf(z))
    return -z * z / 2 - math.log(-z * math.sqrt(2 * math.pi))


def _logit(p: float) -> float:
    return math.log(p) - math.log1p(-p)


def _expit(x: float) -> float:
    return 1 / (1 + math.exp(-x))
