"""The model server: a plain Lambda handler around one loaded model.

A model is loaded when the server starts, before traffic. One that could not be loaded is kept as
its reason and answered as 503, so that the smoke test reads why instead of watching a crash loop.
"""

import os
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from halftone.domain.errors import HalftoneError, InvalidInput
from halftone.domain.signature import fields_as_given, read_records
from halftone.serving.artifacts import Artifacts
from halftone.serving.install import install
from halftone.serving.loading import LoadedModel, load
from halftone.serving.protocol import (
    Problem,
    Route,
    answer,
    as_json,
    is_smoke,
    read_instances,
    route,
)
from halftone.serving.settings import Settings
from halftone.serving.telemetry import Telemetry, Write, to_stdout

MAX_ANSWER = 6_000_000
"""Bytes of an answer as Lambda carries it, below its limit of 6 MB for the whole response."""

_MISFIT = "the model's answer does not fit its signature"

Source = Callable[[], LoadedModel]


class ModelFault(Exception):
    """The model raised, or its answer does not fit its own signature; the cause says which."""


class ModelServer:
    """Answers HTTP API events by one model, which ``source`` loads right now or never."""

    def __init__(self, settings: Settings, source: Source, *, write: Write = to_stdout) -> None:
        self._settings = settings
        self._telemetry = Telemetry(settings.endpoint, settings.late_after_ms, write)
        self._model: LoadedModel | None = None
        self._reason = "no model has been released to this endpoint yet"
        self._cold = True
        if settings.package is None:
            return
        try:
            self._model = source()
        except (Exception, SystemExit) as error:  # noqa: BLE001  (a model's code can raise anything)
            self._reason = f"the model could not be loaded: {_told(error)}"
            self._telemetry.not_loaded(error, self._reason)

    def __call__(self, event: object, context: object) -> dict[str, object]:
        """The answer to one event. Never raises, whatever the event holds."""
        started = time.perf_counter_ns()
        cold, self._cold = self._cold, False
        request_id = str(getattr(context, "aws_request_id", ""))
        version = str(getattr(context, "function_version", ""))
        smoke = is_smoke(event)
        asked = None
        headers: Mapping[str, str] = {}
        try:
            asked = route(event, self._settings.endpoint)
            model = self._loaded(smoke=smoke)
            status = 200
            if asked is Route.INVOKE:
                body = self._predict(model, event)
            else:
                body = self._describe(model, version)
        except Problem as problem:
            status, body, headers = problem.status, problem.body(), problem.headers
        except ModelFault as fault:
            cause = fault.__cause__ or fault
            self._telemetry.fault(str(fault), cause, version=version, request_id=request_id)
            # Only the smoke test is told what the exception says: it may quote the request.
            detail = f"{fault}: {_told(cause)}" if smoke else str(fault)
            status, body = 500, Problem(500, detail).body()
        if asked is Route.INVOKE and not smoke:
            self._telemetry.request(
                version,
                latency_ms=(time.perf_counter_ns() - started) / 1e6,
                failed=status >= 500,
                cold=cold,
            )
        return answer(status, body, request_id=request_id, version=version, headers=headers)

    def _loaded(self, *, smoke: bool) -> LoadedModel:
        if self._model is not None:
            return self._model
        released = self._settings.package is not None
        detail = "the model could not be loaded" if released and not smoke else self._reason
        raise Problem(503, detail)

    def _predict(self, model: LoadedModel, event: object) -> str:
        instances = read_instances(event, model.manifest.inputs, self._settings.max_body)
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
        if (
            len(body) > MAX_ANSWER // 2
            and len(body) + body.count('"') + body.count("\\") > MAX_ANSWER
        ):
            raise Problem(413, f"the answer to {count} instances is too large: send fewer at once")
        return body

    def _describe(self, model: LoadedModel, version: str) -> str:
        manifest = model.manifest
        return as_json(
            {
                "endpoint": self._settings.endpoint,
                "version": version,
                "deployment": self._settings.deployment,
                "package": {"name": manifest.name, "digest": model.digest},
                "flavor": manifest.flavor,
                "description": manifest.description,
                "inputs": fields_as_given(manifest.inputs),
                "outputs": fields_as_given(manifest.outputs),
                "samples": [{"instances": sample.instances} for sample in manifest.samples],
            }
        )


def start(
    settings: Settings, artifacts: Artifacts, *, root: Path | None = None, write: Write = to_stdout
) -> ModelServer:
    """A server whose model is installed in ``root`` (a folder of this user's below the system's
    temporary one) and loaded.
    """
    folder = root or Path(tempfile.gettempdir()) / f"halftone-{os.getuid()}"

    def source() -> LoadedModel:
        digest = settings.package or ""
        return load(*install(digest, artifacts, folder), digest)

    return ModelServer(settings, source, write=write)


def _told(error: BaseException) -> str:
    return str(error) if isinstance(error, HalftoneError) else f"{type(error).__name__}: {error}"
