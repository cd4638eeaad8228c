"""Durations, percentages and whole numbers as people write them, and what is refused."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halftone.domain.errors import InvalidInput
from halftone.domain.quantities import duration, percentage, spoken, whole
from tests.support.refusals import read_or_refusal

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.just(10**400),
    st.from_regex(r"\d{1,400}(\.\d+)?\s?(ms|s|m|h|d|%)?", fullmatch=True),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(), st.integers(), max_size=2),
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("250ms", 0.25),
        ("10s", 10),
        ("30m", 1800),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("2d", 172800),
        ("10 m", 600),
    ],
)
def test_a_duration_has_a_unit(text, seconds):
    assert duration("min_time", text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "value", [10, 1.5, None, True, "", "10", "m", "-5m", "5 parsecs", "1h-30m", "9" * 30 + "d"]
)
def test_anything_else_is_no_duration(value):
    with pytest.raises(InvalidInput) as caught:
        duration("min_time", value)
    assert (caught.value.field, caught.value.value) == ("min_time", value)
    assert "such as 10s, 30m or 1h30m" in str(caught.value)


@pytest.mark.parametrize(
    "text", ["1.5s", "1.2s", "250ms", "1.5ms", "1h30m", "1d1h0.25s", "0.001ms", "0s", "29s"]
)
def test_a_duration_is_written_as_it_was_read(text):
    assert spoken(duration("t", text)) == text


@pytest.mark.parametrize("text", ["\u0661\u0660s", "\uff11m"])
def test_digits_of_other_scripts_are_no_duration(text):
    with pytest.raises(InvalidInput):
        duration("t", text)


@pytest.mark.parametrize("text", ["\u0665 %", "1_0", "infinity", "+5", "0x10"])
def test_what_python_alone_reads_is_no_percentage(text):
    with pytest.raises(InvalidInput):
        percentage("t", text)


@pytest.mark.parametrize(("value", "percent"), [(5, 5), (0.1, 0.1), ("5 %", 5), ("7.5%", 7.5)])
def test_a_percentage_may_carry_its_sign(value, percent):
    assert percentage("weight", value) == percent


@pytest.mark.parametrize("value", [-1, 100.1, "many", True, None, float("nan"), "nan", [5], "5%%"])
def test_a_percentage_outside_its_bounds_is_named(value):
    with pytest.raises(InvalidInput, match=r"weight is .*, expected a percentage from 0 to 100"):
        percentage("weight", value)


@pytest.mark.parametrize("value", [-1, 1.0, "3", True, None])
def test_a_whole_number_is_whole(value):
    with pytest.raises(InvalidInput, match=r"count is .*, expected a whole number at least 0"):
        whole("count", value)


def test_the_upper_bound_of_a_whole_number_is_told():
    assert whole("count", 9, most=9) == 9
    with pytest.raises(InvalidInput, match="count is 10, expected a whole number from 0 to 9"):
        whole("count", 10, most=9)


@given(ANYTHING)
@pytest.mark.parametrize("reader", [duration, percentage, whole])
def test_every_value_is_read_or_refused_by_name(reader, value):
    outcome = read_or_refusal(reader, "field", value)
    assert not isinstance(outcome, InvalidInput) or outcome.field == "field"
