"""``halftone package``: check a model package, and build it."""

from pathlib import Path
from typing import Annotated

import typer

from halftone.domain.errors import InvalidInput
from halftone.domain.model.schema import fields_as_given
from halftone.packaging.folder import open_package
from halftone_cli.commands.targets import ArchitectureOption, RuntimeOption, target_of
from halftone_cli.console import note, one_line, say_json, show
from halftone_cli.errors import NO
from halftone_cli.local.environment_facts import environment_facts
from halftone_cli.local.files import write_whole
from halftone_cli.local.samples import sample_faults
from halftone_cli.stage.session import Session


def package(
    session: Session,
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH", help="A folder with model.yaml, or a built zip.", show_default=False
        ),
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write the zip there.", show_default=False
        ),
    ] = None,
    run: Annotated[
        bool, typer.Option("--run/--no-run", help="Load the model, and check its samples.")
    ] = True,
    runtime: RuntimeOption = None,
    architecture: ArchitectureOption = None,
) -> None:
    """Check a model package, and build it.

    Prints the digest that names it. The same content has the same digest on every machine. With
    --run, the default, it loads the model and checks its answers to the package's samples, and that
    it answers two records in one request. The model runs in a process with exactly the packages
    that its flavor has on Lambda, and those of its `requirements`; they are installed at first use,
    for which uv needs a package index. After a wrong answer nothing is written, and the exit code
    is 1. Needs no stage and no credentials.

    \b
    Examples:
      halftone package examples/digits/models/champion
      halftone package models/champion -o champion.zip
      halftone package models/trees --runtime python3.12 --architecture arm64
    """
    target = target_of(runtime, architecture, local=session.where.local)
    built = open_package(path, target, tell=note)
    for warning in built.warnings:
        note(f"warning: {warning}")
    faults = sample_faults(built) if run else []
    if output is not None and not faults:
        _write(output, built.data, source=path)
    manifest = built.manifest
    facts = {
        "name": manifest.name,
        "digest": built.digest,
        "bytes": len(built.data),
        "flavor": manifest.flavor.value,
        "entry": manifest.entry,
        "samples": len(manifest.samples),
        **environment_facts(built),
        "answered": max(0, len(manifest.samples) - len(faults)) if run else None,
    }
    if session.as_json:
        signature = {
            "description": manifest.description,
            "inputs": fields_as_given(manifest.inputs),
            "outputs": fields_as_given(manifest.outputs),
            "output": str(output) if output and not faults else None,
            "faults": faults,
        }
        say_json({**facts, **signature})
    else:
        written = {"written": output} if output and not faults else {}
        lines = {**facts, **written}
        width = max(8, *(len(name) for name in lines))
        for name, value in lines.items():
            show(f"{name:<{width}} {'not asked' if value is None else one_line(str(value))}")
    for fault in faults:
        note(fault)
    if faults:
        raise typer.Exit(NO.code)


def _write(target: Path, data: bytes, *, source: Path) -> None:
    if source.is_dir() and target.resolve().is_relative_to(source.resolve()):
        expected = f"a file outside {source}: it would become part of the package"
        raise InvalidInput("--output", str(target), expected)
    write_whole(target, data, option="--output")
