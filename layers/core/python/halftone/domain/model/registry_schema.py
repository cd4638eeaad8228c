"""Details of a model version from their JSON form, and changes to them as a merge patch.

A patch is what RFC 7396 calls one: a field that is not named stays, null takes an entry away, any
other value takes its place.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace

from halftone.domain.audit import canonical_json
from halftone.domain.errors import InvalidInput, unknown_field
from halftone.domain.model.registry import VALIDATION, Details, Validation
from halftone.domain.texts import check_texts

MAX_ENTRIES = 100
MAX_TEXT = 1000
MAX_METADATA = 20_000
"""Bytes of the metadata's JSON text."""

MAX_DETAILS = 100_000
"""Bytes of all fields together: an audit record has them twice, and an item at most 400 KB."""

_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,63}")
_FIELDS = tuple(field.name for field in fields(Details))


def patched(details: Details, value: object, *, at: str = "") -> Details:
    """``details`` with the changes that ``value`` asks for; ``at`` leads the fields' paths.

    Raises:
        InvalidInput: naming the field and its value.
    """
    if not isinstance(value, Mapping):
        raise InvalidInput(at or "details", value, f"an object with any of {', '.join(_FIELDS)}")
    check_texts(at, value)
    changes: dict[str, object] = {}
    for name, field in value.items():
        path = f"{at}.{name}" if at else str(name)
        if name == "description":
            changes[name] = _text(path, field or "")
        elif name in _ENTRIES:
            changes[name] = _merged(path, getattr(details, name), field, _ENTRIES[name])
        else:
            raise unknown_field(path, field, _FIELDS)
    after = replace(details, **changes)  # type: ignore[arg-type]
    size = _size(f"{at}.metadata" if at else "metadata", after.metadata)
    if size > MAX_METADATA:
        raise InvalidInput(
            f"{at}.metadata" if at else "metadata", f"{size} bytes", f"at most {MAX_METADATA} bytes"
        )
    whole = len(canonical_json(details_as_given(after)))
    if whole > MAX_DETAILS and after != details:
        raise InvalidInput(at or "details", f"{whole} bytes", f"at most {MAX_DETAILS} bytes in all")
    return after


def details_as_given(details: Details) -> dict[str, object]:
    """The inverse: every field in its JSON form."""
    return {
        "description": details.description,
        "tags": dict(details.tags),
        "parameters": dict(details.parameters),
        "metrics": dict(details.metrics),
        "metadata": dict(details.metadata),
    }


def _merged(
    at: str,
    before: Mapping[str, object],
    changes: object,
    read: Callable[[str, str, object], object],
) -> Mapping[str, object]:
    if changes is None:
        return {}
    if not isinstance(changes, Mapping):
        raise InvalidInput(at, changes, "an object of names and values")
    after = dict(before)
    for name, value in changes.items():
        path = f"{at}.{name}"
        if not isinstance(name, str) or not _KEY.fullmatch(name):
            raise InvalidInput(path, name, "a name of 1 to 64 letters, digits, _ . / -")
        if value is None:
            after.pop(name, None)
        else:
            after[name] = read(path, name, value)
    if len(after) > MAX_ENTRIES:
        raise InvalidInput(at, f"{len(after)} entries", f"at most {MAX_ENTRIES}")
    return after


def _tag(at: str, name: str, value: object) -> str:
    if name == VALIDATION:
        try:
            return Validation(str(value)).value
        except ValueError:
            raise InvalidInput(at, value, f"one of {', '.join(Validation)}") from None
    return _text(at, value)


def _parameter(at: str, _name: str, value: object) -> object:
    if isinstance(value, str):
        return _text(at, value)
    if isinstance(value, bool) or (isinstance(value, int | float) and math.isfinite(value)):
        return value
    raise InvalidInput(at, value, "a text, a finite number, true or false")


def _metric(at: str, _name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput(at, value, "a finite number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InvalidInput(at, value, "a finite number")
    return number


def _anything(_at: str, _name: str, value: object) -> object:
    return value


def _size(at: str, metadata: Mapping[str, object]) -> int:
    try:
        return len(canonical_json(dict(metadata)))
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidInput(at, str(error), "what JSON can hold") from None


def _text(at: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise InvalidInput(at, value, f"a text of at most {MAX_TEXT} characters")
    return value


_ENTRIES: Mapping[str, Callable[[str, str, object], object]] = {
    "tags": _tag,
    "parameters": _parameter,
    "metrics": _metric,
    "metadata": _anything,
}
