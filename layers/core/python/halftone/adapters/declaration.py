"""An ``endpoint.yaml`` on disk, with the package that it names."""

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from halftone.adapters.folder import BuiltPackage, open_package
from halftone.domain.errors import InvalidInput
from halftone.domain.spec import EndpointSpec, parse_spec

FILE = "endpoint.yaml"


@dataclass(frozen=True)
class Declared:
    """An endpoint, the package that it is to serve, and the file that says so."""

    spec: EndpointSpec
    package: BuiltPackage
    source: Path


def read_spec(source: Path) -> EndpointSpec:
    """What the file says.

    Raises:
        InvalidInput: naming the file, the field, its value and what was expected.
    """
    try:
        return parse_spec(_read(source))
    except InvalidInput as error:
        raise InvalidInput(error.field, error.value, error.expected, source=str(source)) from None


def open_declaration(source: Path) -> Declared:
    """What the file says, and the package that its ``model`` leads to.

    Raises:
        InvalidInput: naming the file, the field, its value and what was expected.
    """
    spec = read_spec(source)
    package = source.parent / spec.model
    if not package.exists():
        raise InvalidInput(
            "model", spec.model, f"a model package below {source.parent}", source=str(source)
        )
    return Declared(spec, open_package(package), source)


def _read(source: Path) -> object:
    try:
        # A safe loader, with one rule more.
        return yaml.load(source.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506
    except OSError as error:
        raise InvalidInput(FILE, error.strerror, "a file that can be read") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f"line {mark.line + 1}" if mark else "content"
        raise InvalidInput(line, error.problem, "YAML") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidInput("content", str(error), "YAML in UTF-8") from None


class _Loader(yaml.SafeLoader):
    """YAML where a name given twice is an error: the second one would win unseen."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key, _ in node.value:
            name = self.construct_object(key, deep=True)
            if name in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"{name} is given twice", problem_mark=key.start_mark
                )
            seen.add(name)
        return super().construct_mapping(node, deep=deep)
