"""``halftone release``: a package, on its way to all traffic of an endpoint."""

import re
from pathlib import Path
from typing import Annotated

import typer

from halftone.domain.errors import InvalidInput, InvalidPackage
from halftone.domain.names import checked_name
from halftone.domain.rollout.plan_schema import dump_plan
from halftone.packaging.endpoint_yaml import FILE, read_spec
from halftone.packaging.folder import BuiltPackage, open_package
from halftone_cli.commands.changing import MessageOption, watch_to_the_end
from halftone_cli.commands.options import endpoint_names
from halftone_cli.commands.uploads import upload
from halftone_cli.console import note, one_line, say_json, show
from halftone_cli.control.api import Json
from halftone_cli.local.plans import chosen_plan
from halftone_cli.local.samples import sample_faults
from halftone_cli.stage.session import Session

_MODEL = re.compile(r"[a-z][a-z0-9-]*(:[0-9]+|@[a-z][a-z0-9-]*)")


def release(
    session: Session,
    package: Annotated[
        str,
        typer.Argument(
            metavar="PACKAGE",
            help="A package's folder or zip, or a model of the registry: name:number, name@alias.",
            show_default=False,
        ),
    ],
    *,
    endpoint: Annotated[
        str | None,
        typer.Option(
            "--endpoint",
            "-e",
            metavar="ENDPOINT",
            help="To which endpoint; else that of the endpoint.yaml above PACKAGE.",
            show_default=False,
            autocompletion=endpoint_names,
        ),
    ] = None,
    plan: Annotated[
        str | None,
        typer.Option(
            metavar="PLAN",
            help="A preset, or a file: an endpoint.yaml or a plan; else that of the endpoint.yaml "
            "above PACKAGE, else that of the last release.",
            show_default=False,
        ),
    ] = None,
    message: MessageOption = "",
    supersede: Annotated[
        bool, typer.Option("--supersede", help="End a rollout that is under way.")
    ] = False,
    run: Annotated[
        bool, typer.Option("--run/--no-run", help="Check the samples here first.")
    ] = True,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Watch the rollout until it is over.")
    ] = False,
) -> None:
    """Release a model package to an endpoint.

    The package is checked, its samples are checked here as `halftone package` does, and it is
    uploaded. Then its rollout begins: it is published, its samples are checked again where it runs,
    and it gets traffic step by step as the plan says. The endpoint must have been deployed once
    (cdk deploy), and the package must take what the champion takes and answer what it answers,
    unless the endpoint is disabled. What its plan can't do at the traffic of the last hour is told
    on stderr, as `halftone plan preview` does. With --watch the exit code is that of `rollout
    watch`.

    \b
    Examples:
      halftone release endpoints/fraud/models/v2 --message "trained on May"
      halftone release fraud-model:7 --endpoint fraud --plan all-at-once --watch
    """
    local = Path(package).exists()
    if not local and not _MODEL.fullmatch(package):
        expected = "a package's folder or zip, or a model as name:number or name@alias"
        raise InvalidInput("PACKAGE", package, expected)
    declaration = _declaration(Path(package)) if local else None
    name = _endpoint(endpoint, declaration)
    wanted: Json = {"message": message, "supersede": supersede}
    if plan is not None:
        wanted["plan"] = dump_plan(chosen_plan(plan))
    elif declaration is not None:
        wanted["plan"] = dump_plan(read_spec(declaration).plan)
    if local:
        built = _checked(session, Path(package), run=run)
        upload(session, name, built)
        wanted["digest"] = built.digest
    else:
        wanted["model"] = package
    begun: Json = session.control.post(f"/endpoints/{name}/releases", wanted).json
    for warning in begun["warnings"]:
        note(f"warning: {warning}")
    if watch and begun["rollout"] is not None:
        raise typer.Exit(watch_to_the_end(session, name))
    _tell(session, begun)


def _declaration(package: Path) -> Path | None:
    """The nearest endpoint.yaml above a package."""
    above = (folder / FILE for folder in package.resolve().parents)
    return next((file for file in above if file.is_file()), None)


def _endpoint(given: str | None, declaration: Path | None) -> str:
    if given is not None:
        return checked_name("--endpoint", given)
    if declaration is None:
        raise InvalidInput("--endpoint", None, f"an endpoint, where no {FILE} stands above PACKAGE")
    return read_spec(declaration).name


def _checked(session: Session, path: Path, *, run: bool) -> BuiltPackage:
    built = open_package(path, session.stage.target, tell=note)
    for warning in built.warnings:
        note(f"warning: {warning}")
    faults = sample_faults(built) if run else []
    if faults:
        expected = "answers as the samples say: see `halftone package`"
        raise InvalidPackage("samples", "; ".join(faults), expected, source=str(path))
    return built


def _tell(session: Session, begun: Json) -> None:
    if session.as_json:
        say_json(begun)
        return
    name = begun["endpoint"]
    show(one_line(f"{name}: {begun['message']}"))
    if begun["rollout"] is not None:
        show(one_line(f"rollout {begun['rollout']}; `halftone rollout watch {name}` shows it"))
