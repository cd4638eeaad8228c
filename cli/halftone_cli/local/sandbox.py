"""A model package at work on this machine, by the very server that runs on Lambda."""

import contextlib
import shlex
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from halftone.domain.endpoint.spec import EndpointSpec
from halftone.domain.model.manifest import Manifest
from halftone.domain.model.smoke_test import check_answer, smoke_event
from halftone.domain.names import package_key
from halftone.packaging.folder import BuiltPackage
from halftone.serving.app import start
from halftone.serving.inference.artifacts import FolderArtifacts
from halftone.serving.settings import Settings
from halftone_cli.local.flavor_environment import model_environment
from halftone_cli.local.gateway import (
    MAX_REQUEST,
    HttpRequest,
    HttpResponse,
    Invocation,
    event_of,
    gateways_own,
    response_of,
)
from halftone_cli.local.worker_server import WorkerServer, offer_environment

VERSION = "local"
"""What answers call the version that gave them: none was published."""

Write = Callable[[str], object]
Server = Callable[[object, object], dict[str, object]]


@dataclass(frozen=True)
class Limits:
    """What an endpoint's declaration says about the function around the model."""

    endpoint: str
    timeout: timedelta
    late_after: timedelta
    max_body: int

    @classmethod
    def of(cls, spec: EndpointSpec) -> "Limits":
        """Those of a declaration."""
        return cls(spec.name, spec.timeout, spec.late_after, spec.max_body)


class Sandbox:
    """One function instance: a loaded model, and one request at a time.

    ``folder`` is where packages are kept and unpacked. ``log`` takes the lines that CloudWatch
    would; what the model itself prints goes to stderr.
    """

    def __init__(self, built: BuiltPackage, limits: Limits, folder: Path, log: Write) -> None:
        self.built = built
        self.limits = limits
        self._folder = folder
        self._log = log
        self._turn = threading.Lock()
        self._server = self._loaded()

    def close(self) -> None:
        """End what runs beside this process."""
        if isinstance(self._server, WorkerServer):
            self._server.close()

    def faults(self) -> list[str]:
        """What is wrong with the answers to the package's own samples, as a release asks them."""
        faults = []
        samples = self.built.manifest.samples
        for number, sample in enumerate(samples, start=1):
            event = smoke_event(self.limits.endpoint, sample)
            why = check_answer(sample, self._invoke(event) or {"errorMessage": self._late()})
            if why:
                faults.append(f"sample {number} of {len(samples)}: {why}")
        return faults

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer to a request, as a client would get it through API Gateway."""
        if len(request.body) > MAX_REQUEST:
            return gateways_own(413)
        with self._turn:
            response = self._invoke(event_of(request, datetime.now(UTC)))
            if response is None:
                self._log(self._late())
                self.close()
                self._server = self._loaded()  # Lambda gives the next request a new instance
                return gateways_own(503)
            if isinstance(self._server, WorkerServer) and self._server.ended:
                self._server.close()
                self._server = self._loaded()
        return response_of(response)

    def _invoke(self, event: dict[str, object]) -> dict[str, object] | None:
        """What the function answers; None if it takes longer than it may."""
        seconds = self.limits.timeout.total_seconds()
        context = Invocation(self.limits.endpoint, VERSION, seconds)
        server, answers = self._server, []

        def work() -> None:
            answers.append(server(event, context))

        # A thread can't be ended: one that hangs is left behind, as a daemon, for the exit's sake.
        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        worker.join(seconds)
        return answers[0] if answers else None

    def _late(self) -> str:
        return (
            f"the model took longer than the timeout of {self.limits.timeout.total_seconds():g} s"
        )

    def _loaded(self) -> Server:
        archive = self._folder / package_key(self.built.digest)
        archive.parent.mkdir(parents=True, exist_ok=True)
        archive.write_bytes(self.built.data)
        settings = Settings(
            endpoint=self.limits.endpoint,
            artifacts=str(self._folder),
            late_after_ms=self.limits.late_after.total_seconds() * 1000,
            max_body=self.limits.max_body,
            deployment=VERSION,
            package=self.built.digest,
        )
        environment = self.built.manifest.environment
        if environment is not None:
            has = model_environment(self.built)
            offer_environment(self._folder, environment.digest, has.environment)
            return WorkerServer(settings, self._folder, has, self._log)
        root = self._folder / "installed"
        return start(settings, FolderArtifacts(self._folder), root=root, write=self._log)


@contextmanager
def prints_to_stderr() -> Iterator[None]:
    """What a model prints must not get between the lines that a command prints on stdout."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


def example_call(base: str, endpoint: str, manifest: Manifest) -> tuple[str, str]:
    """The URL at which the package's first sample is asked, and a curl line that asks it."""
    event: dict[str, Any] = smoke_event(endpoint, manifest.samples[0])
    url, method = f"{base}{event['rawPath']}", event["requestContext"]["http"]["method"]
    command = ["curl", "-sS"] if method == "POST" else ["curl", "-sS", "-X", method]
    if event.get("body"):
        command += ["-H", "content-type: application/json", "-d", event["body"]]
    return url, shlex.join([*command, url])
