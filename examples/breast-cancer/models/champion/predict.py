"""A logistic regression in the standard library: a dot product and a sigmoid."""

import json
import math
from pathlib import Path

_model = {}


def init():
    """Read the weights, once."""
    path = Path(__file__).with_name("weights.json")
    _model.update(json.loads(path.read_text(encoding="utf-8")))


def run(instances):
    """The diagnosis of each record, and how probable malignancy is."""
    return [_diagnosis(_probability(record)) for record in instances]


def _probability(record):
    columns = (_model["features"], _model["mean"], _model["scale"], _model["coefficients"])
    score = _model["intercept"]
    for name, mean, scale, coefficient in zip(*columns, strict=True):
        score += coefficient * (record[name] - mean) / scale
    # exp of a negative number only, which can't overflow.
    small = math.exp(-abs(score))
    return 1 / (1 + small) if score >= 0 else small / (1 + small)


def _diagnosis(probability):
    label = "malignant" if probability >= 0.5 else "benign"
    return {"diagnosis": label, "probability": probability}
