"""Predictions in a body that another version answered, in either protocol."""

from typing import Any

from halftone.serving.http.body import json_of
from halftone.serving.http.response import Problem, Spoken
from halftone.serving.protocols.tensors import nested


def answered(body: str | bytes, spoken: Spoken) -> object:
    """The predictions in a body that another version answered, in the form of
    ``Exchange.predictions``; None if there are none to read.
    """
    try:
        value = json_of(body)
    except Problem:
        return None
    if not isinstance(value, dict):
        return value if spoken is Spoken.PLAIN else None
    return value.get("predictions") if spoken is Spoken.PLAIN else _records_in(value)


def _records_in(value: dict[str, Any]) -> object:
    """The records in an answer of the Open Inference Protocol, unless a tensor stands in bytes."""
    outputs = value.get("outputs")
    columns: dict[str, list[Any]] = {}
    for output in outputs if isinstance(outputs, list) else ():
        data, shape = output.get("data"), output.get("shape", [])
        if not isinstance(data, list):
            return None
        columns[output["name"]] = nested(data, shape)
    return [dict(zip(columns, row, strict=False)) for row in zip(*columns.values(), strict=False)]
