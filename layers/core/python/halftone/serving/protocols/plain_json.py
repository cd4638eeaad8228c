"""Plain JSON: a body in one of the shapes that MLflow's scoring server takes, as records.

    {"instances": [{field: value, …}, …]}           records, or rows of values in the fields' order
    {"inputs": [{…} or […], …]}                     the same
    {"inputs": {field: [value, …], …}}              columns: tensors of shape [records, …]
    {"inputs": {field: value, …}}                   one record, of scalars
    {"dataframe_records": [{field: value, …}, …]}   records
    {"dataframe_split": {"columns": [field, …], "data": [[value, …], …]}}

One of the four, and beside it ``"params": {field: value, …}``: fields that have the same value in
every record. ``instances`` and ``inputs`` take the same. Where the signature has a single field, a
row is that field's value, be it in a list or not; where that is a list of scalars, so is a row of
``dataframe_split`` or ``dataframe_records``, whatever its columns are called. The answer is
``{"predictions": [{field: value, …}, …]}`` in all cases.
"""

from collections.abc import Sequence
from typing import Any, TypeGuard

from halftone.domain.errors import InvalidInput
from halftone.domain.model.schema import Field

SHAPES = ("instances", "inputs", "dataframe_split", "dataframe_records")
_EXPECTED = 'an object such as {"instances": [{…}]}'


def records_in(body: object, fields: Sequence[Field]) -> tuple[str, object]:
    """The name under which the records stand in ``body``, and what may be records.

    They are only put in their form here: whether they fit the signature is for the caller to check.

    Raises:
        InvalidInput: naming what of the body is in no form that is known.
    """
    if type(body) is not dict:
        raise InvalidInput("body", body, _EXPECTED)
    name = "instances" if len(body) == 1 and "instances" in body else _shape(body)
    value = body[name]
    if name == "dataframe_split":
        value = _split(value, fields)
    elif name == "dataframe_records" and _are_unnamed(value, fields):
        value = [{fields[0].name: [*record.values()]} for record in value]
    elif type(value) is dict and value and name != "dataframe_records":
        value = _columns(name, value)
    elif name != "dataframe_records" and _is_rows(value):
        value = _rows(name, value, fields)
    if "params" in body:
        value = _with_params(value, body["params"], fields)
    return name, value


def _is_rows(value: object) -> TypeGuard[list[Any]]:
    return type(value) is list and len(value) > 0 and type(value[0]) is not dict


def _shape(body: dict[str, Any]) -> str:
    found = [name for name in SHAPES if name in body]
    for name, value in body.items():
        if name not in SHAPES and name != "params":
            known = ", ".join((*SHAPES, "params"))
            raise InvalidInput(name, value, f"no such field; known: {known}")
    if not found:
        raise InvalidInput("body", body, _EXPECTED)
    if len(found) > 1:
        raise InvalidInput(found[1], body[found[1]], f"nothing beside {found[0]}")
    return found[0]


def _rows(at: str, rows: list[Any], fields: Sequence[Field]) -> list[dict[str, Any]]:
    if len(fields) == 1:
        name, shape = fields[0].name, fields[0].shape
        # A list around the value is one more than the field's own nesting.
        return [{name: _unwrapped(row, len(shape))} for row in rows]
    names = [field.name for field in fields]
    for i, row in enumerate(rows):
        if type(row) is not list or len(row) != len(names):
            expected = f"a list of {len(names)} values: {', '.join(names)}"
            raise InvalidInput(f"{at}[{i}]", row, expected)
    return [dict(zip(names, row, strict=True)) for row in rows]


def _unwrapped(row: object, depth: int) -> object:
    inner = row
    for _ in range(depth):
        if type(inner) is not list or not inner:
            return row
        inner = inner[0]
    return row[0] if type(inner) is list and type(row) is list and len(row) == 1 else row


def _columns(at: str, columns: dict[str, Any]) -> list[dict[str, Any]]:
    if columns and not any(type(column) in (list, dict) for column in columns.values()):
        return [columns]
    count = -1
    for name, column in columns.items():
        if type(column) is not list:
            raise InvalidInput(f"{at}.{name}", column, "a list with one value for each record")
        if count not in (-1, len(column)):
            expected = f"a list of {count} values, as {next(iter(columns))} has"
            raise InvalidInput(f"{at}.{name}", column, expected)
        count = len(column)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _split(value: object, fields: Sequence[Field]) -> list[dict[str, Any]]:
    at = "dataframe_split"
    if type(value) is not dict:
        raise InvalidInput(at, value, 'an object such as {"columns": [field], "data": [[value]]}')
    for name in value:
        if name not in ("columns", "data", "index"):
            expected = "no such field; known: columns, data, index"
            raise InvalidInput(f"{at}.{name}", value[name], expected)
    names = [field.name for field in fields]
    columns, data, index = value.get("columns", names), value.get("data"), value.get("index")
    if type(data) is not list:
        raise InvalidInput(f"{at}.data", data, "a list of rows")
    if index is not None and (type(index) is not list or len(index) != len(data)):
        raise InvalidInput(f"{at}.index", index, f"a list of {len(data)}, one for each row")
    if type(columns) is list and columns != names and _are_elements(columns, fields):
        return [{names[0]: row} for row in data]
    if type(columns) is list:
        # pandas calls columns without names by their numbers, as does the signature in MLmodel.
        columns = [str(name) if type(name) is int else name for name in columns]
    if type(columns) is not list or not all(type(name) is str for name in columns):
        raise InvalidInput(f"{at}.columns", columns, "a list of the fields' names")
    if len(set(columns)) != len(columns):
        raise InvalidInput(f"{at}.columns", columns, "each name once")
    if "columns" not in value and len(fields) == 1:
        return _rows(f"{at}.data", data, fields)
    for i, row in enumerate(data):
        if type(row) is not list or len(row) != len(columns):
            raise InvalidInput(f"{at}.data[{i}]", row, f"a list of {len(columns)} values")
    return [dict(zip(columns, row, strict=True)) for row in data]


def _are_elements(columns: list[Any], fields: Sequence[Field]) -> bool:
    """Whether a table's columns, of any names, are the elements of the only field."""
    return len(fields) == 1 and fields[0].shape == (len(columns),)


def _are_unnamed(records: object, fields: Sequence[Field]) -> TypeGuard[list[dict[str, Any]]]:
    """Whether records, of any names that are the same in each, are the elements of the only field.

    So MLflow's clients send a table of a tensor without names of columns: ``[{"0": 5.1, …}]``.
    """
    if type(records) is not list or not records or type(records[0]) is not dict:
        return False
    names = [*records[0]]
    if not _are_elements(names, fields) or fields[0].name in names:
        return False
    return all(type(record) is dict and [*record] == names for record in records)


def _with_params(value: object, params: object, fields: Sequence[Field]) -> object:
    if type(params) is not dict:
        raise InvalidInput("params", params, "an object of fields that all records share")
    known = {field.name: field for field in fields}
    for name, shared in params.items():
        if name not in known:
            expected = f"no such field; known: {', '.join(known)}"
            raise InvalidInput(f"params.{name}", shared, expected)
        try:
            known[name].read(shared)
        except InvalidInput as error:
            raise InvalidInput(f"params.{name}{error.field}", error.value, error.expected) from None
    if type(value) is not list:
        return value
    for i, record in enumerate(value):
        if type(record) is dict and not params.keys().isdisjoint(record):
            name = next(name for name in params if name in record)
            raise InvalidInput(f"params.{name}", params[name], f"nothing: record {i} has its own")
    return [{**record, **params} if type(record) is dict else record for record in value]
