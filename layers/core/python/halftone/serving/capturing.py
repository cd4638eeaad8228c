"""Lines of the inference table: what is kept of requests and answers, where capture is on.

The columns are those of ``halftone.domain.capture``. Fields are redacted by their name, at any
depth, or by a path with dots from the top; a body that is no JSON can't be redacted and is left
out, as is one that is too long. All of it is done after the answer.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from halftone.domain.capture import LONGEST_LINE
from halftone.serving.differing import labels_of

REDACTED = "[redacted]"
_HALF = LONGEST_LINE // 2
_LONGEST = _HALF - 4096
_TOO_LONG = LONGEST_LINE * 4


def captured(
    columns: Mapping[str, object],
    *,
    given: object,
    found: object,
    redact: Sequence[str],
    label: str,
) -> dict[str, object]:
    """The line with ``columns``, the request's body ``given`` and the answer's body ``found``.

    Bodies are texts, bytes, or JSON values; ``label`` is the output field that is told apart.
    """
    taken = _value(given)
    answered = _value(found)
    line: dict[str, object] = {"halftone": "capture", **columns}
    predictions = answered.get("predictions") if isinstance(answered, dict) else None
    labels = labels_of(predictions, label)
    if labels and label not in redact:
        line["label"] = labels[0] if len(labels) == 1 else labels
    line["input"], cut = _kept(taken, redact)
    line["output"], cut_too = _kept(answered, redact)
    line["cut"] = cut or cut_too
    return line


def body_in(event: Mapping[str, Any]) -> str | bytes | None:
    """The body of an HTTP API event; None if there is none that can be read."""
    body = event.get("body")
    if not isinstance(body, str):
        return None
    if not event.get("isBase64Encoded"):
        return body
    try:
        return base64.b64decode(body, validate=True)
    except ValueError:
        return None


def redacted(value: object, redact: Sequence[str]) -> object:
    """``value`` with REDACTED in the place of the fields that ``redact`` names."""
    if not redact:
        return value
    return _redacted(value, frozenset(redact), "")


class _Unreadable:
    """A body that is no JSON."""


def _value(body: object) -> object:
    if isinstance(body, str | bytes):
        if len(body) > _TOO_LONG:
            return _Unreadable
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            return _Unreadable
    return body


def _kept(value: object, redact: Sequence[str]) -> tuple[str | None, bool]:
    """``value`` as JSON, and whether it was left out although there was something."""
    if value is None:
        return None, False
    if value is _Unreadable:
        return None, True
    try:
        text = json.dumps(redacted(value, redact), separators=(",", ":"))
    except (ValueError, TypeError, RecursionError):
        return None, True
    # In the line the text is a JSON string: its quotes and backslashes are two characters each.
    if len(text) + text.count('"') + text.count("\\") > _LONGEST:
        return None, True
    return text, False


def _redacted(value: object, names: frozenset[str], path: str) -> object:
    if isinstance(value, dict):
        return {
            name: REDACTED
            if name in names or f"{path}{name}" in names
            else _redacted(inner, names, f"{path}{name}.")
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_redacted(inner, names, path) for inner in value]
    return value
