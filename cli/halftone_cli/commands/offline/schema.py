"""``halftone schema``: the JSON schemas of the files that people write."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from halftone_cli.local import json_schemas
from halftone_cli.stage.session import Session


class File(StrEnum):
    """The files that have a schema."""

    ENDPOINT = "endpoint"
    MODEL = "model"


def schema(
    session: Session,  # noqa: ARG001 - JSON is all that it prints
    file: Annotated[
        File, typer.Argument(metavar="FILE", help="endpoint or model.", show_default=False)
    ],
) -> None:
    """Print the JSON schema of endpoint.yaml or model.yaml, for editors.

    An editor that knows YAML schemas then completes and checks fields. Name the schema in the
    file's first line: # yaml-language-server: $schema=endpoint.schema.json

    \b
    Examples:
      halftone schema endpoint > endpoint.schema.json
      halftone schema model > model.schema.json
    """
    sys.stdout.write(json_schemas.text(file.value))
