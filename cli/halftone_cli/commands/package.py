"""``halftone package``: check a model package, and build it."""

import os
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from halftone.adapters.folder import open_package
from halftone.domain.errors import InvalidInput
from halftone.domain.signature import fields_as_given
from halftone_cli.context import Session
from halftone_cli.output import one_line, say_json, show


def package(
    session: Session,
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH", help="A folder with model.yaml, or a built zip.", show_default=False
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write the zip there.", show_default=False
        ),
    ] = None,
) -> None:
    """Check a model package, and build it.

    Prints the digest that names it. The same content has the same digest on every machine. The
    model is not run. Needs no stage and no credentials.

    \b
    Examples:
      halftone package examples/digits/models/champion
      halftone package models/champion -o champion.zip
    """
    built = open_package(path)
    if output is not None:
        _write(output, built.data, source=path)
    manifest = built.manifest
    facts = {
        "name": manifest.name,
        "digest": built.digest,
        "bytes": len(built.data),
        "flavor": manifest.flavor.value,
        "entry": manifest.entry,
        "samples": len(manifest.samples),
    }
    if session.as_json:
        signature = {
            "description": manifest.description,
            "inputs": fields_as_given(manifest.inputs),
            "outputs": fields_as_given(manifest.outputs),
            "output": str(output) if output else None,
        }
        say_json({**facts, **signature})
        return
    written = {"written": output} if output else {}
    for name, value in {**facts, **written}.items():
        show(f"{name:<8} {one_line(str(value))}")


def _write(target: Path, data: bytes, *, source: Path) -> None:
    """Write all of ``data`` or nothing."""
    if source.is_dir() and target.resolve().is_relative_to(source.resolve()):
        expected = f"a file outside {source}: it would become part of the package"
        raise InvalidInput("--output", str(target), expected)
    try:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise _unwritable(target, error) from None
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        part.chmod(0o644)
        part.replace(target)
    except OSError as error:
        raise _unwritable(target, error) from None
    finally:
        part.unlink(missing_ok=True)


def _unwritable(target: Path, error: OSError) -> InvalidInput:
    return InvalidInput("--output", str(target), f"a file that can be written ({error.strerror})")
