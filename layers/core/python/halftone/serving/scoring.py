"""Scoring: from a request to the model's answer, without asking who sent it or why."""

from collections.abc import Sequence
from dataclasses import dataclass

from halftone.domain.errors import InvalidInput
from halftone.domain.signature import fields_as_given, read_records
from halftone.serving.answers import Answer, Problem, Spoken, as_json
from halftone.serving.loading import LoadedModel, Record
from halftone.serving.protocol import Request, Route, body_of, json_of
from halftone.serving.recent import Recent
from halftone.serving.settings import Settings

MAX_ANSWER = 6_000_000
"""Bytes of an answer as Lambda carries it, below its limit of 6 MB for the whole response."""

_MISFIT = "the model's answer does not fit its signature"


class ModelFault(Exception):
    """The model raised, or its answer does not fit its own signature; the cause says which."""


@dataclass(slots=True)
class Records:
    """An ``Exchange`` in records."""

    given: list[Record]
    found: list[Record]

    def instances(self) -> object:
        """See Exchange."""
        return self.given

    def predictions(self) -> object:
        """See Exchange."""
        return self.found

    def output(self, name: str) -> Sequence[object]:
        """See Exchange."""
        return [record[name] for record in self.found if name in record]


def score(model: LoadedModel, request: Request, max_body: int) -> Answer:
    """The model's answer to a request on one of the routes ``INVOKE`` and ``INFER``.

    Raises:
        Problem: if the request can't be taken, or its answer not be sent.
        ModelFault: if the model is at fault.
    """
    if request.route is not Route.INVOKE:
        raise Problem(501, "this model does not answer here")
    body = body_of(request.event, max_body)
    try:
        instances = _instances(model, json_of(body))
    except InvalidInput as error:
        raise Problem.of_input(error) from None
    except RecursionError:
        # Met by whoever shows the value in an error.
        raise Problem(400, "the body is nested too deeply", field="body") from None
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
    text = as_json({"predictions": predictions})
    # In the response that Lambda carries, each quote and backslash of the body is two bytes.
    if len(text) > MAX_ANSWER // 2 and len(text) + text.count('"') + text.count("\\") > MAX_ANSWER:
        raise Problem(413, f"the answer to {count} instances is too large: send fewer at once")
    return Answer(200, text, exchange=Records(instances, predictions))


def _instances(model: LoadedModel, body: object) -> list[Record]:
    if not isinstance(body, dict) or "instances" not in body:
        raise InvalidInput("body", body, 'an object such as {"instances": [{…}]}')
    for name, value in body.items():
        if name != "instances":
            raise InvalidInput(name, value, "no such field; known: instances")
    return read_records("instances", model.manifest.inputs, body["instances"])


def tell(
    model: LoadedModel | None,
    request: Request,
    settings: Settings,
    *,
    version: str,
    recent: Recent,
    reason: str,
) -> Answer:
    """The answer to a request that asks the server and not the model.

    ``reason`` is why there is no model, in the words that this client may read.

    Raises:
        Problem: 503 if it takes a model and there is none; 501 for routes that are not answered
            here.
    """
    if request.route is Route.HEALTH:
        return _health(model, settings, version, recent, reason)
    if request.route is Route.SERVER_LIVE:
        return Answer(200, '{"live":true}')
    if model is None:
        raise Problem(503, reason)
    if request.route is Route.DESCRIBE:
        return Answer(200, describe(model, settings, version))
    if request.route in (Route.MODEL_READY, Route.SERVER_READY):
        return Answer(200, '{"ready":true}')
    raise Problem(501, f"the model server does not answer here ({request.route.value})")


def _health(
    model: LoadedModel | None, settings: Settings, version: str, recent: Recent, reason: str
) -> Answer:
    told: dict[str, object] = {
        "endpoint": settings.endpoint,
        "version": version,
        "deployment": settings.deployment,
        "loaded": model is not None,
        **({} if model is not None else {"reason": reason}),
        "last_minute": recent.last_minute(),
        "of": "this sandbox",
    }
    return Answer(200 if model is not None else 503, as_json(told))


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


def answered(body: str | bytes, spoken: Spoken) -> object:
    """The predictions in a body that another version answered, in the form of
    ``Exchange.predictions``; None if there are none to read.
    """
    if spoken is not Spoken.PLAIN:
        return None
    try:
        value = json_of(body)
    except Problem:
        return None
    return value.get("predictions") if isinstance(value, dict) else value
