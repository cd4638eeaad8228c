"""From an unpacked package to something that predicts: one loader per flavor."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any

import msgspec

from halftone.domain.errors import InvalidInput
from halftone.domain.model.schema import Field, FieldType, read_records
from halftone.serving.http.body import json_of

Record = dict[str, object]

_REFUSED = (msgspec.MsgspecError, ValueError, RecursionError)

encode: Callable[[object], bytes] = msgspec.json.Encoder().encode
"""Compact JSON of values whose floats are finite; any other float would become null."""

_decode = msgspec.json.Decoder().decode


def decode(body: str | bytes) -> object:
    """The JSON value in ``body``.

    Raises:
        Problem: 400 if there is none.
    """
    try:
        value: object = _decode(body)
    except _REFUSED:
        # The standard library takes more (such as half a surrogate pair), and says what is wrong.
        return json_of(body)
    # msgspec takes the last of two values under one name.
    return value if _has_names(body, _names(value)) else json_of(body)


_SPACED = re.compile(r"[ \t\r\n]:")
_SPACED_BYTES = re.compile(rb"[ \t\r\n]:")


def _has_names(body: str | bytes, count: int) -> bool:
    """Whether the objects in a JSON text have no more than ``count`` names, which is at most how
    many different ones were read of them. It may be True that they have not, and this False.
    """
    if isinstance(body, str):
        colon, quoted, spaced = ":", '":', _SPACED
    else:
        colon, quoted, spaced = b":", b'":', _SPACED_BYTES  # type: ignore[assignment]
    # Each name stands before a colon of its own, and texts may hold more of them. A quote in a text
    # is escaped, so that there, too, a colon after a quote counts as a name.
    if body.count(colon) == count:  # type: ignore[arg-type]
        return True
    return body.count(quoted) == count and spaced.search(body) is None  # type: ignore[arg-type]


def _names(value: object) -> int:
    """How many names the objects in ``value`` have, but for objects after a first number or text of
    a list.
    """
    count = 0
    if type(value) is dict:
        count = len(value)
        for one in value.values():
            if type(one) is dict or type(one) is list:
                count += _names(one)
    elif type(value) is list and value:
        first: object = value[0]
        while type(first) is list and first:
            first = first[0]
        if type(first) is dict:
            for one in value:
                count += _names(one)
    return count


class RecordCheck:
    """Reads records of a signature, as ``read_records`` does, and writes them as JSON."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._fields = tuple(fields)
        self._names = tuple(field.name for field in fields)
        self._width = len(self._names)
        self._whole = not any(field.may_be_absent for field in fields)
        types = [element_type(field, field.shape) for field in fields]
        self._record: Any = None
        self._body: Any = None
        self._columns: Any = None
        self._decode: Callable[[str | bytes], Any] | None = None
        if None not in types:
            # Names of a signature may be anything, such as "class": the struct has its own.
            own = [f"f{i}" for i in range(len(types))]
            self._record = record = msgspec.defstruct(
                "Record",
                list(zip(own, types, strict=True)),
                rename=dict(zip(own, self._names, strict=True)),
                forbid_unknown_fields=True,
                gc=False,
            )
            records = Annotated[list[record], msgspec.Meta(min_length=1)]  # type: ignore[valid-type]
            self._body = msgspec.defstruct(
                "Body", [("instances", records)], forbid_unknown_fields=True
            )
            self._decode = msgspec.json.Decoder(self._body).decode
            columns = [(name, list[kind]) for name, kind in zip(own, types, strict=True)]  # type: ignore[valid-type]
            self._columns = msgspec.defstruct(
                "Columns", columns, array_like=True, forbid_unknown_fields=True
            )

    def decode(self, body: str | bytes) -> list[Any] | None:
        """The structs in a body ``{"instances": [{…}, …]}``, in one go; None for any other body,
        and for values that may not fit.
        """
        if self._decode is None:
            return None
        try:
            found: list[Any] = self._decode(body).instances
        except _REFUSED:
            return None
        # Of one that has a name twice the judge says so. Each record has all of its names, or how
        # many there are is counted by who reads them as dicts.
        if not self._whole:
            return None
        names = 1 + len(found) * self._width
        if (body.count(":") if type(body) is str else body.count(b":")) == names:  # type: ignore[arg-type]
            return found
        return found if _has_names(body, names) else None

    def structs(self, value: object) -> list[Any] | None:
        """The records as structs of one type, in C; None if they may not fit."""
        if self._body is None or type(value) is not list:
            return None
        try:
            # As a body, because msgspec reads any type but a struct anew for each value.
            found: list[Any] = msgspec.convert({"instances": value}, self._body).instances
        except _REFUSED:
            return None
        return found

    def of_columns(self, columns: list[list[Any]]) -> list[Any] | None:
        """The structs of records that stand as a list of values for each field, in the order of the
        fields and all as long; None if they may not fit. No dict is made on the way.
        """
        if self._columns is None:
            return None
        try:
            found = msgspec.convert(columns, self._columns)
        except _REFUSED:
            return None
        return list(map(self._record, *msgspec.structs.astuple(found)))

    def read(self, at: str, value: object) -> list[Record]:
        """The records in ``value``.

        Raises:
            InvalidInput: with a path such as ``instances[0].pixels[3]``.
        """
        structs = self.structs(value)
        if structs is None:
            return read_records(at, self._fields, value)
        return self.dicts(structs)

    def dicts(self, structs: list[Any]) -> list[Record]:
        """Structs as records."""
        names, values = self._names, msgspec.structs.astuple
        return [dict(zip(names, values(struct), strict=True)) for struct in structs]


class ColumnCheck:
    """Reads one field of many records: flat lists of its elements, in the order of the records."""

    def __init__(self, field: Field) -> None:
        self._field = field
        kind = element_type(field, ())
        self._type: Any = None if kind is None else list[kind]  # type: ignore[valid-type]

    def read(self, at: str, elements: list[object]) -> list[object]:
        """The elements, whole numbers as floats where the field's type is one.

        Raises:
            InvalidInput: with a path such as ``inputs[pixels].data[3]``.
        """
        if self._type is not None:
            try:
                found: list[object] = msgspec.convert(elements, self._type)
            except _REFUSED:
                pass
            else:
                return found
        return read_flat(at, self._field, elements)


def read_flat(at: str, field: Field, elements: Sequence[object]) -> list[object]:
    """Flat elements by the judge.

    Raises:
        InvalidInput: with the place of the element at fault.
    """
    scalar = replace(field, shape=())
    read: list[object] = []
    try:
        read.extend(map(scalar.read, elements))
    except InvalidInput as error:
        raise InvalidInput(f"{at}[{len(read)}]", error.value, error.expected) from None
    return read


def element_type(field: Field, shape: Sequence[int]) -> Any:
    """What msgspec calls a field of that shape; None where it has no type that is exactly so."""
    found = _scalar_type(field)
    if found is None:
        return None
    if field.optional:
        found = found | None
    for size in reversed(shape):
        found = Annotated[list[found], msgspec.Meta(min_length=size, max_length=size)]  # type: ignore[valid-type]
    return found | None if field.optional and shape else found


def _scalar_type(field: Field) -> Any:
    if field.type is FieldType.STRING:
        # Half a surrogate pair is in no text that msgspec read, but the judge's reader takes it.
        return Annotated[str, msgspec.Meta(pattern="^[^\ud800-\udfff]*$")]
    if field.type is FieldType.BOOL:
        return bool
    least, most = field.bounds
    if field.type.is_float:
        return Annotated[float, msgspec.Meta(ge=least, le=most)]
    low, high = math.ceil(least), math.floor(most)
    # msgspec's own bounds are 64-bit and signed.
    if low < -(2**63) or high >= 2**63:
        return None
    return Annotated[int, msgspec.Meta(ge=low, le=high)]
