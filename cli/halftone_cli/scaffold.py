"""The files of a new endpoint: a declaration, and a model package that answers right away.

The model is a linear regression whose coefficients stand in a JSON file, so that its author can see
every part of a package at work before putting a model of their own in its place.
"""

import json
from collections.abc import Mapping
from textwrap import dedent

WEIGHTS: Mapping[str, float] = {"intercept": 12.0, "distance_km": 2.5, "parcels": 1.5}
"""Minutes that a delivery takes: at the least, for each kilometre, and for each parcel."""

REQUEST: Mapping[str, object] = {"instances": [{"distance_km": 4.0, "parcels": 2}]}


def files(endpoint: str, model: str) -> dict[str, str]:
    """The texts of a new endpoint's files by their paths; ``model`` names its first package."""
    package = f"models/{model}"
    return {
        "endpoint.yaml": _ENDPOINT.format(name=endpoint, model=package),
        "request.json": json.dumps(REQUEST) + "\n",
        f"{package}/model.yaml": _MANIFEST.format(name=f"{endpoint}-{model}"[:32].rstrip("-")),
        f"{package}/predict.py": _PREDICT,
        f"{package}/weights.json": json.dumps(WEIGHTS, indent=2) + "\n",
    }


_ENDPOINT = dedent("""\
    # What this endpoint is. To release another model, change `model` and deploy, or say
    # `halftone release`. Every field: docs/rollout.md and the README.
    name: {name}
    model: {model}
    description: How many minutes a delivery takes.

    memory: 512
    timeout: 10s
    late_after: 500ms         # what makes a warm request late

    plan: gradual             # `halftone plan show` lists the others, and shows each in full
    guardrails:
      errors: {{rate: 5 %, count: 3}}
    """)

_MANIFEST = dedent("""\
    # What this package is. `halftone package` checks it and asks it its samples.
    name: {name}
    description: A linear regression.
    flavor: python
    entry: predict.py         # init() once before traffic, run(instances) for each request
    inputs:                   # every request is held to this before the model sees it
      - {{name: distance_km, type: float64, minimum: 0, maximum: 1000}}
      - {{name: parcels, type: int64, minimum: 1, maximum: 100}}
    outputs:                  # and every answer to this
      - {{name: minutes, type: float64, minimum: 0}}
    samples:                  # answered by the very version before it gets traffic
      - instances: [{{distance_km: 4.0, parcels: 2}}]
        predictions: [{{minutes: 25.0}}]
        tolerance: 0.5
    """)

_PREDICT = dedent('''\
    """How many minutes a delivery takes."""

    import json
    from pathlib import Path

    _weights = {}


    def init():
        """Read what the model needs, once and before traffic."""
        _weights.update(json.loads(Path(__file__).with_name("weights.json").read_text()))


    def run(instances):
        """One prediction for each record of a request."""
        return [{"minutes": _minutes(record)} for record in instances]


    def _minutes(record):
        fields = ("distance_km", "parcels")
        return _weights["intercept"] + sum(_weights[name] * record[name] for name in fields)
    ''')
