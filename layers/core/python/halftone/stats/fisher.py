"""Fisher's noncentral hypergeometric law: who had the events, given how many there were.

Of K events among n challenger and m champion units, the challenger had x. Whatever the base rate
was, x then depends on the odds ratio ψ alone: P(x) = C(n,x)·C(m,K-x)·ψ^x / Z(ψ). (R. A. Fisher, The
logic of inductive inference, 1935; A. Fog, Communications in Statistics 37, 2008.)

This module knows Z(ψ) and the mean, for counts of any size at bounded cost.
"""

import math
from functools import lru_cache

# Terms smaller than this share of the largest are left out. The terms are log-concave, so those
# left out sum to less than the rounding error of a double.
_NEGLIGIBLE = 1e-20
# Beyond this standard deviation, only every (deviation / 4)th term is summed: see `_sums`.
_WIDE = 40.0


@lru_cache(maxsize=1 << 14)
def normalisers(n: int, m: int, k: int, psis: tuple[float, ...]) -> tuple[float, ...]:
    """log Z(ψ) for each of ``psis``. Cached: at low traffic the same small counts come again."""
    return tuple(_sums(n, m, k, psi)[0] for psi in psis)


@lru_cache(maxsize=1 << 14)
def normalisers_and_means(
    n: int, m: int, k: int, psis: tuple[float, ...]
) -> tuple[tuple[float, float], ...]:
    """(log Z(ψ), expected challenger events) for each of ``psis``."""
    return tuple(_sums(n, m, k, psi) for psi in psis)


def _sums(n: int, m: int, k: int, psi: float) -> tuple[float, float]:
    """log Z and the mean at ``psi``, summed outwards from the largest term.

    The generating polynomial Z has real roots only, so x is a sum of independent Bernoulli
    variables (Vatutin and Mikhailov, 1982). Its characteristic function is then at most exp(-σ²(1 -
    cos t)), and h times the sum over every h-th term misses Z by a share below h·exp(-8σ²/h²): with
    h = σ/4 that is 1e-50. So a bucket with a million events costs no more than one with a hundred.
    """
    mode = _mode(n, m, k, psi)
    spread = math.sqrt(
        1.0 / (1 / (mode + 1) + 1 / (n - mode + 1) + 1 / (k - mode + 1) + 1 / (m - k + mode + 1))
    )
    peak = _log_term(n, m, k, psi, mode)
    if spread < _WIDE:
        weight, moment = _neighbours(n, m, k, psi, mode)
        return peak + math.log(weight), mode + moment / weight
    stride = int(spread / 4)
    weight, moment = 1.0, 0.0
    for step in (stride, -stride):
        x = mode + step
        while max(0, k - m) <= x <= min(n, k):
            term = math.exp(_log_term(n, m, k, psi, x) - peak)
            if term < _NEGLIGIBLE:
                break
            weight += term
            moment += term * (x - mode)
            x += step
    return peak + math.log(weight * stride), mode + moment / weight


def _neighbours(n: int, m: int, k: int, psi: float, mode: int) -> tuple[float, float]:
    """Σ terms and Σ terms·(x - mode), relative to the term at ``mode``, by recurrence."""
    weight, moment = 1.0, 0.0
    term, x = 1.0, mode
    while x < min(n, k) and term > _NEGLIGIBLE:
        term *= psi * (n - x) * (k - x) / ((x + 1) * (m - k + x + 1))
        x += 1
        weight += term
        moment += term * (x - mode)
    term, x = 1.0, mode
    while x > max(0, k - m) and term > _NEGLIGIBLE:
        term *= x * (m - k + x) / (psi * (n - x + 1) * (k - x + 1))
        x -= 1
        weight += term
        moment += term * (x - mode)
    return weight, moment


def _mode(n: int, m: int, k: int, psi: float) -> int:
    """The x with the largest term: the ratio of neighbouring terms falls, so bisection finds it."""
    low, high = max(0, k - m), min(n, k)
    while low < high:
        x = (low + high) // 2
        if psi * (n - x) * (k - x) > (x + 1) * (m - k + x + 1):
            low = x + 1
        else:
            high = x
    return low


def _log_term(n: int, m: int, k: int, psi: float, x: int) -> float:
    return _log_choose(n, x) + _log_choose(m, k - x) + x * math.log(psi)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
