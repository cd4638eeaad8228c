"""``halftone import``: a model of an MLflow registry, registered and released."""

import re
import tempfile
import uuid
from pathlib import Path
from typing import Annotated

import typer

from halftone.domain.errors import InvalidInput, InvalidPackage
from halftone.domain.names import checked_name
from halftone.domain.rollout.phase import Phase
from halftone.packaging.folder import open_package
from halftone_cli.commands.changing import MessageOption, watch_to_the_end
from halftone_cli.commands.options import endpoint_names
from halftone_cli.commands.uploads import upload
from halftone_cli.console import note, one_line, say_json, show
from halftone_cli.control.api import Json
from halftone_cli.local.mlflow_registry import SavedModel, download, find, write_back
from halftone_cli.local.samples import sample_faults
from halftone_cli.stage.session import Session
from halftone_cli.views.reading import read

PERIOD = 30.0
"""Seconds between two looks at an alias that is followed."""


def import_model(
    session: Session,
    uri: Annotated[
        str,
        typer.Argument(
            metavar="URI",
            help="models:/NAME@ALIAS, models:/NAME/VERSION or runs:/RUN/PATH.",
            show_default=False,
        ),
    ],
    *,
    endpoint: Annotated[
        str,
        typer.Option(
            "--endpoint",
            "-e",
            metavar="ENDPOINT",
            help="The endpoint that is to serve it.",
            show_default=False,
            autocompletion=endpoint_names,
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The model's name here; else MLflow's.", show_default=False
        ),
    ] = None,
    release: Annotated[
        bool, typer.Option("--release", help="Release it to the endpoint, too.")
    ] = False,
    follow: Annotated[
        bool,
        typer.Option("--follow", help="Release each version that the alias comes to mean."),
    ] = False,
    back: Annotated[
        bool,
        typer.Option(
            "--write-back",
            help="Tag MLflow's version with the rollout's end, and point its alias champion.",
        ),
    ] = False,
    allow_pickle: Annotated[
        bool, typer.Option("--allow-pickle", help="Take a model that is a pickle: its code runs.")
    ] = False,
    run: Annotated[
        bool, typer.Option("--run/--no-run", help="Check the samples here first.")
    ] = True,
    message: MessageOption = "",
) -> None:
    """Import a model from an MLflow registry.

    The model becomes a package, with its own requirements, and a version of Halftone's registry
    with the parameters, metrics, tags and id of its run. MLFLOW_TRACKING_URI says where MLflow is;
    it must be installed beside this command. --release begins its rollout. --write-back waits for
    the end, and the exit code is that of `rollout watch`. --follow releases each version that the
    alias comes to mean, until ctrl-C.

    \b
    Examples:
      halftone import models:/churn@champion --endpoint churn
      halftone import models:/churn@candidate --endpoint churn --follow --write-back
    """
    if follow and "@" not in uri:
        raise InvalidInput("--follow", uri, "an alias to follow, such as models:/churn@champion")
    job = _Import(session, endpoint, name, allow_pickle, run, message)
    model = find(uri)
    if not follow:
        code = job.carried_out(model, release=release or back, back=back)
        if code:
            raise typer.Exit(code)
        return
    done: str | None = None
    while True:
        if model.version != done:
            job.carried_out(model, release=True, back=back)
            done = model.version
            note(f"following {uri}; ctrl-C ends it")
        try:
            session.sleep(PERIOD)
        except KeyboardInterrupt:
            return
        model = find(uri)


class _Import:
    """An import, as its options say."""

    def __init__(  # noqa: PLR0917
        self,
        session: Session,
        endpoint: str,
        name: str | None,
        allow_pickle: bool,
        run: bool,
        message: str,
    ) -> None:
        self._session = session
        self._endpoint = checked_name("--endpoint", endpoint)
        self._name = name
        self._allow_pickle = allow_pickle
        self._run = run
        self._message = message

    def carried_out(self, model: SavedModel, *, release: bool, back: bool) -> int:
        """Register the model, release it if so; the exit code of the rollout that was watched."""
        registered = self._registered(model)
        if self._session.as_json:
            say_json(registered)
        else:
            show(one_line(f"{model.uri} is {registered['model']}:{registered['number']}"))
        if not release:
            return 0
        wanted: Json = {
            "model": f"{registered['model']}:{registered['number']}",
            "message": self._message or f"imported from {model.uri}",
        }
        path = f"/endpoints/{self._endpoint}/releases"
        part = f"release-{uuid.uuid4().hex[:8]}"
        begun: Json = self._session.control.post(path, wanted, part=part).json
        note(one_line(f"{self._endpoint}: {begun['message']}"))
        if not back or begun["rollout"] is None:
            return 0
        code = int(watch_to_the_end(self._session, self._endpoint))
        rollout = read(self._session.stage.ports, self._endpoint).state.rollout
        phase = rollout.phase if rollout else Phase.FAILED
        promoted = phase is Phase.PROMOTED
        write_back(model, endpoint=self._endpoint, phase=phase.value, promoted=promoted)
        note(f"MLflow's {model.name} version {model.version} is tagged {phase}")
        return code

    def _registered(self, model: SavedModel) -> Json:
        session, name = self._session, self._name or _named(model.name)
        with tempfile.TemporaryDirectory(prefix="halftone-") as scratch:
            folder = download(
                model,
                Path(scratch),
                name=checked_name("--name", name),
                allow_pickle=self._allow_pickle,
            )
            built = open_package(folder, session.stage.target, tell=note)
            faults = sample_faults(built) if self._run else []
            if faults:
                expected = "answers as the samples say: see `halftone package`"
                raise InvalidPackage("samples", "; ".join(faults), expected, source=model.uri)
            upload(session, self._endpoint, built)
        body: Json = {"digest": built.digest, **model.details, "message": f"from {model.uri}"}
        part = f"register-{uuid.uuid4().hex[:8]}"
        answer: Json = session.control.post(f"/models/{name}/versions", body, part=part).json
        return answer


def _named(name: str) -> str:
    """A name of MLflow's as one of Halftone's."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return plain[:32].rstrip("-") or "model"
