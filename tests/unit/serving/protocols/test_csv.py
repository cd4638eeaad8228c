"""Plain requests as CSV: each line is a record, and no cell becomes another value to fit."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halftone.domain.errors import InvalidInput
from halftone.domain.model.schema import Field, FieldType
from halftone.serving.http.response import Problem
from halftone.serving.protocols.csv import csv_records

KINDS = {"whole": "int64", "real": "float64", "flag": "bool", "text": "string"}


def field(name):
    return Field(name, FieldType(KINDS[name]))


def cells(name, *texts, quoted=False):
    """The values of a table of one column."""
    lines = [name, *(f'"{text}"' if quoted else text for text in texts)]
    _, records = csv_records("\n".join(lines) + "\n", [field(name)])
    return [record[name] for record in records]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("9007199254740993.0", 9007199254740993),
        ("-9223372036854775808.000", -9223372036854775808),
        ("1e3", 1000),
        ("12.50e1", 125),
        (" 7 ", 7),
        ("0.99999999999999999999", None),
        ("1.00000000000000000001", None),
        ("1e-400", None),
        ("1e999999999", None),
        ("nan", None),
        ("inf", None),
        ("1_0", None),
        ("\u0663", None),
        ("\u00a05", None),
        ("\uff15.0", None),
        ("0x10", None),
        ("", None),
    ],
)
def test_a_whole_number_is_the_one_that_is_written_or_none(cell, value):
    assert cells("whole", f'"{cell}"') == [cell if value is None else value]


@pytest.mark.parametrize("cell", ["\u0663.5", "1_0.5", "", "x"])
def test_a_real_number_is_in_the_digits_of_ascii(cell):
    assert cells("real", f'"{cell}"') == [cell]


@given(st.integers(-(2**63), 2**63 - 1), st.integers(0, 30))
def test_any_whole_number_with_a_point_is_itself(number, zeros):
    assert cells("whole", f"{number}.{'0' * zeros}" if zeros else str(number)) == [number]


@given(st.decimals(allow_nan=False, allow_infinity=False, places=25, min_value=-9, max_value=9))
def test_any_other_number_is_no_whole_one(number):
    result = cells("whole", f"{number:f}")
    assert result == [int(number) if number == number.to_integral_value() else f"{number:f}"]
    assert isinstance(number, Decimal)


@pytest.mark.parametrize("blank", ["\n", "\r\n", "\n\n", "\r"])
def test_a_line_without_anything_is_no_record(blank):
    with pytest.raises(InvalidInput) as caught:
        csv_records(f"text\na\n{blank}b\n", [field("text")])
    assert caught.value.field == "csv[1]"
    assert cells("text", "a", '""', "b") == ["a", "", "b"]


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\r\n\n"])
def test_lines_without_anything_may_end_the_body(end):
    _, records = csv_records(f"text\na\nb{end}", [field("text")])
    assert [record["text"] for record in records] == ["a", "b"]


@pytest.mark.parametrize("text", ["a\rb", "a\r\nb", "\r", "\n", "a,b", 'say ""x""', "\u2028"])
def test_a_quoted_text_is_kept_as_it_is(text):
    assert cells("text", f'"{text}"') == [text.replace('""', '"')]


def test_a_text_may_be_as_long_as_in_json(serve):
    texts = {
        "inputs": [{"name": "x", "type": "string"}],
        "samples": [{"instances": [{"x": "a"}], "predictions": [{"y": 1}]}],
    }
    code = "def run(g):\n    return [{'y': float(len(r['x']))} for r in g]\n"
    served = serve(code, texts, max_body=10**6)
    long = "x" * 140_000
    for body, name in ((f"x\n{long}\n", "text/csv"), (json.dumps({"inputs": [long]}), "")):
        answer = served.post(body, headers={"content-type": name})
        assert json.loads(answer["body"]) == {"predictions": [{"y": 140_000.0}]}


@pytest.mark.parametrize("body", ['text\n"a', 'text\n"a"b\n', b"text\n\xff\n"])
def test_what_is_no_csv_is_a_400(body):
    with pytest.raises(Problem) as caught:
        csv_records(body, [field("text")])
    assert caught.value.status == 400
