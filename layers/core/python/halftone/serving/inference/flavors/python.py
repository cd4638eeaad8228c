"""Flavor ``python``: a module with ``run`` and, if it likes, ``init()``.

``init()`` is called once, before traffic. With a signature, ``run(instances)`` takes a list of
records (dicts with exactly the fields of the signature) and returns as many predictions (dicts with
the output fields), in order. Without one, ``run(body)`` takes the request's JSON value and returns
another. A ``run`` with a second parameter (one called ``context``, or without a default) gets the
``Context`` of the request there.
"""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from halftone.domain.errors import InvalidPackage
from halftone.domain.model.manifest import Interface, Manifest
from halftone.serving.http.caller import NOBODY, Context
from halftone.serving.inference.loader import Predict, import_private

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def load(folder: Path, manifest: Manifest, digest: str) -> Predict:
    """The package's ``run``, after its ``init``.

    Raises:
        InvalidPackage: if there is no function ``run``, or it or ``init`` is asynchronous.
        Exception: whatever the module or its ``init`` raises.
    """
    module = import_private(folder, manifest.entry, digest)
    run = getattr(module, "run", None)
    if not callable(run):
        raise InvalidPackage("run", run, "a function run(instances)", source=manifest.entry)
    told = _takes_context(run)
    init = getattr(module, "init", None)
    for name, function in (("run", run), ("init", init)):
        if inspect.iscoroutinefunction(function):
            expected = "a function without async: nobody would await it"
            raise InvalidPackage(name, f"async def {name}", expected, source=manifest.entry)
    if init is not None:
        init()
    plain = _plain_records if manifest.interface is Interface.RECORDS else _plain
    if told:
        return lambda given, context=NOBODY: plain(run(given, context))
    return _untold(run, plain)


def _untold(run: Callable[[Any], object], plain: Callable[[object], object]) -> Predict:
    def predict(given: Any, _context: Context = NOBODY) -> object:
        return plain(run(given))

    return predict


def _takes_context(run: Callable[..., object]) -> bool:
    try:
        parameters = list(inspect.signature(run).parameters.values())
    except (ValueError, TypeError):  # some built-in functions do not tell
        return False
    positional = [parameter for parameter in parameters if parameter.kind in _POSITIONAL]
    if len(positional) < 2:
        return False
    second = positional[1]
    return second.name == "context" or second.default is inspect.Parameter.empty


def _plain_records(predictions: object) -> object:
    if not isinstance(predictions, list):
        return predictions
    return [
        {name: _without_numpy(value) for name, value in prediction.items()}
        if isinstance(prediction, dict)
        else prediction
        for prediction in predictions
    ]


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return _without_numpy(value)


def _without_numpy(value: object) -> object:
    # By its method and not by its type, because numpy may not even be installed.
    tolist = getattr(value, "tolist", None)
    return value if tolist is None else tolist()
