"""Fields as numpy arrays, for models that take and give arrays: no record is made on the way.

An array of field F of shape S is as ``arrays`` has it. Imported only with a model that computes on
arrays.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from halftone.domain.errors import InvalidInput
from halftone.domain.model.schema import Field, FieldType
from halftone.serving.inference.arrays import Rows, array_type, plain_values, stacked_values

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]


_LITTLE_ENDIAN = {
    kind: np.dtype(object if kind is FieldType.STRING else kind.value).newbyteorder("<")
    for kind in FieldType
}


def dtype_of(field: Field) -> "np.dtype[Any]":
    """The type of the field's array."""
    return np.dtype(array_type(field))


class Stack:
    """Makes arrays of records. Structs are those of ``checking.RecordCheck``."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._fields = tuple(fields)
        self._of_structs: list[tuple[str, Callable[[Any], Any], Callable[[Any], Array]]] = [
            (field.name, attrgetter(f"f{i}"), _maker(field)) for i, field in enumerate(fields)
        ]
        # Scalars of one type are made at once, as the columns of one array.
        self._row: Callable[[Any], Any] | None = None
        types = {array_type(field) for field in fields}
        plain = not any(field.shape or field.optional for field in fields)
        if len(fields) > 1 and plain and len(types) == 1 and types != {"object"}:
            self._row = attrgetter(*(f"f{i}" for i in range(len(fields))))
            self._dtype = dtype_of(fields[0])
            self._places = {field.name: i for i, field in enumerate(fields)}

    def structs(self, structs: Sequence[Any]) -> Arrays:
        """The arrays of structs."""
        if self._row is not None:
            matrix = np.array(list(map(self._row, structs)), self._dtype)
            return Rows(self._places, matrix.reshape(len(structs), -1))
        return {name: make(list(map(get, structs))) for name, get, make in self._of_structs}

    def records(self, records: Sequence[Mapping[str, Any]]) -> dict[str, Array]:
        """The arrays of records."""
        return {
            field.name: stacked_values(field, [record[field.name] for record in records])
            for field in self._fields
        }


def _maker(field: Field) -> Callable[[Any], Array]:
    # The usual field's array is made in one call of numpy's.
    return partial(stacked_values, field) if field.optional else partial(_array, dtype_of(field))


def _array(dtype: "np.dtype[Any]", values: Any) -> Array:
    return np.array(values, dtype)


def of_elements(field: Field, elements: Sequence[object], count: int) -> Array:
    """The array of flat elements of ``count`` records."""
    return np.array(elements, dtype_of(field)).reshape(count, *field.shape)


def of_bytes(at: str, field: Field, data: bytes, count: int) -> Array:
    """The array in a tensor's bytes, which are as many as it takes; not for strings.

    Raises:
        InvalidInput: with the place of an element that does not fit, such as ``at[3]``.
    """
    if field.type is FieldType.BOOL:
        # As bytes first: an array of bool must not hold any other byte than 0 and 1.
        flags: Array = np.frombuffer(data, np.uint8) != 0
        return flags.astype(dtype_of(field), copy=False).reshape(count, *field.shape)
    found = np.frombuffer(data, _LITTLE_ENDIAN[field.type])
    check_bounds(at, field, found)
    if field.optional:
        # Whole numbers beside other tensors' missing ones, in the type that has a NaN.
        found = found.astype(dtype_of(field), copy=False)
    return found.reshape(count, *field.shape)


def check_bounds(at: str, field: Field, flat: Array) -> None:
    """Let pass what the field takes.

    Raises:
        InvalidInput: with the place of the first element that does not fit.
    """
    bounded = field.minimum is not None or field.maximum is not None
    if field.type in (FieldType.BOOL, FieldType.STRING):
        return
    if not field.type.is_float and not bounded and flat.dtype == field.type.value:
        return  # the type itself is the range
    least, most = field.bounds
    if field.optional:
        fits = (flat >= least) & (flat <= most) | np.isnan(flat)
        if not fits.all():
            wrong = int(np.argmin(fits))
            raise InvalidInput(f"{at}[{wrong}]", flat[wrong].item(), field.expected())
        return
    # NaN makes either comparison false.
    if flat.size and not (least <= np.minimum.reduce(flat) and np.maximum.reduce(flat) <= most):
        wrong = int(np.argmin((flat >= least) & (flat <= most)))
        raise InvalidInput(f"{at}[{wrong}]", flat[wrong].item(), field.expected())


class Shapes:
    """Arrays that a model gave, in the shape that the signature says."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._fields = [(field, field.name, field.shape, dtype_of(field)) for field in fields]

    def of(self, found: Arrays, count: int) -> Arrays:
        """The arrays of the fields, for ``count`` records.

        Raises:
            InvalidInput, KeyError, TypeError, ValueError: if one is missing, or can't be that.
        """
        for _, name, shape, dtype in self._fields:
            array = found[name]
            if type(array) is not np.ndarray or array.dtype != dtype:
                break
            if array.shape != (count, *shape):
                break
        else:
            return found
        return {name: shaped(field, found[name], count) for field, name, *_ in self._fields}


def shaped(field: Field, value: object, count: int) -> Array:
    """What a model gave for an output field, in the shape that the signature says.

    A graph may keep an axis of size 1 for a scalar, so only the number of elements must be right,
    and a type must be of the field's kind: a float64 for a float32 is taken, a float for an int
    is not.

    Raises:
        InvalidInput: if it has not that many elements, or not of that kind.
    """
    array = np.asarray(value)
    shape = (count, *field.shape)
    if array.shape != shape:
        if array.size != np.prod(shape, dtype=int):
            given = f"an array of shape {list(array.shape)}"
            raise InvalidInput(field.name, given, f"{field.expected()} for {count} records")
        array = array.reshape(shape)
    dtype = dtype_of(field)
    if array.dtype != dtype and not _same_kind(array.dtype, dtype):
        raise InvalidInput(field.name, f"an array of {array.dtype}", field.expected())
    return array


_KINDS = {"i": "iu", "u": "iu", "f": "fiu", "b": "b", "O": "OUST"}


def _same_kind(given: "np.dtype[Any]", wanted: "np.dtype[Any]") -> bool:
    return given.kind in _KINDS[wanted.kind]


def to_bytes(field: Field, array: Array) -> bytes:
    """The bytes of a tensor of that field; not for strings."""
    return array.astype(_LITTLE_ENDIAN[field.type], copy=False).tobytes()


def has_missing(array: Array) -> bool:
    """Whether something is missing in an output's array."""
    if array.dtype == object:
        return any(value is None for value in array.reshape(-1).tolist())
    return array.dtype.kind == "f" and bool(np.isnan(array).any())


def columns_of(fields: Sequence[Field], arrays: Arrays) -> list[list[Any]]:
    """The plain values in arrays, a list for each field."""
    return [plain_values(field, arrays[field.name]) for field in fields]


def records_of(fields: Sequence[Field], arrays: Arrays) -> list[dict[str, Any]]:
    """The records that arrays stand for, in plain values."""
    names = [field.name for field in fields]
    columns = columns_of(fields, arrays)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
