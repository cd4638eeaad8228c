"""Flavor ``python``: a module with ``run(instances)`` and, if it likes, ``init()``.

``init()`` is called once, before traffic. ``run`` takes a list of records (dicts with exactly the
fields of the signature) and returns as many predictions (dicts with the output fields), in order.
"""

from collections.abc import Callable
from pathlib import Path

from halftone.domain.errors import InvalidPackage
from halftone.domain.package import Manifest
from halftone.serving.loading import Predict, Record, import_private


def load(folder: Path, manifest: Manifest, digest: str) -> Predict:
    """The package's ``run``, after its ``init``.

    Raises:
        InvalidPackage: if there is no function ``run``.
        Exception: whatever the module or its ``init`` raises.
    """
    module = import_private(folder, manifest.entry, digest)
    run = getattr(module, "run", None)
    if not callable(run):
        raise InvalidPackage("run", run, "a function run(instances)", source=manifest.entry)
    init = getattr(module, "init", None)
    if init is not None:
        init()
    return _plain(run)


def _plain(run: Callable[[list[Record]], object]) -> Predict:
    def predict(instances: list[Record]) -> object:
        predictions = run(instances)
        if not isinstance(predictions, list):
            return predictions
        return [
            {name: _without_numpy(value) for name, value in prediction.items()}
            if isinstance(prediction, dict)
            else prediction
            for prediction in predictions
        ]

    return predict


def _without_numpy(value: object) -> object:
    # By its method and not by its type, because numpy may not even be installed.
    tolist = getattr(value, "tolist", None)
    return value if tolist is None else tolist()
