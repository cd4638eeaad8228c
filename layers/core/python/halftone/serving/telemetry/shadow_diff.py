"""How far two answers to the same request are apart: what a mirror is for."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from halftone.domain.model.schema import Field


@dataclass(frozen=True)
class Difference:
    """``changed`` is whether a label is another one, None without labels. ``distance`` is the mean
    over all numbers of |a - b|, ``relative`` of |a - b| / max(|a|, |b|) (0 where both are 0); None
    without numbers that can be compared.
    """

    changed: bool | None
    distance: float | None
    relative: float | None


_LARGEST_SUMMAND = 2.0**960

UNCOMPARED = Difference(None, None, None)


def label_field(named: str, outputs: Sequence[Field]) -> str:
    """The output field that holds the label: the one that is ``named``, else the only one whose
    values can be labels (texts, whole numbers, truth values); "" if there is no such one.
    """
    if named:
        return named
    found = [field.name for field in outputs if not field.type.is_float and not field.shape]
    return found[0] if len(found) == 1 else ""


def labels_of(predictions: object, name: str) -> list[object]:
    """The labels in ``predictions`` (a list of records), one for each record that has one."""
    if not name or not isinstance(predictions, list):
        return []
    return [record[name] for record in predictions if isinstance(record, dict) and name in record]


def difference(one: object, other: object, label: str) -> Difference:
    """How far the predictions ``other`` are from the predictions ``one``. Labels, where they are
    numbers, are names and no quantities: they stay out of the distance.
    """
    before, after = labels_of(one, label), labels_of(other, label)
    pairs = [(a, b) for a, b in _numbers(one, other, label) if math.isfinite(a - b)]
    return Difference(
        changed=(before != after) if before or after else None,
        distance=_mean([abs(a - b) for a, b in pairs]),
        relative=_mean([_relative(a, b) for a, b in pairs]),
    )


def _mean(values: Sequence[float]) -> float | None:
    if not values:
        return None
    largest = max(values)
    if largest <= _LARGEST_SUMMAND:
        return math.fsum(values) / len(values)
    # The sum of a few of these is outside the range of a float, and their mean is not.
    return math.fsum(value / largest for value in values) / len(values) * largest


def _relative(a: float, b: float) -> float:
    scale = max(abs(a), abs(b))
    return abs(a - b) / scale if scale else 0.0


def _numbers(one: object, other: object, label: str) -> Iterator[tuple[float, float]]:
    """The pairs of numbers that stand in the same place of both."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name, value in one.items():
            if name != label and name in other:
                yield from _numbers(value, other[name], label)
    elif isinstance(one, list) and isinstance(other, list):
        for a, b in zip(one, other, strict=False):
            yield from _numbers(a, b, label)
    elif _is_number(one) and _is_number(other):
        yield float(one), float(other)  # type: ignore[arg-type]


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, float) or abs(value) < 2**1000
