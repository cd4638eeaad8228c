"""Lines of the inference table: what is kept of requests and answers, where capture is on.

The columns are those of ``halftone.domain.insight.capture``. Fields are redacted by their name, at
any depth, or by a path with dots from the top. A body that has values without their fields' names
(tensors, rows, split frames) is kept as the records that the model made of it, which a version
that was asked by a hop tells the front; where no model answered it can't be redacted and is left
out. So is a body that was refused (4xx), whose names may be the very thing that is wrong with it,
and one that is no JSON, or too long. All of it is done after the answer.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from halftone.domain.insight.capture import LONGEST_LINE
from halftone.serving.http.response import Exchange
from halftone.serving.telemetry.shadow_diff import labels_of

REDACTED = "[redacted]"
_HALF = LONGEST_LINE // 2
_LONGEST = _HALF - 4096
_LONGEST_LABEL = 7000  # what the bodies leave, less the other columns
_TOO_LONG = LONGEST_LINE * 4


def captured(
    columns: Mapping[str, object],
    *,
    given: object,
    found: object,
    status: int,
    exchange: Exchange | None,
    redact: Sequence[str],
    label: str,
) -> dict[str, object]:
    """The line with ``columns``, the request's body ``given`` and the answer's body ``found``.

    Bodies are texts, bytes, or JSON values. ``exchange`` is what a model was asked and said, where
    that is known; ``label`` is the output field that is told apart.
    """
    asked, said = (exchange.instances, exchange.predictions) if exchange else (None, None)
    taken = _value(given)
    if redact and asked is None and 400 <= status < 500 and taken is not None:
        taken = _Unreadable
    taken = _named(taken, asked, "instances", redact)
    answered = _value(found)
    if redact and status >= 400:
        answered = _without_values(answered)
    else:
        answered = _named(answered, said, "predictions", redact)
    line: dict[str, object] = {"halftone": "capture", **columns}
    predictions = answered.get("predictions") if isinstance(answered, dict) else None
    labels = labels_of(predictions, label)
    if labels:
        line["label"] = kept_label(labels[0] if len(labels) == 1 else labels, label, redact)
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


def kept_label(value: object, label: str, redact: Sequence[str]) -> object:
    """The label ``value`` of the output field ``label``, or those of many records in a list; None
    where that field is redacted, or they are too long for a line.
    """
    answer = {"predictions": [{label: value}]}
    if redacted(answer, redact) != answer or len(json.dumps(value)) > _LONGEST_LABEL:
        return None
    return value


def redacted(value: object, redact: Sequence[str]) -> object:
    """``value`` with REDACTED in the place of the fields that ``redact`` names."""
    if not redact:
        return value
    return _redacted(value, frozenset(redact), "")


_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_as_it_is = json.JSONEncoder(ensure_ascii=False).encode


class _Unreadable:
    """A body that is no JSON."""


def _value(body: object) -> object:
    if isinstance(body, str | bytes):
        if len(body) > _TOO_LONG:
            return _Unreadable
        try:
            return json.loads(body, parse_constant=_refuse)
        except (ValueError, RecursionError):
            return _Unreadable
    return body


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _named(
    value: object, records: Callable[[], object] | None, called: str, redact: Sequence[str]
) -> object:
    """A body whose values stand under their fields' names, as far as that matters."""
    if records is not None and (redact or value is _Unreadable):
        made = records()
        if value != made:
            return {called: made}
        if called == "predictions":
            return value  # free JSON, such as a number
    # What free JSON asks may be a table, too, as MLflow's clients send it.
    return _Unreadable if redact and _by_place(value) else value


def _by_place(value: object) -> bool:
    """Whether a body may have values whose fields their place tells, and no name beside them."""
    if isinstance(value, list):
        return not all(isinstance(row, dict) for row in value)
    if not isinstance(value, dict):
        return value is not None
    tensors = [value.get(name) for name in ("inputs", "outputs")]
    rows = [value.get(name) for name in ("instances", "dataframe_records", "predictions")]
    return (
        "dataframe_split" in value
        or any(isinstance(r, list) and _by_place(r) for r in (*rows, *tensors))
        or any("data" in one for t in tensors if isinstance(t, list) for one in t)
    )


def _without_values(problem: object) -> object:
    """A problem without what it quotes of the request: that has no field's name to go by."""
    if not isinstance(problem, dict):
        return _Unreadable
    return {name: problem[name] for name in ("title", "status") if name in problem}


def _kept(value: object, redact: Sequence[str]) -> tuple[str | None, bool]:
    """``value`` as JSON, and whether it was left out although there was something."""
    if value is None:
        return None, False
    if value is _Unreadable:
        return None, True
    try:
        text = _encode(redacted(value, redact))
        if "\\ud" in text:
            # Half of a surrogate pair may be spelled in JSON, but whoever queries the table can't
            # read it: one such request would fail a query over all.
            whole = _as_it_is(redacted(value, redact)).encode("utf-8", "replace")
            text = _encode(json.loads(whole))
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
