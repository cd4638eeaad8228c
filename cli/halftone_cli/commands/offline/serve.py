"""``halftone serve``: a package on a port of this machine, as Lambda would run it."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from halftone_cli.commands.targets import ArchitectureOption, RuntimeOption, target_of
from halftone_cli.console import note, one_line, say_json, show
from halftone_cli.local.sandbox import example_call, prints_to_stderr
from halftone_cli.local.server import LocalEndpoint, Source, listening
from halftone_cli.stage.session import Session

PERIOD = 0.5
"""Seconds between two looks at the package's files."""


def serve(
    session: Session,
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH",
            help="A folder with endpoint.yaml or model.yaml, or a built zip.",
            show_default=False,
        ),
    ] = Path(),
    *,
    port: Annotated[int, typer.Option(metavar="PORT", help="The port; 0 takes a free one.")] = 8080,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The address to listen on.")
    ] = "127.0.0.1",
    log: Annotated[
        bool, typer.Option("--log", help="Show all lines of the function's log, metrics, too.")
    ] = False,
    runtime: RuntimeOption = None,
    architecture: ArchitectureOption = None,
) -> None:
    """Serve a model package on this machine, exactly as Lambda would.

    Each request becomes the event that API Gateway would make of it, and is answered by the model
    server that runs on Lambda, one request at a time, within the endpoint's timeout and body limit.
    A changed file is taken in at once. Ctrl-C ends it. Needs no stage and no credentials.

    \b
    Examples:
      halftone serve examples/digits
      halftone serve models/v1 --port 9000 --log
    """
    say = note if log else _but_metrics
    target = target_of(runtime, architecture, local=session.where.local)
    source = Source(path, target, note)
    with tempfile.TemporaryDirectory(prefix="halftone-", ignore_cleanup_errors=True) as folder:
        with prints_to_stderr():
            endpoint = LocalEndpoint(source, Path(folder), log=say, note=note)
            faults = endpoint.sandbox.faults()
        with listening(endpoint, host, port) as base:
            _tell(session, endpoint, base)
            for warning in endpoint.sandbox.built.warnings:
                note(f"warning: {warning}")
            for fault in faults:
                note(f"warning: {fault}: a release would refuse it")
            with prints_to_stderr():
                _until_interrupted(session, endpoint)
        endpoint.sandbox.close()
    note("stopped")


def _until_interrupted(session: Session, endpoint: LocalEndpoint) -> None:
    try:
        while True:
            session.sleep(PERIOD)
            endpoint.reload()
    except KeyboardInterrupt:
        return


def _tell(session: Session, endpoint: LocalEndpoint, base: str) -> None:
    ref, name = endpoint.sandbox.built.ref, endpoint.sandbox.limits.endpoint
    url, curl = example_call(base, name, endpoint.sandbox.built.manifest)
    if session.as_json:
        package = {"name": ref.name, "digest": ref.digest}
        say_json({"endpoint": name, "url": url, "package": package, "curl": curl})
        return
    show(one_line(f"serving {ref} as {name} at {base}; ctrl-C ends it"))
    show(curl)


def _but_metrics(line: str) -> None:
    """A line of the log, unless it counts a request: what is left says why an answer was a 5xx."""
    if '"_aws":' not in line:
        note(line)
