"""Feedback: what an earlier answer turned out to be worth, joined to it by its request id.

The id of an answer is ``<request>.<version>`` and, where the endpoint names the output field that
is the label, ``.<fingerprint of the label>``. So a server needs no look-up, and no memory, to know
which version answered and whether it was right.
"""

import json
import math
import re
from dataclasses import dataclass

from halftone.domain.errors import InvalidInput
from halftone.domain.traffic.assignment import fingerprint, salted

_ID = re.compile(
    r"(?P<request>[A-Za-z0-9-]{1,64})\.(?P<version>[1-9][0-9]{0,9})(?:\.(?P<label>[0-9a-f]{8}))?"
)


@dataclass(frozen=True)
class Feedback:
    """``bad``: the answer was wrong, by its label or, without one, by a reward below half."""

    request: str
    version: str
    reward: float | None
    label: object
    bad: bool


def label_print(endpoint: str, labels: list[object]) -> str:
    """8 hex digits that stand for the label of an answer, or for its list of labels; "" if none."""
    if not labels:
        return ""
    value = labels[0] if len(labels) == 1 else labels
    try:
        return fingerprint(salted(endpoint, "label"), _canonical(value), size=4)
    except (TypeError, ValueError, RecursionError):
        return ""  # of free JSON, whose values may be anything


def read_feedback(endpoint: str, body: object, *, newest: int) -> Feedback:
    """The feedback in ``body``, about a version up to ``newest``.

    Raises:
        InvalidInput: naming the field and its value.
    """
    if not isinstance(body, dict):
        expected = 'an object such as {"request_id": "…", "reward": 0.7}'
        raise InvalidInput("body", body, expected)
    for name in body:
        if name not in ("request_id", "reward", "label"):
            known = "no such field; known: request_id, reward, label"
            raise InvalidInput(str(name), body[name], known)
    given = body.get("request_id")
    found = _ID.fullmatch(given) if isinstance(given, str) else None
    if found is None or int(found["version"]) > newest:
        raise InvalidInput("request_id", given, "the x-request-id of an answer of this endpoint")
    reward, label = body.get("reward"), body.get("label")
    if reward is None and label is None:
        raise InvalidInput("reward", None, "a number from 0 to 1, or a label")
    if reward is not None and not _is_reward(reward):
        raise InvalidInput("reward", reward, "a number from 0 to 1")
    bad = reward is not None and reward < 0.5
    if label is not None:
        _check_label(label)
        if found["label"] is None:
            expected = "a reward: the endpoint names no output field as its label"
            raise InvalidInput("label", label, expected)
        labels = label if isinstance(label, list) else [label]
        bad = label_print(endpoint, labels) != found["label"]
    return Feedback(
        request=found["request"],
        version=found["version"],
        reward=None if reward is None else float(reward),
        label=label,
        bad=bad,
    )


def _is_reward(value: object) -> bool:
    # Compared and not converted: a whole number may be above all floats. NaN is nowhere between.
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _check_label(label: object) -> None:
    labels = label if isinstance(label, list) else [label]
    if not labels or not all(map(_is_label, labels)):
        raise InvalidInput("label", label, "a text, a number, true or false, or a list of these")


def _is_label(value: object) -> bool:
    finite = not isinstance(value, float) or math.isfinite(value)
    return finite and isinstance(value, str | int | float | bool)


def _canonical(value: object) -> str:
    """JSON in which 1 and 1.0 are the same label."""
    if isinstance(value, list):
        return f"[{','.join(map(_canonical, value))}]"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value)
