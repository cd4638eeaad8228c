"""Which packages can answer the clients of which."""

from dataclasses import replace

import pytest

from halftone.domain.model.compatibility import incompatibilities
from halftone.domain.model.manifest import Flavor, Manifest
from halftone.domain.model.schema import Field, FieldType, read_records

AGE = Field("age", FieldType.INT32, minimum=0, maximum=120)
PIXELS = Field("pixels", FieldType.FLOAT32, (2, 2))
NAME = Field("name", FieldType.STRING)
SCORE = Field("score", FieldType.FLOAT64)
BEFORE = Manifest("risk", Flavor.PYTHON, "predict.py", (AGE, PIXELS, NAME), (SCORE,), ())


def after(**fields: Field | None) -> Manifest:
    """``BEFORE`` with inputs replaced, or taken away (None), by their names."""
    existing = {field.name: field for field in BEFORE.inputs} | fields
    return replace(BEFORE, inputs=tuple(field for field in existing.values() if field))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"age": Field("age", FieldType.INT32)},
        {"age": Field("age", FieldType.INT8)},
        {"age": Field("age", FieldType.FLOAT32, minimum=-1)},
        {"pixels": Field("pixels", FieldType.FLOAT64, (2, 2))},
    ],
)
def test_what_takes_more_fits(fields):
    assert incompatibilities(BEFORE, after(**fields)) == ()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"name": None}, "input 'name' is gone"),
        ({"sex": Field("sex", FieldType.STRING)}, "input 'sex' is new, and no client sends it"),
        (
            {"age": Field("age", FieldType.INT32, minimum=18, maximum=120)},
            "input 'age' was int32, at least 0, at most 120, and is int32, at least 18, at most",
        ),
        ({"pixels": Field("pixels", FieldType.FLOAT16, (2, 2))}, "input 'pixels' was float32 in"),
        ({"pixels": Field("pixels", FieldType.INT64, (2, 2))}, "input 'pixels' was float32 in"),
        ({"pixels": Field("pixels", FieldType.FLOAT32, (3, 2))}, "input 'pixels' was float32 in"),
        ({"name": Field("name", FieldType.BOOL)}, "input 'name' was string, and is bool"),
        ({"age": Field("age", FieldType.STRING)}, "input 'age' was int32, at least 0, at most 120"),
    ],
)
def test_an_input_that_clients_do_not_send_so_does_not(fields, told):
    (incompatibility,) = incompatibilities(BEFORE, after(**fields))
    assert incompatibility.startswith(told)


def test_outputs_may_be_added_and_keep_their_kind():
    more = replace(BEFORE, outputs=(NAME, SCORE))
    assert incompatibilities(BEFORE, more) == ()
    assert incompatibilities(more, BEFORE) == ("output 'name' is gone",)
    narrow = replace(BEFORE, outputs=(Field("score", FieldType.FLOAT16),))
    assert incompatibilities(BEFORE, narrow) == ()
    whole = replace(BEFORE, outputs=(Field("score", FieldType.INT64),))
    assert incompatibilities(BEFORE, whole) == ("output 'score' was float64, and is int64",)


def test_without_signatures_only_the_interface_is_compared():
    free = replace(BEFORE, inputs=(), outputs=())
    app = replace(free, flavor=Flavor.ASGI)
    assert incompatibilities(free, replace(free, name="another")) == ()
    (incompatibility,) = incompatibilities(free, app)
    assert incompatibility == (
        "it takes whole requests of an application, and not any JSON value, without a signature"
    )
    assert incompatibilities(BEFORE, free)
    assert incompatibilities(free, BEFORE)


@pytest.mark.parametrize("was", FieldType)
@pytest.mark.parametrize("now", FieldType)
def test_whatever_is_said_to_fit_is_read(was, now):
    """The extremes of a type are what a narrower one refuses."""
    before = replace(BEFORE, inputs=(Field("x", was),))
    if incompatibilities(before, replace(BEFORE, inputs=(Field("x", now),))):
        return
    values = {FieldType.STRING: ["", "a"], FieldType.BOOL: [True]}.get(was)
    for value in values or Field("x", was).bounds:
        assert read_records("", [Field("x", now)], [{"x": value}])
