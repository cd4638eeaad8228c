"""Where locks and builds are, in a checkout and in an installed wheel.

A checkout has the locks in ``requirements`` at its top, and builds go to ``build``. A wheel carries
the locks among the assets of ``halftone_cdk``, and builds go to the user's cache.
"""

import os
from pathlib import Path

import halftone
from halftone.domain.errors import Unavailable
from halftone.domain.model.manifest import Flavor

_PACKAGE = Path(halftone.__file__).resolve().parent
_ROOT = _PACKAGE.parents[3] if len(_PACKAGE.parents) > 3 else _PACKAGE
CHECKOUT = _ROOT if (_ROOT / "pyproject.toml").is_file() else None
"""The checkout that this package is imported from, if it is."""

ASSETS = _PACKAGE.parent / "halftone_cdk" / "assets"
"""What a wheel carries beside its code."""


def build_folder() -> Path:
    """Where layers, environments and packages are kept. Their names follow from their content."""
    if CHECKOUT:
        return CHECKOUT / "build"
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "halftone"


_LAYERS = {
    Flavor.LIGHTGBM: Flavor.PYTHON,
    Flavor.XGBOOST: Flavor.PYTHON,
    Flavor.PYFUNC: Flavor.PYTHON,
}


def layer_of(flavor: Flavor) -> str:
    """The name of the lock of a flavor's layer, such as ``model-python``."""
    return f"model-{_LAYERS.get(flavor, flavor)}"


def lock(name: str) -> Path:
    """The lock of that name, such as ``model-python``.

    Raises:
        Unavailable: if the locks are not installed.
    """
    folder = (CHECKOUT or ASSETS) / "requirements"
    path = folder / f"{name}.txt"
    if not path.is_file():
        raise Unavailable(f"the lock {name} is not installed: install halftone again")
    return path


def pyodide() -> Path | None:
    """The npm package ``pyodide`` of the checkout, or of the present folder or one above it.

    Returns:
        The module that Node loads, or None where the package is not installed.
    """
    here = Path.cwd()
    folders = [CHECKOUT] if CHECKOUT else [here, *here.parents]
    modules = (folder / "node_modules" / "pyodide" / "pyodide.mjs" for folder in folders)
    return next((module for module in modules if module.is_file()), None)
