"""Scoring: from a request's body to the model's answer, without asking who sent it or why."""

from halftone.domain.errors import InvalidInput
from halftone.domain.signature import fields_as_given, read_records
from halftone.serving.loading import LoadedModel
from halftone.serving.protocol import Problem, as_json, read_instances
from halftone.serving.settings import Settings

MAX_ANSWER = 6_000_000
"""Bytes of an answer as Lambda carries it, below its limit of 6 MB for the whole response."""

_MISFIT = "the model's answer does not fit its signature"


class ModelFault(Exception):
    """The model raised, or its answer does not fit its own signature; the cause says which."""


def predict(model: LoadedModel, event: object, max_body: int) -> str:
    """The body of the answer to a prediction request.

    Raises:
        Problem: if the request can't be taken, or its answer not be sent.
        ModelFault: if the model is at fault.
    """
    instances = read_instances(event, model.manifest.inputs, max_body)
    count = len(instances)
    try:
        found = model.predict(instances)
    except (Exception, SystemExit) as error:  # a model's code can raise anything
        raise ModelFault("the model raised an exception") from error
    try:
        predictions = read_records("predictions", model.manifest.outputs, found)
    except InvalidInput as error:
        raise ModelFault(_MISFIT) from error
    if len(predictions) != count:
        expected = f"one prediction for each of the {count} instances"
        raise ModelFault(_MISFIT) from InvalidInput("predictions", predictions, expected)
    body = as_json({"predictions": predictions})
    # In the response that Lambda carries, each quote and backslash of the body is two bytes.
    if len(body) > MAX_ANSWER // 2 and len(body) + body.count('"') + body.count("\\") > MAX_ANSWER:
        raise Problem(413, f"the answer to {count} instances is too large: send fewer at once")
    return body


def describe(model: LoadedModel, settings: Settings, version: str) -> str:
    """The body of the answer to a request for what the endpoint serves."""
    manifest = model.manifest
    return as_json(
        {
            "endpoint": settings.endpoint,
            "version": version,
            "deployment": settings.deployment,
            "package": {"name": manifest.name, "digest": model.digest},
            "flavor": manifest.flavor,
            "description": manifest.description,
            "inputs": fields_as_given(manifest.inputs),
            "outputs": fields_as_given(manifest.outputs),
            "samples": [{"instances": sample.instances} for sample in manifest.samples],
        }
    )
