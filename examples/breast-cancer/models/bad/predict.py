"""A scorecard: every measurement falls into a bin, and each bin has a weight of evidence."""

import json
import math
from pathlib import Path

_card = {}


def init():
    """Read the tables, once."""
    path = Path(__file__).with_name("scorecard.json")
    _card.update(json.loads(path.read_text(encoding="utf-8")))


def run(instances):
    """The diagnosis of each record, and how probable malignancy is."""
    return [_diagnosis(_probability(record)) for record in instances]


def _probability(record):
    score = _card["intercept"]
    for name, table in _card["tables"].items():
        score += table[str(math.floor(record[name] / _card["widths"][name]))]
    return 1 / (1 + math.exp(-score))


def _diagnosis(probability):
    label = "malignant" if probability >= 0.5 else "benign"
    return {"diagnosis": label, "probability": probability}
