"""Plain requests as CSV (RFC 4180), as pandas' ``to_csv`` writes it and MLflow's scoring server
takes it: a header with the fields' names, and a line for each record.

A text stands for a value as the field's type says, so only scalar fields can be sent. A first
column without a name is pandas' index and passed over. An empty cell of an optional field, or of
one with a default, is a missing value. A cell of any other text field is that text, be it empty or
``NA``; elsewhere an empty cell is no value. Each line is a record: one without anything in it is
refused unless nothing else follows, so that there are as many answers as lines.

Imported with the first such request.
"""

import csv
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from io import StringIO

from halftone.domain.errors import InvalidInput
from halftone.domain.model.schema import Field, FieldType
from halftone.serving.http.response import Problem

_MOST_DIGITS = 30  # more than any type has
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}


def csv_records(body: str | bytes, fields: Sequence[Field]) -> tuple[str, object]:
    """The name by which errors call the body, and what may be records.

    A cell that is no value of the field's type stays its text: whether the records fit the
    signature is for the caller to check.

    Raises:
        Problem: 400 if the body is no CSV in UTF-8.
        InvalidInput: if the header is not that of the fields, or a line is not as long.
    """
    at = "csv"
    for field in fields:
        if field.shape:
            expected = "JSON: a field of a shape has no place in CSV"
            raise InvalidInput(f"{at}.{field.name}", None, expected)
    try:
        text = body if isinstance(body, str) else body.decode()
        # JSON takes texts of any length, too. The limit is one of the whole process.
        csv.field_size_limit(len(text) + 1)
        # Without translation: a carriage return within quotes is a character of the text.
        lines = list(csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""), strict=True))
    except (ValueError, csv.Error) as error:
        raise Problem(400, f"the body is no CSV: {error}", field="body") from None
    while lines and not lines[-1]:
        lines.pop()
    header, *rows = lines or [[]]
    known = {field.name: field for field in fields}
    start = int(header[:1] == [""])
    names = header[start:]
    for name in names:
        if name not in known:
            expected = f"no such field; the header's known ones: {', '.join(known)}"
            raise InvalidInput(f"{at}.{name}", name, expected)
        if names.count(name) > 1:
            raise InvalidInput(f"{at}.{name}", name, "each name once")
    records = []
    for i, row in enumerate(rows):
        if len(row) != len(header):
            raise InvalidInput(f"{at}[{i}]", row, f"{len(header)} values, as the header has")
        cells = zip(names, row[start:], strict=True)
        records.append(
            {
                name: _value(cell, known[name].type)
                for name, cell in cells
                # An empty cell is a missing value where one may be missing.
                if cell or not known[name].may_be_absent
            }
        )
    return at, records


def _value(cell: str, kind: FieldType) -> object:
    if kind is FieldType.STRING:
        return cell
    # Python reads more than CSV has, such as 1_000 and digits of other scripts.
    text = cell.strip() if cell.isascii() and "_" not in cell else ""
    if kind is FieldType.BOOL:
        return _TRUTHS.get(text.lower(), cell)
    try:
        return float(text) if kind.is_float else _whole(text)
    except (ValueError, OverflowError):
        return cell


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        # A column of whole numbers that ever had a gap is written with a point. Not as a float,
        # which has no 9007199254740993 and takes 0.99999999999999999999 for 1.
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise ValueError(text) from None
        if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
            raise
        if number != number.to_integral_value():
            raise
        return int(number)
