"""What the server says of itself and its model, to requests that ask for no prediction."""

from halftone import __version__
from halftone.domain.model.manifest import Interface
from halftone.domain.model.samples import AnySample
from halftone.domain.model.schema import Field, fields_as_given
from halftone.serving.http.request import Request, Route
from halftone.serving.http.response import Problem, Response, as_json
from halftone.serving.inference.loader import LoadedModel
from halftone.serving.protocols.tensors import DATATYPES
from halftone.serving.routing.config_cache import RouteConfigCache
from halftone.serving.settings import Settings
from halftone.serving.telemetry.rolling_window import RollingWindow

SERVER = {"name": "halftone", "version": __version__, "extensions": ["binary_tensor_data"]}
"""The server's metadata as the Open Inference Protocol has it."""


def metadata_response(
    model: LoadedModel | None,
    request: Request,
    settings: Settings,
    *,
    version: str,
    recent: RollingWindow,
    cache: RouteConfigCache,
    reason: str,
) -> Response:
    """The answer to a request that asks the server and not the model.

    ``cache`` has what is known of the endpoint, ``reason`` is why there is no model, in the words
    that this client may read.

    Raises:
        Problem: 503 if it takes a model and there is none; 404 for routes that are not answered
            here.
    """
    if request.route is Route.HEALTH:
        health = _health(model, settings, version, recent, reason)
        health["endpoint_now"] = _endpoint_now(settings.endpoint, cache)
        return Response(503 if model is None else 200, as_json(health))
    if request.route in (Route.SERVER, Route.SERVER_LIVE):
        return Response(200, as_json(SERVER if request.route is Route.SERVER else {"live": True}))
    if model is None:
        raise Problem(503, reason)
    if request.route is Route.DESCRIBE:
        return Response(200, describe(model, settings, version))
    if request.route is Route.OPENAPI:
        from halftone.serving.protocols.openapi import document  # noqa: PLC0415  (few ever ask for it)

        return Response(200, as_json(document(model.manifest, settings.endpoint)))
    if request.route is Route.SERVER_READY:
        return Response(200, as_json({"ready": True}))
    if request.route in (Route.MODEL, Route.MODEL_READY):
        if model.manifest.interface is not Interface.RECORDS:
            raise Problem(404, "this model has no signature, and so no tensors")
        ready = {"name": settings.endpoint, "ready": True}
        told = ready if request.route is Route.MODEL_READY else metadata(model, settings, version)
        return Response(200, as_json(told))
    raise Problem(404, f"the model server does not answer here ({request.route.value})")


def metadata(model: LoadedModel, settings: Settings, version: str) -> dict[str, object]:
    """The model's metadata as the Open Inference Protocol has it; -1 is the number of records."""
    return {
        "name": settings.endpoint,
        "versions": [version],
        "platform": f"halftone_{model.manifest.flavor}",
        "inputs": [_tensor(field) for field in model.manifest.inputs],
        "outputs": [_tensor(field) for field in model.manifest.outputs],
    }


def _tensor(field: Field) -> dict[str, object]:
    return {"name": field.name, "datatype": DATATYPES[field.type], "shape": [-1, *field.shape]}


def _health(
    model: LoadedModel | None,
    settings: Settings,
    version: str,
    recent: RollingWindow,
    reason: str,
) -> dict[str, object]:
    return {
        "endpoint": settings.endpoint,
        "version": version,
        "deployment": settings.deployment,
        "loaded": model is not None,
        **({} if model is not None else {"reason": reason}),
        "last_minute": recent.last_minute(),
        "of": "this sandbox",
    }


def _endpoint_now(endpoint: str, cache: RouteConfigCache) -> dict[str, object]:
    """What a sandbox knows of the whole endpoint without asking anybody, and what it can't know.

    It is the dispatch that routing acts on, read off the path of requests.
    """
    known = cache.known
    elsewhere = (
        "requests, error rate and latency of all sandboxes are in the metrics: `halftone metrics "
        f"{endpoint}`, or GET /v1/endpoints/{endpoint}/metrics of the control API"
    )
    if known is None or known.revision == 0:
        return {"answering": None, "not_known_here": elsewhere}
    trial = known.trial
    return {
        "answering": known.answering,
        "champion": known.champion,
        "rollout": trial.rollout if trial else None,
        "stopped": known.serving.stopped,
        "read_seconds_ago": round(cache.age_seconds, 1),
        "not_known_here": elsewhere,
    }


def describe(model: LoadedModel, settings: Settings, version: str) -> str:
    """The body of the answer to a request for what the endpoint serves."""
    manifest = model.manifest
    return as_json(
        {
            "endpoint": settings.endpoint,
            "version": version,
            "deployment": settings.deployment,
            "package": {"name": manifest.name, "digest": model.digest},
            **({"environment": manifest.environment.digest} if manifest.environment else {}),
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
