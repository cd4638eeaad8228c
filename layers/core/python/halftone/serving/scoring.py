"""Scoring: from a request to the model's answer, without asking who sent it or why."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from halftone.domain.errors import InvalidInput
from halftone.domain.package import Interface
from halftone.domain.samples import AnySample
from halftone.domain.signature import fields_as_given, read_records
from halftone.serving.answers import JSON, Answer, Problem, Spoken, as_json
from halftone.serving.context import NOBODY, Context
from halftone.serving.loading import LoadedModel, Record
from halftone.serving.protocol import Request, Route, body_of, bytes_of, json_of, read_json
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


@dataclass(slots=True)
class Values:
    """An ``Exchange`` in free JSON."""

    given: object
    found: object

    def instances(self) -> object:
        """See Exchange."""
        return self.given

    def predictions(self) -> object:
        """See Exchange."""
        return self.found

    def output(self, name: str) -> Sequence[object]:
        """See Exchange."""
        named = isinstance(self.found, dict) and name in self.found
        return [self.found[name]] if named else []  # type: ignore[index]


def score(model: LoadedModel, request: Request, max_body: int, context: Context = NOBODY) -> Answer:
    """The model's answer to a request on one of the routes ``INVOKE``, ``INFER`` and ``APP``.

    Raises:
        Problem: if the request can't be taken, or its answer not be sent.
        ModelFault: if the model is at fault.
    """
    if request.route is Route.APP or model.asgi is not None:
        return _pass_on(model, request, max_body, context)
    if request.route is not Route.INVOKE:
        raise Problem(501, "this model does not answer here")
    if model.manifest.interface is Interface.JSON:
        return _score_json(model, request, max_body, context)
    body = body_of(request.event, max_body)
    try:
        instances = _instances(model, json_of(body))
    except InvalidInput as error:
        raise Problem.of_input(error) from None
    except RecursionError:
        # Met by whoever shows the value in an error.
        raise Problem(400, "the body is nested too deeply", field="body") from None
    count = len(instances)
    found = _ask(model, instances, context)
    try:
        predictions = read_records("predictions", model.manifest.outputs, found)
    except InvalidInput as error:
        raise ModelFault(_MISFIT) from error
    if len(predictions) != count:
        expected = f"one prediction for each of the {count} instances"
        raise ModelFault(_MISFIT) from InvalidInput("predictions", predictions, expected)
    text = as_json({"predictions": predictions})
    if _too_large(text):
        raise Problem(413, f"the answer to {count} instances is too large: send fewer at once")
    return Answer(200, text, exchange=Records(instances, predictions))


def _score_json(model: LoadedModel, request: Request, max_body: int, context: Context) -> Answer:
    given = read_json(request, max_body)
    found = _ask(model, given, context)
    try:
        text = as_json(found)
    except (TypeError, ValueError, RecursionError) as error:
        raise ModelFault("the model's answer is no JSON value") from error
    if _too_large(text):
        raise Problem(413, "the answer is too large")
    return Answer(200, text, exchange=Values(given, found))


def _pass_on(model: LoadedModel, request: Request, max_body: int, context: Context) -> Answer:
    if model.asgi is None:
        raise Problem(404, "this endpoint serves no app; POST to its path /invocations")
    if request.route is not Route.APP:
        raise Problem(404, "this endpoint serves an app, below its path /app")
    body = base64.b64encode(bytes_of(request.event, max_body)).decode()
    try:
        found = model.asgi({**request.event, "body": body, "isBase64Encoded": True}, context)
    except (Exception, SystemExit) as error:  # an app can raise anything
        raise ModelFault("the app raised an exception") from error
    text = found["body"]
    if _too_large(text):
        raise Problem(413, "the app's answer is too large")
    headers = dict(found.get("headers", {}))
    return Answer(
        found["statusCode"],
        base64.b64decode(text) if found["isBase64Encoded"] else text,
        headers.pop("content-type", JSON),
        headers,
        found.get("cookies", ()),
    )


def _ask(model: LoadedModel, given: Any, context: Context) -> object:
    try:
        return model.predict(given, context)
    except (Exception, SystemExit) as error:  # a model's code can raise anything
        raise ModelFault("the model raised an exception") from error


def _too_large(text: str) -> bool:
    # In the response that Lambda carries, each quote and backslash of the body is two bytes.
    return (
        len(text) > MAX_ANSWER // 2 and len(text) + text.count('"') + text.count("\\") > MAX_ANSWER
    )


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
            "samples": [_question(sample) for sample in manifest.samples],
        }
    )


def _question(sample: AnySample) -> dict[str, object]:
    """A sample without its answer."""
    asked = ("instances", "request", "method", "path", "body")
    return {name: value for name, value in sample.as_given().items() if name in asked}


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
