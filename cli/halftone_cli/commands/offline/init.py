"""``halftone init``: a new endpoint with a package that works."""

import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from halftone.domain.errors import InvalidInput
from halftone.domain.names import checked_name
from halftone_cli.console import one_line, say_json, show
from halftone_cli.local import scaffold
from halftone_cli.local.scaffold import Files, Flavor
from halftone_cli.stage.session import Session


def init(
    session: Session,
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH",
            help="The folder to make; its name is the endpoint's.",
            show_default=False,
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Call the endpoint so instead.", show_default=False),
    ] = None,
    model: Annotated[
        str, typer.Option(metavar="NAME", help="What to call its first model package.")
    ] = "v1",
    flavor: Annotated[
        Flavor,
        typer.Option(
            metavar="FLAVOR", help="python, onnx, or asgi: an app with routes of its own."
        ),
    ] = Flavor.PYTHON,
) -> None:
    """Make a new endpoint with a model package that works.

    Writes an endpoint.yaml, a package with samples, and a request to send (asgi: none). All of it
    is there, or nothing; what exists is never written over. Needs no stage and no credentials.

    Models of the flavors sklearn and mlflow are saved by these libraries: docs/serving.md says how.

    \b
    Examples:
      halftone init deliveries
      halftone init endpoints/deliveries --model blue
      halftone init deliveries --flavor onnx
    """
    called = checked_name("PATH" if name is None else "--name", name or path.absolute().name)
    files = scaffold.files(called, checked_name("--model", model), flavor)
    _write(path, files)
    if session.as_json:
        say_json({"endpoint": called, "folder": str(path), "files": sorted(files)})
        return
    for file in sorted(files):
        show(one_line(str(path / file)))
    show("next:")
    for verb, what in (("package", path / "models" / model), ("serve", path)):
        show(f"  halftone {verb} {one_line(str(what))}")


def _write(target: Path, files: Files) -> None:
    """Write all of ``files`` below ``target`` or nothing, and over nothing."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InvalidInput("PATH", str(target), "a folder that does not exist, or is empty")
    half = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        half = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
        for name, data in files.items():
            path = half / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        half.chmod(0o755)
        half.replace(target)
    except OSError as error:
        expected = f"a folder that can be written ({error.strerror})"
        raise InvalidInput("PATH", str(target), expected) from None
    finally:
        if half is not None:
            shutil.rmtree(half, ignore_errors=True)
