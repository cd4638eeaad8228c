"""Durations and percentages as people write them: ``30m``, ``1h30m``, ``250ms``, ``5 %``, ``0.05``.

Each reader takes a field's name, so that its error can say which value was wrong.
"""

import re
from datetime import timedelta

from halftone.domain.errors import InvalidInput

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_PERCENT = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?|-?\.[0-9]+")

LONGEST = timedelta(days=365)
"""No duration may be longer: what is meant to last for years is a mistake in the unit."""


def duration(field: str, value: object) -> timedelta:
    """``value`` such as ``10s``, ``30m`` or ``1h30m`` as a timedelta.

    Raises:
        InvalidInput: for anything else; bare numbers have no unit and are refused, as is what
            lasts longer than a year.
    """
    text = value.replace(" ", "") if isinstance(value, str) else ""
    if text == "0":
        return timedelta(0)
    if not text or _PART.sub("", text):
        raise InvalidInput(field, value, "a duration such as 10s, 30m or 1h30m")
    seconds = sum(float(n) * _UNITS[unit] for n, unit in _PART.findall(text))
    if seconds > LONGEST.total_seconds():
        raise InvalidInput(field, value, "a duration such as 10s, 30m or 1h30m, at most 365d")
    return timedelta(seconds=seconds)


def percentage(field: str, value: object, *, least: float = 0.0, most: float = 100.0) -> float:
    """``value`` such as ``5``, ``0.1`` or ``"5 %"`` as percent.

    Raises:
        InvalidInput: if it is no number or lies outside ``least`` to ``most``.
    """
    number: float | None = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = value
    elif isinstance(value, str):
        # float() reads more than people write: digits of any script, 1_0, infinity.
        text = value.strip().removesuffix("%").strip()
        number = float(text) if _PERCENT.fullmatch(text) else None
    if number is None or not least <= number <= most:
        raise InvalidInput(field, value, f"a percentage from {least:g} to {most:g}")
    return float(number)


def whole(field: str, value: object, *, least: int = 0, most: int | None = None) -> int:
    """``value`` as a whole number within bounds.

    Raises:
        InvalidInput: otherwise.
    """
    fits = isinstance(value, int) and not isinstance(value, bool)
    if not fits or value < least or (most is not None and value > most):  # type: ignore[operator]
        bounds = f"at least {least}" if most is None else f"from {least} to {most}"
        raise InvalidInput(field, value, f"a whole number {bounds}")
    return int(value)  # type: ignore[call-overload, no-any-return]


def spoken(span: timedelta) -> str:
    """A duration in the form in which it is written: ``1h30m``, ``1.5s``, ``250ms``.

    The form is exact: ``duration`` reads the same span again.
    """
    if not span:
        return "0s"
    microseconds = span // timedelta(microseconds=1)
    if microseconds < 1_000_000:
        return f"{_decimal(microseconds, 3)}ms"
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        count, microseconds = divmod(microseconds, size * 1_000_000)
        if count:
            parts.append(f"{count}{unit}")
    if microseconds:
        parts.append(f"{_decimal(microseconds, 6)}s")
    return "".join(parts)


def milliseconds(span: timedelta) -> str:
    """A duration as an exact number of milliseconds, in decimal notation: ``250``, ``1234.567``."""
    return _decimal(span // timedelta(microseconds=1), 3)


def _decimal(number: int, places: int) -> str:
    """``number`` / 10 ** ``places`` in decimal notation, without zeros at the end."""
    whole_part, fraction = divmod(number, 10**places)
    return f"{whole_part}.{fraction:0{places}d}".rstrip("0").rstrip(".")
