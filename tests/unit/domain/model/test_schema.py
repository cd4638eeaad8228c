"""Records are held to the signature before a model sees them."""

import math

import pytest

from halftone.domain.errors import InvalidInput
from halftone.domain.model.schema import (
    Field,
    FieldType,
    fields_as_given,
    parse_fields,
    read_records,
)

PIXELS = Field("pixels", FieldType.FLOAT32, (2, 3), 0, 16)
AGE = Field("age", FieldType.INT64)
NAME = Field("name", FieldType.STRING)
SURE = Field("sure", FieldType.BOOL)
RATE = Field("rate", FieldType.FLOAT64)


def test_whole_numbers_become_floats_where_the_type_is_a_float():
    fields = {"pixels": [[0, 1, 2.5], [3, 16, 0.0]], "rate": 10**300, "age": 2}
    (record,) = read_records("instances", (PIXELS, RATE, AGE), [fields])
    assert record == {"pixels": [[0.0, 1.0, 2.5], [3.0, 16.0, 0.0]], "rate": 1e300, "age": 2}
    numbers = [*record["pixels"][0], record["rate"]]
    assert all(type(number) is float for number in numbers)
    assert type(record["age"]) is int


@pytest.mark.parametrize(
    ("field", "value", "at"),
    [
        (PIXELS, [[0, 1, 2]], ""),
        (PIXELS, [[0, 1, 2], [0, 1]], "[1]"),
        (PIXELS, [[0, 1, 2], [0, 1, 17]], "[1][2]"),
        (PIXELS, [[0, 1, 2], [0, -0.1, 1]], "[1][1]"),
        (PIXELS, [[0, math.nan, 2], [0, 1, 1]], "[0][1]"),
        (PIXELS, [[0, True, 2], [0, 1, 1]], "[0][1]"),
        (PIXELS, "012345", ""),
        (PIXELS, None, ""),
        (RATE, math.inf, ""),
        (RATE, 10**400, ""),
        (RATE, "1.0", ""),
        (Field("x", FieldType.FLOAT32), 1e39, ""),
        (AGE, 1.0, ""),
        (AGE, False, ""),
        (AGE, 2**63, ""),
        (Field("x", FieldType.INT32), -(2**31) - 1, ""),
        (SURE, 1, ""),
        (NAME, 7, ""),
        (NAME, "half \ud83d", ""),
    ],
)
def test_what_does_not_fit_is_named_by_path_and_value(field, value, at):
    with pytest.raises(InvalidInput) as caught:
        read_records("instances", (field,), [{field.name: value}])
    assert caught.value.field == f"instances[0].{field.name}{at}"


def test_text_outside_ascii_fits():
    record = {"name": "Åsa \U0001f600"}
    assert read_records("instances", (NAME,), [record]) == [record]


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ({}, "instances"),
        ([], "instances"),
        ([7], "instances[0]"),
        ([{"age": 1}, {}], "instances[1].age"),
        ([{"age": 1, "agee": 2}], "instances[0].agee"),
    ],
)
def test_records_have_exactly_the_fields(value, at):
    with pytest.raises(InvalidInput) as caught:
        read_records("instances", (AGE,), value)
    assert caught.value.field == at


def test_fields_read_back_as_they_were_given():
    fields = (PIXELS, AGE, NAME, SURE, RATE)
    assert parse_fields("inputs", fields_as_given(fields)) == fields


@pytest.mark.parametrize(
    ("given", "at"),
    [
        ("age", "inputs"),
        ([], "inputs"),
        (["age"], "inputs[0]"),
        ([{"type": "int64"}], "inputs[0].name"),
        ([{"name": "", "type": "int64"}], "inputs[0].name"),
        ([{"name": "age ", "type": "int64"}], "inputs[0].name"),
        ([{"name": 'a"b', "type": "int64"}], "inputs[0].name"),
        ([{"name": "a\\b", "type": "int64"}], "inputs[0].name"),
        ([{"name": "a\nb", "type": "int64"}], "inputs[0].name"),
        ([{"name": "a" * 65, "type": "int64"}], "inputs[0].name"),
        ([{"name": "age", "type": "number"}], "inputs[0].type"),
        ([{"name": "age", "type": ["int64"]}], "inputs[0].type"),
        ([{"name": "age", "type": "int64", "shape": 3}], "inputs[0].shape"),
        ([{"name": "age", "type": "int64", "shape": [0]}], "inputs[0].shape"),
        ([{"name": "age", "type": "int64", "shape": [True]}], "inputs[0].shape"),
        ([{"name": "age", "type": "int64", "dims": [3]}], "inputs[0].dims"),
        ([{"name": "age", "type": "string", "minimum": 0}], "inputs[0].minimum"),
        ([{"name": "age", "type": "int32", "maximum": 2**40}], "inputs[0].maximum"),
        ([{"name": "age", "type": "int32", "minimum": 2, "maximum": 1}], "inputs[0].maximum"),
        ([{"name": "a", "type": "bool"}, {"name": "a", "type": "bool"}], "inputs[1].name"),
    ],
)
def test_a_wrong_field_of_the_file_is_named(given, at):
    with pytest.raises(InvalidInput) as caught:
        parse_fields("inputs", given)
    assert caught.value.field == at
