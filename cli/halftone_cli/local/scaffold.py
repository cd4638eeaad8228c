"""The files of a new endpoint: a declaration, and a model package that answers right away.

The model is a linear regression, so that its author can see every part of a package at work before
putting a model of their own in its place.
"""

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from textwrap import dedent

from halftone_cli.local import onnx_file

INTERCEPT = 12.0
COEFFICIENTS: Mapping[str, float] = {"distance_km": 2.5, "parcels": 1.5}
"""Minutes that a delivery takes: at the least, for each kilometre, and for each parcel."""

REQUEST: Mapping[str, object] = {"instances": [{"distance_km": 4.0, "parcels": 2}]}

Files = dict[str, bytes]
"""What files hold, by their paths."""


class Flavor(StrEnum):
    """The flavors whose artifacts can be written without the library that trains such a model."""

    PYTHON = "python"
    ONNX = "onnx"
    ASGI = "asgi"


def files(endpoint: str, model: str, flavor: Flavor) -> Files:
    """The files of a new endpoint; ``model`` names its first package."""
    package = f"models/{model}"
    name = f"{endpoint}-{model}"[:32].rstrip("-")
    contents = {"endpoint.yaml": _ENDPOINT.format(name=endpoint, model=package).encode()}
    if flavor is not Flavor.ASGI:  # an app's requests are its own: its samples are the example
        contents["request.json"] = f"{json.dumps(REQUEST)}\n".encode()
    return contents | {f"{package}/{file}": data for file, data in _PACKAGES[flavor](name).items()}


def _python(name: str) -> Files:
    weights = {"intercept": INTERCEPT, **COEFFICIENTS}
    return {
        "model.yaml": _manifest(name, "python", _PYTHON_ENTRY, "float64"),
        "predict.py": _PREDICT.encode(),
        "weights.json": f"{json.dumps(weights, indent=2)}\n".encode(),
    }


def _onnx(name: str) -> Files:
    graph = onnx_file.linear(list(COEFFICIENTS.values()), INTERCEPT)
    # ONNX graphs calculate in float32.
    manifest = _manifest(name, "onnx", _ONNX_ENTRY, "float32")
    return {"model.yaml": manifest, "model.onnx": graph}


def _asgi(name: str) -> Files:
    return {"model.yaml": _ASGI_MANIFEST.format(name=name).encode(), "app.py": _APP.encode()}


def _manifest(name: str, flavor: str, entry: str, result: str) -> bytes:
    return _MANIFEST.format(name=name, flavor=flavor, entry=entry, result=result).encode()


_PACKAGES: Mapping[Flavor, Callable[[str], Files]] = {
    Flavor.PYTHON: _python,
    Flavor.ONNX: _onnx,
    Flavor.ASGI: _asgi,
}

_ENDPOINT = dedent("""\
    # What this endpoint is. To release another model, change `model` and deploy, or say
    # `halftone release`. Every field: docs/endpoint.md.
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
    flavor: {flavor}
    entry: {entry}
    inputs:                   # every request is held to this before the model sees it
      - {{name: distance_km, type: float64, minimum: 0, maximum: 1000}}
      - {{name: parcels, type: int64, minimum: 1, maximum: 100}}
    outputs:                  # and every answer to this
      - {{name: minutes, type: {result}, minimum: 0}}
    samples:                  # answered by the very version before it gets traffic
      - instances: [{{distance_km: 4.0, parcels: 2}}]
        predictions: [{{minutes: 25.0}}]
        tolerance: 0.0001
    """)

_PYTHON_ENTRY = "predict.py         # init() once before traffic, run(instances) for each request"
_ONNX_ENTRY = "model.onnx         # its input's columns are the fields below, in their order"

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

_ASGI_MANIFEST = dedent("""\
    # What this package is. `halftone package` checks it and asks it its samples.
    name: {name}
    description: A linear regression, behind an app of its own.
    flavor: asgi
    entry: app.py             # its `app` takes what is asked below /endpoints/<endpoint>/app
    samples:                  # answered by the very version before it gets traffic
      - method: POST
        path: /minutes
        body: {{distance_km: 4.0, parcels: 2}}
        response: {{minutes: 25.0}}
        tolerance: 0.0001
      - {{method: POST, path: /minutes, body: {{distance_km: -1, parcels: 2}}, status: 422}}
    """)

_APP = dedent(f'''\
    """How many minutes a delivery takes, as an app of its own."""

    from fastapi import FastAPI
    from pydantic import BaseModel, Field

    app = FastAPI()


    class Delivery(BaseModel):
        """What is to be brought how far."""

        distance_km: float = Field(ge=0, le=1000)
        parcels: int = Field(ge=1, le=100)


    @app.post("/minutes")
    async def minutes(delivery: Delivery) -> dict[str, float]:
        """The minutes that a delivery takes. Without async a route costs a thread each time."""
        km, parcels = delivery.distance_km, delivery.parcels
        return {{"minutes": {INTERCEPT} + {
    " + ".join(
        f"{weight} * {name}"
        for weight, name in zip(COEFFICIENTS.values(), ("km", "parcels"), strict=True)
    )
}}}
    ''')
