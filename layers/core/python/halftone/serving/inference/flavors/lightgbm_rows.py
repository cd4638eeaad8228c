"""Asks a booster of lightgbm for one row at a time, by its C API.

``Booster.predict`` prepares its parameters anew in each call, which takes longer than a row does.
The library has a function for single rows that prepares once:
https://lightgbm.readthedocs.io/en/stable/C-API.html, LGBM_BoosterPredictForMatSingleRowFast.
"""

import ctypes
from typing import Any

import lightgbm
import numpy as np

_DOUBLE = 1
_KINDS = {"predict": 0, "raw_score": 1}
"""Numbers of the C API: C_API_DTYPE_FLOAT64, C_API_PREDICT_NORMAL and C_API_PREDICT_RAW_SCORE."""


class SingleRows:
    """Predictions of one kind for single rows of float64.

    Raises:
        AttributeError, OSError: if the installed lightgbm has no such functions.
    """

    def __init__(self, booster: "lightgbm.Booster", kind: str) -> None:
        library, handle = lightgbm.basic._LIB, booster._handle  # noqa: SLF001
        self._booster = booster  # whose handle this one is made of
        self._columns = booster.num_feature()
        self._config = ctypes.c_void_p()
        code = library.LGBM_BoosterPredictForMatSingleRowFastInit(
            handle,
            ctypes.c_int(_KINDS[kind]),
            ctypes.c_int(0),
            ctypes.c_int(booster.best_iteration),
            ctypes.c_int(_DOUBLE),
            ctypes.c_int32(self._columns),
            ctypes.c_char_p(b"num_threads=1"),
            ctypes.byref(self._config),
        )
        if code:
            raise OSError("lightgbm can't prepare predictions of single rows")
        self._predict = library.LGBM_BoosterPredictForMatSingleRowFast
        self._classes = booster.num_model_per_iteration()
        self._length = ctypes.c_int64()
        self._out = np.empty(self._classes, np.float64)
        self._target = ctypes.c_void_p(self._out.ctypes.data)
        self._length_at = ctypes.byref(self._length)

    def takes(self, rows: Any) -> bool:
        """Whether ``rows`` is one row that can be asked for."""
        return (
            type(rows) is np.ndarray
            and rows.shape == (1, self._columns)
            and rows.dtype == np.float64
            and rows.flags.c_contiguous
        )

    def __call__(self, row: "np.ndarray") -> "np.ndarray":
        """The prediction for one row: of shape (1,) or (1, classes)."""
        at = ctypes.c_void_p(row.ctypes.data)
        if self._predict(self._config, at, self._length_at, self._target):
            raise RuntimeError("lightgbm failed to predict a row")
        found = self._out.copy()
        return found if self._classes == 1 else found.reshape(1, -1)


def single_rows(booster: "lightgbm.Booster", kind: str) -> SingleRows | None:
    """The same predictions as ``Booster.predict``; None where they can't be had or differ."""
    try:
        single = SingleRows(booster, kind)
    except (AttributeError, OSError, ctypes.ArgumentError):
        return None
    row = np.zeros((1, booster.num_feature()))
    usual = booster.predict(row, raw_score=kind == "raw_score", num_threads=1)
    return single if np.array_equal(single(row), usual) else None
