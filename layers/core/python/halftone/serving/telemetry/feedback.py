"""Feedback: what an earlier answer turned out to be worth, joined to it by its request id.

An answer's id says which version answered, how its request was drawn and, where the endpoint names
the output field that is the label, a print of the label; and it is signed (``signed_ids``). So a
server needs no look-up to know whom feedback is about and whether the answer was right.
"""

import json
import math
from dataclasses import dataclass

from halftone.domain.endpoint.route_table import Experiment
from halftone.domain.errors import InvalidInput
from halftone.domain.rollout.signing import VALID
from halftone.domain.traffic.assignment import fingerprint, salted
from halftone.serving.routing.signed_ids import SignedId, Signer, rollout_print

SPREAD_SECONDS = 30
"""How long after a stage began requests may still be drawn with the share before."""


@dataclass(frozen=True)
class Feedback:
    """``bad``: the answer was wrong, by its label or, without one, by a reward below half.

    ``truth`` is the print of the label that was right ("": none was given).
    """

    about: SignedId
    reward: float | None
    label: object
    truth: str
    bad: bool

    @property
    def unit(self) -> str:
        """The name of what was drawn, and is counted once in its stage: a key or a request."""
        about = self.about
        return f"{about.rollout}-{about.stage}-{about.key}" if about.key else about.request

    def counts_in(self, trial: Experiment | None) -> bool:
        """Whether it is evidence: about a request that the present stage of ``trial`` drew.

        What comes when that stage is over is none. Its draws are not those of the next one, and
        which feedback is late may depend on what it says.
        """
        if trial is None or self.about.stage != trial.stage:
            return False
        if self.about.rollout != rollout_print(trial):
            return False
        if trial.began is not None and self.about.at < trial.began.timestamp() + SPREAD_SECONDS:
            return False
        return bool(self.about.key) or trial.mirror > 0 or not trial.sticky


def label_print(endpoint: str, labels: list[object]) -> str:
    """8 hex digits that stand for the label of an answer, or for its list of labels; "" if none."""
    if not labels:
        return ""
    value = labels[0] if len(labels) == 1 else labels
    try:
        return fingerprint(salted(endpoint, "label"), _canonical(value), size=4)
    except (TypeError, ValueError, RecursionError):
        return ""  # of free JSON, whose values may be anything


def read_feedback(endpoint: str, body: object, signer: Signer) -> Feedback:
    """The feedback in ``body``, about a request whose id ``signer`` knows for its own.

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
    about = signer.read(given) if isinstance(given, str) else None
    if about is None:
        expected = "the whole x-request-id of a prediction of this endpoint"
        raise InvalidInput("request_id", given, f"{expected}, at most {VALID.days} days old")
    reward, label = body.get("reward"), body.get("label")
    if reward is None and label is None:
        raise InvalidInput("reward", None, "a number from 0 to 1, or a label")
    if reward is not None and not _is_reward(reward):
        raise InvalidInput("reward", reward, "a number from 0 to 1")
    bad, truth = reward is not None and reward < 0.5, ""
    if label is not None:
        _check_label(label)
        if about.label is None:
            expected = "a reward: the endpoint names no output field as its label"
            raise InvalidInput("label", label, expected)
        labels = label if isinstance(label, list) else [label]
        truth = label_print(endpoint, labels)
        bad = truth != about.label
    return Feedback(
        about=about,
        reward=None if reward is None else float(reward),
        label=label,
        truth=truth,
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
