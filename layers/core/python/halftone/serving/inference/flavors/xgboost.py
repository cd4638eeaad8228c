"""Flavor ``xgboost``: a booster that ``save_model`` wrote as UBJ or JSON, without a pickle.

The input fields are the model's columns, in the order of the signature (``arrays.columns``), as
float32, which is what trees of xgboost compare. What is missing is NaN. Each output field is what
``boosting`` says.
"""

import os
from pathlib import Path
from typing import Any

# A function is given a share of its cores' time, and threads spin while they wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import xgboost

from halftone.domain.errors import InvalidPackage
from halftone.domain.model.manifest import Manifest
from halftone.domain.model.schema import FieldType
from halftone.serving.inference.arrays import columns
from halftone.serving.inference.flavors import boosting
from halftone.serving.inference.loader import Predict


def load(folder: Path, manifest: Manifest, digest: str) -> Predict:
    """The package's booster with its steps around it.

    Raises:
        InvalidPackage: if the file can't be loaded, or the model has not the columns of ``inputs``.
        Exception: whatever the preprocessor's module raises while it is imported.
    """
    booster = xgboost.Booster()
    try:
        booster.load_model(folder / manifest.entry)
    except xgboost.core.XGBoostError as error:
        why = str(error).strip().splitlines()[0]
        expected = "a model that save_model wrote"
        raise InvalidPackage("entry", why, expected, source=manifest.entry) from error
    booster.set_param({"nthread": 1})

    def make() -> boosting.MakeRows:
        texts = [field.name for field in manifest.inputs if field.type is FieldType.STRING]
        if texts:
            expected = "numbers, or a step `preprocess` that turns texts into them"
            raise InvalidPackage("inputs", texts, expected, source=manifest.entry)
        return columns(manifest.inputs)

    names = booster.feature_names or []
    rows = boosting.Rows(booster.num_features(), names)
    return boosting.predictor(folder, manifest, digest, model=_Model(booster), rows=rows, make=make)


class _Model:
    """A booster asked by arrays of rows."""

    def __init__(self, booster: "xgboost.Booster") -> None:
        self._booster = booster

    def predict(self, rows: Any) -> "np.ndarray":
        """Responses: (rows,) or (rows, classes)."""
        return self._ask(rows, "value")

    def raw_score(self, rows: Any) -> "np.ndarray":
        """Sums of leaves, of the same shape."""
        return self._ask(rows, "margin")

    def _ask(self, rows: Any, kind: str) -> "np.ndarray":
        # In place: making a DMatrix of a few rows costs more than scoring them.
        found = self._booster.inplace_predict(rows, predict_type=kind, validate_features=False)
        return np.asarray(found)
