"""Endpoints as folders declare them: each ``*/endpoint.yaml`` below one folder is an endpoint."""

import sys
from pathlib import Path

from halftone.domain.errors import InvalidInput
from halftone.domain.model.target import Target
from halftone.packaging.endpoint_yaml import FILE, Declared, open_declaration
from halftone_cdk.settings import Settings


def declared_endpoint(source: Path, settings: Settings | None = None) -> Declared:
    """The specification and the package that ``source``, an ``endpoint.yaml``, declares.

    ``settings`` are those of the stage, for whose functions an environment is built.

    Raises:
        InvalidInput: naming the file, the field, its value and what was expected.
    """
    target = settings.target if settings else Target()
    declared = open_declaration(source, target, tell=_tell)
    for warning in declared.package.warnings:
        sys.stderr.write(f"warning: {warning}\n")
    return declared


def _tell(line: str) -> None:
    sys.stderr.write(f"{line} ...\n")


def declared_endpoints(folder: Path, settings: Settings | None = None) -> list[Declared]:
    """All endpoints below ``folder``, in the order of their folders' names.

    Raises:
        InvalidInput: naming the file, the field, its value and what was expected.
    """
    sources = sorted(folder.glob(f"*/{FILE}"))
    if not sources:
        raise InvalidInput("endpoints", str(folder), f"a folder with at least one */{FILE}")
    declared: dict[str, Declared] = {}
    for source in sources:
        endpoint = declared_endpoint(source, settings)
        name = endpoint.spec.name
        if name in declared:
            other = declared[name].source
            raise InvalidInput("name", name, f"another name: {other} has it", source=str(source))
        declared[name] = endpoint
    return list(declared.values())
