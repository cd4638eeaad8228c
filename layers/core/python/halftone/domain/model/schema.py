"""Signatures: the named fields of a model's records, and the check of records against them.

The check stands on the path of every request, so it is one pass over plain JSON values: a value
that does not fit never reaches the model, and the error says which one it was.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from enum import StrEnum
from functools import cached_property

from halftone.domain.errors import InvalidInput, unknown_field
from halftone.domain.texts import is_storable


class FieldType(StrEnum):
    """What one element of a field is, and with that its range."""

    FLOAT16 = "float16"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    INT8 = "int8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    UINT8 = "uint8"
    UINT16 = "uint16"
    UINT32 = "uint32"
    UINT64 = "uint64"
    BOOL = "bool"
    STRING = "string"

    @property
    def is_float(self) -> bool:
        """Whether whole numbers are read as floats."""
        return self in _FLOATS


_RANGES: Mapping[FieldType, tuple[float, float]] = {
    FieldType.FLOAT16: (-65504.0, 65504.0),
    FieldType.FLOAT32: (-3.4028234663852886e38, 3.4028234663852886e38),
    FieldType.FLOAT64: (-1.7976931348623157e308, 1.7976931348623157e308),
    FieldType.INT8: (-(2**7), 2**7 - 1),
    FieldType.INT16: (-(2**15), 2**15 - 1),
    FieldType.INT32: (-(2**31), 2**31 - 1),
    FieldType.INT64: (-(2**63), 2**63 - 1),
    FieldType.UINT8: (0, 2**8 - 1),
    FieldType.UINT16: (0, 2**16 - 1),
    FieldType.UINT32: (0, 2**32 - 1),
    FieldType.UINT64: (0, 2**64 - 1),
}
_FLOATS = (FieldType.FLOAT16, FieldType.FLOAT32, FieldType.FLOAT64)
MAX_DESCRIPTION = 500
"""Characters of a field's description."""

_NAME = re.compile(r'(?! )[^"\\]{1,64}(?<! )')


@dataclass(frozen=True)
class Field:
    """One field of a record: a scalar (shape ``()``) or nested lists of exactly that shape.

    ``minimum`` and ``maximum`` bound every element of a number field; the type's own range does
    where they are None. Infinities never fit.

    An ``optional`` field may be missing: absent, null, or NaN where it is a float. So may each
    element of it. What is missing is read as None. ``default`` is read where the field is absent.
    ``description`` and ``example`` are for people alone.
    """

    name: str
    type: FieldType
    shape: tuple[int, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    optional: bool = False
    description: str = ""
    example: object = dataclass_field(default=None, hash=False)
    default: object = dataclass_field(default=None, hash=False)

    @property
    def may_be_absent(self) -> bool:
        """Whether a record without the field fits."""
        return self.optional or self.default is not None

    def expected(self) -> str:
        """What fits, in words."""
        what = str(self.type)
        if self.shape:
            what += f" in nested lists of shape {list(self.shape)}"
        if self.minimum is not None:
            what += f", at least {_exactly(self.minimum)}"
        if self.maximum is not None:
            what += f", at most {_exactly(self.maximum)}"
        if self.optional:
            what += ", or null"
        return what

    def read(self, value: object) -> object:
        """``value`` if it fits; whole numbers become floats where the field's type is a float.

        What is missing of an optional field becomes None.

        Raises:
            InvalidInput: with the path *within* the field, such as ``[0][3]`` (empty: the field
                itself), and the element at fault.
        """
        if not self.shape:
            return self._element(value)
        if value is None and self.optional:
            return None
        return self._list(value, self.shape, "")

    @cached_property
    def _element(self) -> Callable[[object], object]:
        return self._read_optional if self.optional else self._present

    def _read_optional(self, value: object) -> object:
        # NaN, which alone is not equal to itself, is how a tensor says that a value is missing.
        if value is None or (type(value) is float and value != value and self.type.is_float):  # noqa: PLR0124
            return None
        return self._present(value)

    @cached_property
    def _present(self) -> Callable[[object], object]:
        if self.type is FieldType.STRING:
            return self._read_string
        if self.type is FieldType.BOOL:
            return self._read_bool
        return self._read_float if self.type.is_float else self._read_int

    @cached_property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest element of a number field: floats where its type is one."""
        least, most = _RANGES[self.type]
        least = least if self.minimum is None else self.minimum
        most = most if self.maximum is None else self.maximum
        return (float(least), float(most)) if self.type.is_float else (least, most)

    # Exact types, because bool is an int to isinstance. NaN fails every comparison. Python compares
    # an int of any size with a float exactly.

    def _read_float(self, value: object) -> object:
        least, most = self.bounds
        if type(value) is int:
            try:
                value = float(value)
            except OverflowError:
                raise InvalidInput("", value, self.expected()) from None
        if type(value) is float and least <= value <= most:
            return value
        raise InvalidInput("", value, self.expected())

    def _read_int(self, value: object) -> object:
        least, most = self.bounds
        if type(value) is int and least <= value <= most:
            return value
        raise InvalidInput("", value, self.expected())

    def _read_bool(self, value: object) -> object:
        if type(value) is bool:
            return value
        raise InvalidInput("", value, self.expected())

    def _read_string(self, value: object) -> object:
        if type(value) is str and is_storable(value):
            return value
        raise InvalidInput("", value, self.expected())

    def _list(self, value: object, shape: tuple[int, ...], at: str) -> object:
        if type(value) is not list or len(value) != shape[0]:
            raise InvalidInput(at, value, self.expected())
        if len(shape) > 1:
            return [self._list(part, shape[1:], f"{at}[{i}]") for i, part in enumerate(value)]
        read: list[object] = []
        try:
            read.extend(map(self._element, value))
        except InvalidInput as error:
            # What was read before is kept, so its length is the place of the one at fault.
            raise InvalidInput(f"{at}[{len(read)}]", error.value, error.expected) from None
        return read


def _exactly(number: float) -> str:
    """``number`` with every digit: 120 for 120.0, which ``:g`` does for the first six alone."""
    return str(int(number)) if number == int(number) and abs(number) < 1e16 else repr(number)


def read_records(at: str, fields: Sequence[Field], value: object) -> list[dict[str, object]]:
    """The records in ``value``: a list of at least one, each with exactly the fields named.

    A field that may be absent is in every record that is returned.

    Raises:
        InvalidInput: with a path such as ``instances[0].pixels[3]``.
    """
    if type(value) is not list or not value:
        raise InvalidInput(at, value, "a list of at least one record")
    records = []
    for i, record in enumerate(value):
        if type(record) is not dict:
            raise InvalidInput(f"{at}[{i}]", record, "an object with the signature's fields")
        read: dict[str, object] = {}
        present = len(fields)
        for field in fields:
            if field.name not in record:
                if not field.may_be_absent:
                    raise InvalidInput(f"{at}[{i}].{field.name}", None, field.expected())
                read[field.name] = field.default
                present -= 1
                continue
            try:
                read[field.name] = field.read(record[field.name])
            except InvalidInput as error:
                path = f"{at}[{i}].{field.name}{error.field}"
                raise InvalidInput(path, error.value, error.expected) from None
        if present != len(record):
            name = next(name for name in record if name not in read)
            names = ", ".join(read)
            raise InvalidInput(f"{at}[{i}].{name}", record[name], f"no such field; known: {names}")
        records.append(read)
    return records


def parse_fields(at: str, value: object) -> tuple[Field, ...]:
    """Fields from their form in ``model.yaml``: a list of mappings of the attributes of ``Field``.

    Raises:
        InvalidInput: naming the field of the file and its value.
    """
    if not isinstance(value, list) or not value:
        raise InvalidInput(at, value, "a list of fields such as {name: age, type: int64}")
    fields = tuple(_parse_field(f"{at}[{i}]", document) for i, document in enumerate(value))
    for i, field in enumerate(fields):
        if any(field.name == earlier.name for earlier in fields[:i]):
            raise InvalidInput(f"{at}[{i}].name", field.name, "a name that no other field has")
    return fields


def fields_as_given(fields: Sequence[Field]) -> list[dict[str, object]]:
    """The inverse of ``parse_fields``, without what is left at its default."""
    return [_as_given(field) for field in fields]


def _as_given(field: Field) -> dict[str, object]:
    document: dict[str, object] = {"name": field.name, "type": str(field.type)}
    if field.shape:
        document["shape"] = list(field.shape)
    if field.minimum is not None:
        document["minimum"] = field.minimum
    if field.maximum is not None:
        document["maximum"] = field.maximum
    for name in ("optional", "description"):
        if getattr(field, name):
            document[name] = getattr(field, name)
    for name in ("example", "default"):
        if getattr(field, name) is not None:
            document[name] = getattr(field, name)
    return document


def _parse_field(at: str, document: object) -> Field:
    if not isinstance(document, Mapping):
        raise InvalidInput(at, document, "a mapping such as {name: age, type: int64}")
    for key in document:
        if key not in Field.__dataclass_fields__:
            raise unknown_field(f"{at}.{key}", document[key], Field.__dataclass_fields__)
    name = document.get("name")
    # Columns of real data are called "od280/od315" and "petal width (cm)".
    if not isinstance(name, str) or not _NAME.fullmatch(name) or not name.isprintable():
        expected = "1 to 64 printable characters without quotes, backslashes and outer spaces"
        raise InvalidInput(f"{at}.name", name, expected)
    kind = document.get("type")
    if kind not in tuple(FieldType):
        raise InvalidInput(f"{at}.type", kind, f"one of {', '.join(FieldType)}")
    least = _bound(f"{at}.minimum", document.get("minimum"), FieldType(kind))
    most = _bound(f"{at}.maximum", document.get("maximum"), FieldType(kind))
    if least is not None and most is not None and most < least:
        raise InvalidInput(f"{at}.maximum", most, f"at least the minimum, {least:g}")
    shape = _shape(f"{at}.shape", document.get("shape", []))
    field = Field(
        name,
        FieldType(kind),
        shape,
        least,
        most,
        optional=_flag(f"{at}.optional", document.get("optional", False)),
        description=_description(f"{at}.description", document.get("description", "")),
    )
    return replace(
        field,
        example=_value_of(field, f"{at}.example", document.get("example")),
        default=_value_of(field, f"{at}.default", document.get("default")),
    )


def _flag(at: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput(at, value, "true or false")
    return value


def _description(at: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_DESCRIPTION:
        raise InvalidInput(at, value, f"a text of at most {MAX_DESCRIPTION} characters")
    return value


def _value_of(field: Field, at: str, value: object) -> object:
    """A value of the field, which must fit it; None if there is none."""
    if value is None:
        return None
    try:
        return field.read(value)
    except InvalidInput as error:
        raise InvalidInput(f"{at}{error.field}", error.value, error.expected) from None


def _shape(at: str, value: object) -> tuple[int, ...]:
    sizes = value if isinstance(value, list) and len(value) <= 8 else [0]
    if not all(type(size) is int and 0 < size <= 1_000_000 for size in sizes):
        raise InvalidInput(at, value, "a list of at most 8 sizes from 1 to 1000000; [] is a scalar")
    return tuple(sizes)


def _bound(at: str, value: object, kind: FieldType) -> float | None:
    if value is None:
        return None
    if kind not in _RANGES:
        raise InvalidInput(at, value, f"nothing: a {kind} has no bounds")
    least, most = _RANGES[kind]
    if type(value) not in (int, float) or not least <= value <= most:  # type: ignore[operator]
        raise InvalidInput(at, value, f"a number within the range of {kind}")
    return value  # type: ignore[return-value]
