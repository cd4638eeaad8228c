"""Texts that can be stored: JSON and YAML can spell half of a surrogate pair, and UTF-8 can't."""

import re
from collections.abc import Mapping, Sequence

from halftone.domain.errors import InvalidInput

_HALF_PAIR = re.compile("[\ud800-\udfff]")
_EXPECTED = "a text that UTF-8 can carry, without half of a surrogate pair"


def is_storable(text: str) -> bool:
    """Whether UTF-8 can carry ``text``."""
    return text.isascii() or not _HALF_PAIR.search(text)


def check_texts(at: str, value: object) -> None:
    """Refuse a value with a text, or a name of a field, that can't be stored.

    ``value`` is what a JSON or YAML reader made; ``at`` leads the paths ("": the value itself has
    no name, so its fields stand alone).

    Raises:
        InvalidInput: with the path of the first such text, such as ``rules[0].match.query.a``. A
            name that can't be stored stands in the path as its escape.
    """
    # With a stack of its own, because what is read may be nested deeper than Python calls.
    rest: list[tuple[str, object]] = [(at, value)]
    visited: set[int] = set()
    while rest:
        path, inner = rest.pop()
        if isinstance(inner, str):
            if not is_storable(inner):
                raise InvalidInput(path or "body", inner, _EXPECTED)
        elif isinstance(inner, Mapping | Sequence) and not isinstance(inner, bytes):
            if id(inner) in visited:
                continue  # an anchor of YAML, which may even hold itself
            visited.add(id(inner))
            rest.extend(reversed(list(_parts(path, inner))))


def _parts(
    path: str, value: Mapping[object, object] | Sequence[object]
) -> "list[tuple[str, object]]":
    if not isinstance(value, Mapping):
        return [(f"{path}[{i}]", inner) for i, inner in enumerate(value)]
    parts: list[tuple[str, object]] = []
    for name, inner in value.items():
        here = f"{path}.{name}" if path else str(name)
        if isinstance(name, str) and not is_storable(name):
            raise InvalidInput(here, name, _EXPECTED)
        parts.append((here, inner))
    return parts
