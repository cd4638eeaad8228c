"""CloudWatch's statistics over raw samples, as pure functions.

Source: "CloudWatch statistics definitions",
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

_PERCENTILE = re.compile(r"p(\d{1,3}(?:\.\d+)?)$")
_RANGE = re.compile(r"(TC|PR)\((\d+(?:\.\d+)?)?:(\d+(?:\.\d+)?)?\)$")


class UnknownStatisticError(ValueError):
    """The name is no statistic of CloudWatch's, or one that the local AWS does not compute."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"statistic {name!r} is not one of SampleCount, Sum, Average, Minimum, Maximum, "
            "p0 to p100, TC(low:high), PR(low:high)"
        )


@dataclass(frozen=True, slots=True)
class Sample:
    """What one record in a metric says: ``count`` values between ``low`` and ``high``.

    ``time`` is in seconds since 1970 (UTC). Only a published statistic set has low below high.
    """

    time: float
    count: float
    total: float
    low: float
    high: float

    @classmethod
    def of(cls, time: float, value: float, count: float = 1.0) -> "Sample":
        return cls(time, count, value * count, value, value)


def statistic(name: str, samples: Sequence[Sample]) -> float | None:
    """The value of one statistic, or None when the samples do not give it.

    None without samples, and for percentiles and ranges over statistic sets, whose single values
    are unknown. Raises UnknownStatisticError.
    """
    of_sums: Mapping[str, Callable[[], float]] = {
        "SampleCount": lambda: sum(s.count for s in samples),
        "Sum": lambda: sum(s.total for s in samples),
        "Average": lambda: sum(s.total for s in samples) / sum(s.count for s in samples),
        "Minimum": lambda: min(s.low for s in samples),
        "Maximum": lambda: max(s.high for s in samples),
    }
    percentile, bounds = _PERCENTILE.match(name), _RANGE.match(name)
    if name not in of_sums and not bounds and not (percentile and float(percentile[1]) <= 100):
        raise UnknownStatisticError(name)
    samples = [s for s in samples if s.count > 0]
    if not samples:
        return None
    if name in of_sums:
        return of_sums[name]()
    if any(s.low != s.high for s in samples):
        return None
    if percentile:
        return _percentile(samples, float(percentile[1]) / 100)
    assert bounds is not None  # noqa: S101 - refused above
    return _within(samples, bounds[1], bounds[2], bounds[3])


def _within(samples: Sequence[Sample], kind: str, low: str | None, high: str | None) -> float:
    """Trimmed count or percentile rank: the lower bound is outside the range, the upper inside."""
    above = float(low) if low else float("-inf")
    up_to = float(high) if high else float("inf")
    inside = sum(s.count for s in samples if above < s.low <= up_to)
    return inside if kind == "TC" else 100 * inside / sum(s.count for s in samples)


def _percentile(samples: Sequence[Sample], share: float) -> float:
    """Between the two nearest ranks, linearly; CloudWatch's own sketch comes within a percent."""
    ordered = sorted(samples, key=lambda s: s.low)
    rank = share * (sum(s.count for s in ordered) - 1)
    below = _at_rank(ordered, int(rank))
    return below + (rank - int(rank)) * (_at_rank(ordered, int(rank) + 1) - below)


def _at_rank(ordered: Sequence[Sample], rank: int) -> float:
    counted = 0.0
    for sample in ordered:
        counted += sample.count
        if rank < counted:
            return sample.low
    return ordered[-1].low
