"""Any signature, values that fit it and values that nearly do."""

import math

import numpy as np
from hypothesis import strategies as st

from halftone.domain.model.schema import Field, FieldType

shapes = st.lists(st.integers(1, 3), max_size=3).map(tuple)


@st.composite
def fields(draw, name="x"):
    """A field of any type, shape and bounds."""
    kind = draw(st.sampled_from(FieldType))
    bounds = (None, None)
    if kind not in (FieldType.BOOL, FieldType.STRING):
        least, most = Field(name, kind).bounds
        exact = (least, most) if kind.is_float else (max(least, -(2**53)), min(most, 2**53))
        inner = st.integers(math.ceil(least), math.floor(most)) | st.floats(*exact)
        if kind.is_float:
            # Bounds that the width can hold: a value at another one rounds to what does not fit.
            inner = inner.map(lambda bound: float(np.dtype(kind.value).type(bound)))
        pairs = st.tuples(inner, inner).map(sorted)
        if not kind.is_float:
            pairs = pairs.filter(lambda pair: math.ceil(pair[0]) <= math.floor(pair[1]))
        bounds = draw(st.just(bounds) | pairs)
    # Beside missing values, arrays hold whole numbers as floats, which 64 bits of them don't fit.
    optional = kind not in (FieldType.INT64, FieldType.UINT64) and draw(st.booleans())
    return Field(name, kind, draw(shapes), *bounds, optional=optional)


def elements(field):
    """Elements that fit the field."""
    return present(field) | st.none() if field.optional else present(field)


def present(field):
    """Elements that fit the field and are not missing."""
    if field.type is FieldType.BOOL:
        return st.booleans()
    if field.type is FieldType.STRING:
        return st.text(st.characters(codec="utf-8"), max_size=5)
    least, most = field.bounds
    if field.type.is_float:
        width = {"float16": 16, "float32": 32, "float64": 64}[field.type]
        # Of the bounds only those that the width can hold: others round to what may not fit.
        inside = st.floats(allow_nan=False, allow_infinity=False, width=width)
        return inside.map(lambda value: min(max(value, least), most))
    return st.integers(math.ceil(least), math.floor(most))


def shaped(element, shape):
    """Nested lists of ``shape``."""
    for size in reversed(shape):
        element = st.lists(element, min_size=size, max_size=size)
    return element


near = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**n + d for n in (7, 8, 15, 16, 31, 32, 53, 63, 64) for d in (-1, 0, 1)])
    | st.sampled_from([-(2**n) + d for n in (7, 15, 31, 53, 63) for d in (-1, 0, 1)])
    | st.just(10**400)
    | st.floats()
    | st.text(st.characters(), max_size=3)
)
"""Values that a field may or may not take, many of them at the edge of some type."""
