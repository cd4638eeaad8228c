"""The model server: a plain Lambda handler around one loaded model.

A model is loaded when the server starts, before traffic. One that could not be loaded is kept as
its reason and answered as 503, so that the smoke test reads why instead of watching a crash loop.
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from halftone.domain.errors import HalftoneError
from halftone.serving.answers import Answer, ModelFault, Problem, payload
from halftone.serving.artifacts import Artifacts
from halftone.serving.context import context_of
from halftone.serving.install import install
from halftone.serving.loading import LoadedModel, load
from halftone.serving.protocol import Request, is_smoke, route, spoken
from halftone.serving.recent import Recent
from halftone.serving.settings import Settings
from halftone.serving.telemetry import Telemetry, Write, to_stdout
from halftone.serving.telling import tell

if TYPE_CHECKING:
    from halftone.serving.scoring import Scorer

Source = Callable[[], LoadedModel]


class ModelServer:
    """Answers HTTP API events by one model, which ``source`` loads right now or never."""

    def __init__(self, settings: Settings, source: Source, *, write: Write = to_stdout) -> None:
        self._settings = settings
        self._telemetry = Telemetry(settings.endpoint, settings.late_after_ms, write)
        self._scorer: Scorer | None = None
        self._reason = "no model has been released to this endpoint yet"
        self._recent = Recent()
        self._cold = True
        if settings.package is None:
            return
        try:
            model = source()
            # Imported here: it needs msgspec, which a server without a model does without.
            from halftone.serving import scoring  # noqa: PLC0415

            self._scorer = scoring.Scorer(model, settings.endpoint, settings.max_body)
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
        request = None
        try:
            request = route(event, self._settings.endpoint)
            answer = self._answer(request, version, request_id, smoke=smoke)
        except Problem as problem:
            answer = problem.answer(spoken(event))
        except ModelFault as fault:
            cause = fault.__cause__ or fault
            self._telemetry.fault(str(fault), cause, version=version, request_id=request_id)
            # Only the smoke test is told what the exception says: it may quote the request.
            detail = f"{fault}: {_told(cause)}" if smoke else str(fault)
            answer = Problem(500, detail).answer(spoken(event))
        if request is not None and request.predicts and not smoke:
            latency_ms = (time.perf_counter_ns() - started) / 1e6
            failed = answer.status >= 500
            self._recent.add(latency_ms=latency_ms, failed=failed)
            self._telemetry.request(version, latency_ms=latency_ms, failed=failed, cold=cold)
        return payload(answer, request_id=request_id, version=version)

    def _answer(self, request: Request, version: str, request_id: str, *, smoke: bool) -> Answer:
        released = self._settings.package is not None
        hidden = self._scorer is None and released and not smoke
        reason = "the model could not be loaded" if hidden else self._reason
        if not request.predicts:
            return tell(
                self._scorer.model if self._scorer else None,
                request,
                self._settings,
                version=version,
                recent=self._recent,
                reason=reason,
            )
        if self._scorer is None:
            raise Problem(503, reason)
        wanted = self._scorer.model.manifest.headers
        context = context_of(request.headers, wanted, request_id=request_id)
        return self._scorer.score(request, context, version=version)


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
