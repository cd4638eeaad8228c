"""What the check in C takes, the judge takes with the same result, and the other way round."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halftone.domain.errors import InvalidInput
from halftone.domain.model.schema import Field, FieldType, read_records
from halftone.serving.http.body import json_of
from halftone.serving.http.response import Problem
from halftone.serving.protocols.validation import (
    ColumnCheck,
    RecordCheck,
    decode,
    encode,
    read_flat,
)
from tests.property.serving.signatures import elements, fields, near, shaped


def same(one, other):
    """Equal also in type: 1 and 1.0 and True are three values, 0.0 and -0.0 two."""
    return json.dumps(one) == json.dumps(other)


def judged(read, *args):
    try:
        return read(*args)
    except InvalidInput as error:
        return (error.field, repr(error.value))


@settings(max_examples=500)
@given(data=st.data(), field=fields())
def test_a_value_is_taken_by_both_or_by_none(data, field):
    value = data.draw(shaped(elements(field) | near, field.shape) | near)
    check = RecordCheck([field])
    records = [{field.name: value}]
    fast = check.structs(records)
    slow = judged(read_records, "at", [field], records)
    if fast is not None:
        assert same(check.dicts(fast), slow)
        assert same(json.loads(encode(fast)), slow)
    assert same(judged(check.read, "at", records), slow)
    decoded = check.decode(json.dumps({"instances": records}))
    # Text has no value for it: what a client sends has been through JSON.
    if decoded is not None:
        assert same(check.dicts(decoded), slow)
    elif fast is not None:
        assert field.may_be_absent or "\\ud" in json.dumps(records)


@settings(max_examples=500)
@given(data=st.data(), field=fields())
def test_a_column_is_read_as_its_elements_are(data, field):
    column = data.draw(st.lists(elements(field) | near, max_size=4))
    assert same(
        judged(ColumnCheck(field).read, "at", column), judged(read_flat, "at", field, column)
    )


@settings(max_examples=500)
@given(data=st.data(), field=fields(), count=st.integers(1, 3))
def test_columns_are_taken_as_the_records_that_they_stand_for(data, field, count):
    one = shaped(elements(field) | near, field.shape) | near
    column = data.draw(st.lists(one, min_size=count, max_size=count))
    check, records = RecordCheck([field]), [{field.name: value} for value in column]
    fast, slow = check.of_columns([column]), judged(read_records, "at", [field], records)
    assert (fast is None) == (check.structs(records) is None)
    if fast is not None:
        assert same(check.dicts(fast), slow)


NUMBERS = st.from_regex(r"-?[0-9]{1,3}(\.[0-9]{0,25})?([eE][-+]?[0-9]{0,3})?", fullmatch=True)
TEXTS = st.from_regex(r'"([ -!#-~\n\x00é]|\\[\\"/bfnrtux]|\\u[0-9a-fdD]{4}){0,4}"', fullmatch=True)


@settings(max_examples=1000)
@given(
    text=st.lists(
        NUMBERS | TEXTS | st.sampled_from(["NaN", "Infinity", "-0", "true", " ", "\ufeff"])
    )
    .map(", ".join)
    .map("[{}]".format)
    | st.text()
)
def test_a_text_is_decoded_as_the_standard_library_does(text):
    def outcome(read):
        try:
            return read(text)
        except Problem as problem:
            return problem.detail

    one, other = outcome(decode), outcome(json_of)
    assert same(one, other) or (isinstance(one, float) and math.isinf(one))


@settings(max_examples=200)
@given(body=st.binary())
def test_bytes_are_decoded_as_the_standard_library_does(body):
    def outcome(read):
        try:
            return read(body)
        except Problem as problem:
            return problem.detail

    assert same(outcome(decode), outcome(json_of))


@pytest.mark.parametrize(
    "name", ["class", "def", "__init__", "x", "f1", "self", "né", "od280/od315", " a b"]
)
def test_a_field_may_have_any_name(name):
    field = [Field("f0", FieldType.STRING), Field(name, FieldType.FLOAT32)]
    records = [{name: 1, "f0": "a"}]
    check = RecordCheck(field)
    structs = check.structs(records)
    assert check.dicts(structs) == [{"f0": "a", name: 1.0}]
    assert json.loads(encode(structs)) == [{"f0": "a", name: 1.0}]
    assert check.of_columns([["a"], [1]]) == structs


def test_what_msgspec_has_no_type_for_is_left_to_the_judge():
    field = Field("x", FieldType.UINT64)
    check = RecordCheck([field])
    assert check.structs([{"x": 2**64 - 1}]) is None
    assert check.of_columns([[2**64 - 1]]) is None
    assert check.read("at", [{"x": 2**64 - 1}]) == [{"x": 2**64 - 1}]
    with pytest.raises(InvalidInput, match=r"at\[0\]\.x is 18446744073709551616"):
        check.read("at", [{"x": 2**64}])


NAMES = st.sampled_from(["x", "y", '"', ":", '":', " :", "\\", "é", ""])
OBJECTS = st.recursive(
    st.integers(0, 9) | NAMES | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(st.tuples(NAMES, inner), max_size=3).map(tuple)
    ),
    max_leaves=12,
)
SPACES = st.sampled_from(["", " ", "\n", "\t "])


def spelled(value, space):
    """Pairs (in tuples), lists and scalars as JSON, and whether an object has a name twice."""
    if isinstance(value, list):
        ports = [spelled(one, space) for one in value]
        return f"[{','.join(text for text, _ in ports)}]", any(twice for _, twice in ports)
    if not isinstance(value, tuple):
        return json.dumps(value), False
    ports = [(name, *spelled(one, space)) for name, one in value]
    text = ",".join(f"{json.dumps(name)}{space}:{space}{inner}" for name, inner, _ in ports)
    twice = len({name for name, _ in value}) != len(value) or any(two for *_, two in ports)
    return f"{{{text}}}", twice


@given(value=OBJECTS, space=SPACES, as_bytes=st.booleans())
def test_a_name_that_stands_twice_is_refused_and_nothing_else(value, space, as_bytes):
    text, twice = spelled(value, space)
    body = text.encode() if as_bytes else text
    if not twice:
        assert decode(body) == json.loads(text)
        return
    with pytest.raises(Problem, match="twice in one object"):
        decode(body)
