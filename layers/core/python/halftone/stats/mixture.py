"""Averages of e-values, in logarithms: the average of bets made in advance is itself a bet.

Averaging is how several metrics, quantiles or alternatives share one threshold 1/α without
correction (Vovk and Wang, E-values: calibration, combination and applications, Annals of Statistics
49, 2021).
"""

import math
from collections.abc import Sequence


def log_mean(logs: Sequence[float]) -> float:
    """ln of the mean of exp(``logs``), without overflow."""
    return log_sum(logs) - math.log(len(logs))


def log_sum(logs: Sequence[float]) -> float:
    """ln of the sum of exp(``logs``), without overflow; -inf for a sum of nothing."""
    top = max(logs, default=-math.inf)
    if math.isinf(top):
        return top
    return top + math.log(math.fsum(math.exp(log - top) for log in logs))


def combine(log_e_values: Sequence[float], weights: Sequence[float] | None = None) -> float:
    """log of the weighted average of e-values given by their logarithms.

    ``weights`` (equal ones by default) must be fixed before the first look: choosing them by what
    was seen would void the guarantee. They are scaled to sum to 1.

    Raises:
        ValueError: if there is no e-value, or weights are negative, all zero or of another number.
    """
    shares = [1.0] * len(log_e_values) if weights is None else list(weights)
    if not log_e_values or len(shares) != len(log_e_values):
        raise ValueError(
            f"{len(shares)} weights for {len(log_e_values)} e-values: give one for each"
        )
    if min(shares) < 0 or not 0 < math.fsum(shares) < math.inf:
        raise ValueError(f"weights {shares}: give non-negative numbers, one at least above 0")
    whole = math.log(math.fsum(shares))
    return log_sum(
        [log + math.log(w) - whole for log, w in zip(log_e_values, shares, strict=True) if w > 0]
    )
