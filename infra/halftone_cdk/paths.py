"""Where functions, locks and other inputs of a synth are, in a checkout and in an installed wheel.

A wheel carries the inputs in the folder ``assets`` of this package, and builds go to the user's
cache. A checkout has the same files at its top level, and builds go to ``build/``.
"""

import os
from pathlib import Path

import halftone

_PACKAGE = Path(__file__).resolve().parent
_ASSETS = _PACKAGE / "assets"
_CHECKOUT = None if _ASSETS.is_dir() else _PACKAGE.parents[1]


def _input(name: str, in_wheel: str | None = None) -> Path:
    return _CHECKOUT / name if _CHECKOUT else _ASSETS / (in_wheel or name)


def _build_folder() -> Path:
    if _CHECKOUT:
        return _CHECKOUT / "build"
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "halftone"


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

BUILD = _build_folder()
"""Where built layers and packages are kept. Their names follow from their content."""


def pyodide() -> Path | None:
    """The npm package ``pyodide`` of the checkout, or of the folder that synthesises or above it.

    Returns:
        The module that Node loads, or None where the package is not installed.
    """
    here = Path.cwd()
    folders = [_CHECKOUT] if _CHECKOUT else [here, *here.parents]
    modules = (folder / "node_modules" / "pyodide" / "pyodide.mjs" for folder in folders)
    return next((module for module in modules if module.is_file()), None)
