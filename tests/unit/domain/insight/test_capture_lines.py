"""What the harvest makes of a line of a model function's log."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halftone.domain.insight.capture import FEEDBACK, REQUESTS, KeyObservation, Row, read_line

AT = 1_767_225_605_500
MOMENT = datetime(2026, 1, 1, 0, 0, 5, 500_000, tzinfo=UTC)
ANSWER = {"halftone": "capture", "kind": "answer", "request": "r-1.2.ab12cd34", "version": "2"}
KEY = {
    "halftone": "key",
    "endpoint": "fraud",
    "version": "2",
    "rollout": "fraud-r1",
    "stage": 1,
    "key": "0123456789abcdef",
    "errors": 0,
    "late": None,
    "at": AT,
}


def read(line: dict[str, object], **changes: object) -> Row | KeyObservation | None:
    return read_line(json.dumps({"at": AT, **line, **changes}))


def test_an_answer_becomes_a_row_of_all_columns():
    row = read(
        ANSWER,
        status=200,
        latency_ms=4,
        fallback=1,
        label=1,
        input={"x": "é"},
        output='{"y":1}',
        cut=False,
    )
    assert isinstance(row, Row)
    assert (row.table, row.at) == ("requests", MOMENT)
    assert [*row.values] == [column.name for column in REQUESTS]
    by_name = {name: value for name, value in row.values.items() if value is not None}
    assert by_name == {
        "request": "r-1",
        "kind": "answer",
        "at": AT,
        "version": "2",
        "status": 200,
        "latency_ms": 4.0,
        "fallback": True,
        "label": "1",
        "input": '{"x":"é"}',
        "output": '{"y":1}',
        "cut": False,
    }


def test_feedback_becomes_a_row_of_its_own_table():
    row = read({"halftone": "feedback", "request": "r-1.2", "version": "2"}, reward=0.5, bad=0)
    assert isinstance(row, Row)
    assert (row.table, row.values["request"]) == ("feedback", "r-1")
    assert (row.values["reward"], row.values["bad"]) == (0.5, False)
    assert [*row.values] == [column.name for column in FEEDBACK]


def test_a_key_becomes_a_sighting_in_its_bucket():
    reading = read(KEY, errors=1, late=0)
    assert reading == KeyObservation("2", "fraud-r1", 1, "0123456789abcdef", MOMENT, True, False)
    assert reading.bucket == datetime(2026, 1, 1, tzinfo=UTC)
    unknown = read(KEY)
    assert isinstance(unknown, KeyObservation)
    assert unknown.late is None


@pytest.mark.parametrize(
    "line",
    [
        {"halftone": "other"},
        {**ANSWER, "at": None},
        {**ANSWER, "at": -1},
        {**ANSWER, "at": True},
        {**ANSWER, "at": 5e12},
        {**ANSWER, "kind": "other"},
        {**ANSWER, "request": 7},
        {**ANSWER, "request": ""},
        {**ANSWER, "version": "$LATEST"},
        {**KEY, "key": "x"},
        {**KEY, "stage": -1},
        {**KEY, "stage": "1"},
        {**KEY, "errors": 2},
        {**KEY, "late": []},
        {**KEY, "rollout": "a/b"},
        {**KEY, "version": 2},
    ],
    ids=str,
)
def test_a_line_that_lacks_what_it_must_hold_is_nothing(line):
    assert read(line) is None


@pytest.mark.parametrize("message", ["", "halftone", "[]", "null", "7" * 5000, "[" * 100_000])
def test_what_is_no_object_is_nothing(message):
    assert read_line(message) is None


def test_a_line_of_any_depth_is_read_or_dropped():
    # At a few depths JSON can be read and not be written again.
    for depth in range(900, 1010):
        deep = "[" * depth + "]" * depth
        line = f'{{"halftone":"feedback","at":1,"request":"r","version":"1","label":{deep}}}'
        result = read_line(line)
        assert result is None or result.values["label"] == deep


def test_a_cell_that_does_not_fit_its_column_is_empty():
    row = read(ANSWER, status="200", latency_ms="fast", pinned="yes", stage=2**60, distance=1e999)
    assert isinstance(row, Row)
    names = ("status", "latency_ms", "pinned", "stage", "distance")
    assert [row.values[name] for name in names] == [None] * 5


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
NAMES = sorted({c.name for c in (*REQUESTS, *FEEDBACK)} | {*KEY})


@given(
    st.sampled_from([ANSWER, KEY, {**ANSWER, "halftone": "feedback"}]),
    st.dictionaries(st.sampled_from(NAMES), JSON),
)
def test_what_a_model_prints_is_read_or_dropped_and_written(line, changes):
    reading = read(line, **changes)
    if isinstance(reading, Row):
        json.dumps(reading.values, allow_nan=False, ensure_ascii=False).encode()
