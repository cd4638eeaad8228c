"""Flavor ``lightgbm``: a booster that ``Booster.save_model`` wrote as text, without a pickle.

The input fields are the model's columns, in the order of the signature (``arrays.columns``), or a
frame of pandas where texts are among them: these become the categories that the model was fitted
with. Each output field is what ``boosting.METHODS`` says. The steps around it are those of
``boosting``.
"""

import os
from functools import partial
from pathlib import Path
from typing import Any

# A function is given a share of its cores' time, and threads spin while they wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import lightgbm
import numpy as np

from halftone.domain.errors import InvalidPackage
from halftone.domain.model.manifest import Manifest
from halftone.serving.inference.flavors import boosting
from halftone.serving.inference.flavors.lightgbm_rows import single_rows
from halftone.serving.inference.frames import categorical_frame, has_texts
from halftone.serving.inference.loader import Predict


def load(folder: Path, manifest: Manifest, digest: str) -> Predict:
    """The package's booster with its steps around it.

    Raises:
        InvalidPackage: if the file can't be loaded, or the model has not the columns of ``inputs``.
        Exception: whatever the preprocessor's module raises while it is imported.
    """
    try:
        booster = lightgbm.Booster(model_file=str(folder / manifest.entry))
    except lightgbm.basic.LightGBMError as error:
        expected = "a model that Booster.save_model wrote"
        raise InvalidPackage("entry", str(error), expected, source=manifest.entry) from error
    names = booster.feature_name()
    unnamed = names == [f"Column_{i}" for i in range(len(names))]
    rows = boosting.Rows(len(names), () if unnamed else names)
    make = partial(categorical_frame, manifest, booster.pandas_categorical or [])
    return boosting.predictor(
        folder,
        manifest,
        digest,
        model=_Model(booster),
        rows=rows,
        make=make if has_texts(manifest.inputs) else None,
    )


class _Model:
    """A booster asked by arrays of rows."""

    def __init__(self, booster: "lightgbm.Booster") -> None:
        self._booster = booster
        self._single = {kind: single_rows(booster, kind) for kind in ("predict", "raw_score")}

    def predict(self, rows: Any) -> "np.ndarray":
        """Responses: (rows,) or (rows, classes)."""
        single = self._single["predict"]
        if single is not None and single.takes(rows):
            return single(rows)
        return np.asarray(self._booster.predict(rows, num_threads=1))

    def raw_score(self, rows: Any) -> "np.ndarray":
        """Sums of leaves, of the same shape."""
        single = self._single["raw_score"]
        if single is not None and single.takes(rows):
            return single(rows)
        return np.asarray(self._booster.predict(rows, raw_score=True, num_threads=1))
