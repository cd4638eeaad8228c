"""From an unpacked package to something that predicts: one loader per flavor."""

import importlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from halftone.domain.errors import InvalidPackage
from halftone.domain.model.manifest import Flavor, Interface, Manifest
from halftone.serving.http.caller import NOBODY, Context


class Predict(Protocol):
    """Records that fit the signature in, predictions out; without a signature any JSON in and out.

    Nothing is known of what comes out yet.
    """

    def __call__(self, given: Any, context: Context = NOBODY, /) -> object:
        """The model's answer."""
        ...


class App(Protocol):
    """An HTTP API event in (payload format 2.0), a response for API Gateway out."""

    def __call__(self, event: Mapping[str, Any], context: Context, /) -> dict[str, Any]:
        """The app's answer.

        Raises:
            Exception: whatever the app raises.
        """
        ...


class ArrayPredict(Protocol):
    """numpy arrays by field in, of the fields' types and of shape (records, *shape); such out.

    Nothing is known of what comes out yet.
    """

    def __call__(self, given: Any, /) -> Mapping[str, Any]:
        """The model's answer."""
        ...


def _predicts_nothing(given: Any, context: Context = NOBODY) -> object:  # noqa: ARG001
    raise TypeError("an app is asked by requests")


@dataclass(frozen=True)
class LoadedModel:
    """A model in memory, and the manifest that it came with.

    ``manifest.interface`` says whether ``predict`` takes records or any JSON, or whether there is
    only ``asgi``. ``arrays`` is the same model on arrays, where it computes on them without a step
    that asks for records.
    """

    manifest: Manifest
    digest: str
    predict: Predict = _predicts_nothing
    asgi: App | None = None
    arrays: ArrayPredict | None = None


def load(folder: Path, manifest: Manifest, digest: str) -> LoadedModel:
    """The model of an unpacked package, ready to predict.

    Raises:
        InvalidPackage: if the package's code or graph does not offer what its manifest says.
        Exception: whatever the package's own code raises while it is loaded.
    """
    # Only the module of the flavor at hand, because each imports what its models need.
    module = importlib.import_module(_LOADERS[manifest.flavor])
    loaded = module.load(folder, manifest, digest)
    if manifest.interface is Interface.HTTP:
        return LoadedModel(manifest, digest, asgi=loaded)
    return LoadedModel(manifest, digest, loaded, arrays=getattr(loaded, "arrays", None))


_LOADERS: Mapping[Flavor, str] = {
    Flavor.PYTHON: "halftone.serving.inference.flavors.python",
    Flavor.ONNX: "halftone.serving.inference.flavors.onnx",
    Flavor.SKLEARN: "halftone.serving.inference.flavors.sklearn",
    Flavor.ASGI: "halftone.serving.inference.flavors.asgi",
    Flavor.LIGHTGBM: "halftone.serving.inference.flavors.lightgbm",
    Flavor.XGBOOST: "halftone.serving.inference.flavors.xgboost",
    Flavor.PYFUNC: "halftone.serving.inference.flavors.pyfunc",
}


def import_private(folder: Path, file: str, digest: str) -> ModuleType:
    """A package's own module, under a name that no other package and no library has.

    The folder becomes a Python package of its own, so that a model's files import one another with
    a dot (``from . import features``) and can shadow nothing: ``sys.path`` stays as it is.

    Raises:
        InvalidPackage: if the module imports a file of its package without the dot.
    """
    package = f"halftone_package_{digest}"
    if package not in sys.modules:
        spec = ModuleSpec(package, None, is_package=True)
        spec.submodule_search_locations = [str(folder)]
        sys.modules[package] = module_from_spec(spec)
    name = ".".join((package, *Path(file).with_suffix("").parts))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = (error.name or "").split(".")[0]
        if (folder / f"{missing}.py").exists() or (folder / missing / "__init__.py").exists():
            expected = f"the import of a file of the package with a dot: from . import {missing}"
            raise InvalidPackage("import", f"import {missing}", expected, source=file) from error
        raise
