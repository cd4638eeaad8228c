"""An ``endpoint.yaml`` on disk, with the package that it names."""

from dataclasses import dataclass
from pathlib import Path

from halftone.domain.endpoint.spec import EndpointSpec, load_spec
from halftone.domain.errors import InvalidInput
from halftone.domain.model.target import Target
from halftone.packaging.environment import Tell
from halftone.packaging.folder import BuiltPackage, open_package
from halftone.packaging.yaml import read_yaml

FILE = "endpoint.yaml"
_DEFAULT = Target()


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
        return load_spec(_read(source))
    except InvalidInput as error:
        raise InvalidInput(error.field, error.value, error.expected, source=str(source)) from None


def open_declaration(
    source: Path, target: Target = _DEFAULT, *, tell: Tell = lambda _: None
) -> Declared:
    """What the file says, and the package that its ``model`` leads to, built for ``target``.

    Raises:
        InvalidInput: naming the file, the field, its value and what was expected.
    """
    spec = read_spec(source)
    package = source.parent / spec.model
    if not package.exists():
        raise InvalidInput(
            "model", spec.model, f"a model package below {source.parent}", source=str(source)
        )
    return Declared(spec, open_package(package, target, tell=tell), source)


def _read(source: Path) -> object:
    try:
        content = source.read_bytes()
    except OSError as error:
        raise InvalidInput(FILE, error.strerror, "a file that can be read") from None
    return read_yaml(content)
