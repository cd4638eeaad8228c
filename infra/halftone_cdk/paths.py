"""Where functions, locks and other inputs of a synth are, in a checkout and in an installed wheel.

A wheel carries the inputs in the folder ``assets`` of this package, and builds go to the user's
cache. A checkout has the same files at its top level, and builds go to ``build/``.
"""

from pathlib import Path

import halftone
from halftone.packaging.places import build_folder, pyodide

_PACKAGE = Path(__file__).resolve().parent
_ASSETS = _PACKAGE / "assets"
_CHECKOUT = None if _ASSETS.is_dir() else _PACKAGE.parents[1]


def _input(name: str, in_wheel: str | None = None) -> Path:
    return _CHECKOUT / name if _CHECKOUT else _ASSETS / (in_wheel or name)


HALFTONE = Path(halftone.__file__).resolve().parent
"""The package ``halftone``, wherever it is installed: the core layer's content."""

REQUIREMENTS = _input("requirements")
"""The locks of the vendor layers."""

FUNCTIONS = _input("functions")
"""One folder for each Lambda handler."""

OPENAPI = _input("docs/openapi.json", "openapi.json")
"""The control API's document."""

NODE_LOCK = _input("package-lock.json")
"""The lock that pins pyodide, and the CDK CLI that is tested with this library."""

BUILD = build_folder()
"""Where built layers and packages are kept. Their names follow from their content."""

__all__ = ["BUILD", "FUNCTIONS", "HALFTONE", "NODE_LOCK", "OPENAPI", "REQUIREMENTS", "pyodide"]
