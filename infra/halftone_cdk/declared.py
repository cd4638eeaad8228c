"""Endpoints as folders declare them: each ``*/endpoint.yaml`` below one folder is an endpoint."""

from pathlib import Path

from halftone.domain.errors import InvalidInput
from halftone.packaging.endpoint_yaml import FILE, Declared, open_declaration


def declared_endpoint(source: Path) -> Declared:
    """The specification and the package that ``source``, an ``endpoint.yaml``, declares.

    Raises:
        InvalidInput: naming the file, the field, its value and what was expected.
    """
    return open_declaration(source)


def declared_endpoints(folder: Path) -> list[Declared]:
    """All endpoints below ``folder``, in the order of their folders' names.

    Raises:
        InvalidInput: naming the file, the field, its value and what was expected.
    """
    sources = sorted(folder.glob(f"*/{FILE}"))
    if not sources:
        raise InvalidInput("endpoints", str(folder), f"a folder with at least one */{FILE}")
    declared: dict[str, Declared] = {}
    for source in sources:
        endpoint = declared_endpoint(source)
        name = endpoint.spec.name
        if name in declared:
            other = declared[name].source
            raise InvalidInput("name", name, f"another name: {other} has it", source=str(source))
        declared[name] = endpoint
    return list(declared.values())
