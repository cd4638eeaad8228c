"""The model server: a plain Lambda handler around one loaded model.

Three kinds of events reach it: the engine's smoke test, which asks this very version; a hop from a
front of the same function; and clients' requests, for which it is the front itself.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from halftone.domain.endpoint.route_table import RouteConfig
from halftone.domain.model.smoke_test import MARK
from halftone.serving.gateway.backend import Backend
from halftone.serving.gateway.background import AtOnce, BackgroundTasks, background_tasks
from halftone.serving.gateway.frontend import Frontend
from halftone.serving.gateway.upstream import LambdaUpstream, NoUpstream, Upstream
from halftone.serving.http.request import route, spoken
from halftone.serving.http.response import Problem, to_lambda
from halftone.serving.inference.artifacts import Artifacts
from halftone.serving.inference.install import enter_environment, install
from halftone.serving.inference.loader import LoadedModel, load
from halftone.serving.inference.model_server import LocalModel, Source
from halftone.serving.invocation import Invocation, mark_of
from halftone.serving.routing.config_cache import Fixed, RouteConfigCache, Table
from halftone.serving.routing.ledger import Ledger, MemoryLedger, TableLedger
from halftone.serving.settings import Settings
from halftone.serving.telemetry.metrics import Telemetry, Write, to_stdout


class ModelServer:
    """Answers HTTP API events by one model, which ``source`` loads right now or never.

    Without ``known``, ``hop`` and ``afterwards`` it is alone: it answers everybody itself.
    """

    def __init__(
        self,
        settings: Settings,
        source: Source,
        *,
        write: Write = to_stdout,
        cache: RouteConfigCache | None = None,
        upstream: Upstream | None = None,
        background: BackgroundTasks | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        telemetry = Telemetry(settings.endpoint, settings.late_after_ms, write)
        cache = cache or RouteConfigCache(Fixed(RouteConfig(settings.endpoint, 0)))
        self._endpoint = settings.endpoint
        self._telemetry = telemetry
        self._model = LocalModel(settings, source, telemetry, cache)
        ledger = ledger or MemoryLedger()
        self._backend = Backend(settings.endpoint, self._model, telemetry, ledger, cache)
        self._background = background or AtOnce()
        self._frontend = Frontend(
            settings,
            self._model,
            telemetry,
            cache=cache,
            upstream=upstream or NoUpstream(),
            background=self._background,
            ledger=ledger,
        )
        self._version = settings.version
        self._cold = True
        self.prepare()

    def __call__(self, event: object, context: object) -> dict[str, object]:
        """The answer to one event. Never raises, whatever the event holds."""
        cold, self._cold = self._cold, False
        invocation = Invocation.of(context, cold=cold)
        try:
            mark = mark_of(event)
            if isinstance(mark, dict):
                return self._backend.handle(event, mark, invocation)
            if mark == MARK:
                return self._smoke(event, invocation)
            return self._frontend.handle(event, invocation)
        except Exception as error:  # noqa: BLE001
            # A function that fails counts against its version, be it for a client's input. A fault
            # of Halftone's own is an answer and a line in the log, and counts against nobody.
            self._telemetry.fault(
                "internal error",
                error,
                version=invocation.version,
                request_id=invocation.request_id,
            )
            answer = Problem(500, "internal error").to_response(spoken(event))
            named = f"{invocation.request_id}.{invocation.version}"
            return to_lambda(answer, request_id=named, version=invocation.version)
        finally:
            self._background.answered()

    def prepare(self) -> None:
        """Get ready for traffic: read the dispatch, and make what passes requests on."""
        self._frontend.prepare(self._version)

    def _smoke(self, event: object, invocation: Invocation) -> dict[str, object]:
        version, request_id = invocation.version, invocation.request_id
        try:
            request = route(event, self._endpoint)
            answer = self._model.respond(
                request, version=version, request_id=request_id, smoke=True
            )
        except Problem as problem:
            answer = problem.to_response(spoken(event))
        return to_lambda(answer, request_id=f"{request_id}.{version}", version=version)


def start(
    settings: Settings, artifacts: Artifacts, *, root: Path | None = None, write: Write = to_stdout
) -> ModelServer:
    """A server whose model is installed in ``root`` (a folder of this user's below the system's
    temporary one) and loaded.
    """
    folder = root or Path(tempfile.gettempdir()) / f"halftone-{os.getuid()}"

    def source() -> LoadedModel:
        digest = settings.package or ""
        package, manifest = install(digest, artifacts, folder)
        if manifest.environment is not None:
            enter_environment(manifest.environment, artifacts, folder)
        return load(package, manifest, digest)

    if settings.package is None or settings.table is None or settings.function is None:
        return ModelServer(settings, source, write=write)
    table, hop = Table(settings.endpoint, settings.table), LambdaUpstream(settings.function)
    ledger = TableLedger(settings.endpoint, settings.table)
    server = ModelServer(
        settings,
        source,
        write=write,
        cache=RouteConfigCache(table),
        upstream=hop,
        background=background_tasks(settings.runtime_api),
        ledger=ledger,
    )

    def restored() -> None:
        # What was connected when the snapshot was taken is not any more, and what was read is old.
        table.disconnect()
        ledger.disconnect()
        hop.disconnect()
        server.prepare()

    _after_restore(restored)
    return server


def _after_restore(work: Callable[[], None]) -> None:
    """Have ``work`` done when Lambda resumes a snapshot, where there are snapshots."""
    try:
        from snapshot_restore_py import register_after_restore  # noqa: PLC0415
    except ImportError:
        return
    register_after_restore(work)
