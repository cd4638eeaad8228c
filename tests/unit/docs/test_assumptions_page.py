"""docs/aws-assumptions.md names modules and tests that there are, and AWS's own pages."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "aws-assumptions.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.partition("<!-- assumptions -->")[2].splitlines()
    if re.match(r"\| \d+ ", line)
]


def test_the_assumptions_are_numbered() -> None:
    assert [int(row[0]) for row in ROWS] == [*range(1, len(ROWS) + 1)]
    assert len(ROWS) >= 19


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_an_assumption_has_a_source_a_place_and_a_check(row: list[str]) -> None:
    _number, assumption, source, place, check = row
    assert assumption.endswith((".", ".*"))
    assert re.fullmatch(r"\[[^]]+\]\(https://docs\.aws\.amazon\.com/\S+\)", source), source
    assert (ROOT / place.strip("`")).is_file(), place
    assert re.fullmatch(r"`tests/\S+/test_\w+\.py`", check), check
    assert (ROOT / check.strip("`")).is_file(), check


def test_stricter_readings_are_marked_where_they_are_taken() -> None:
    stricter = [row for row in ROWS if "Stricter reading" in row[1]]
    assert len(stricter) == 4
    for module in ("access/lambda_requests.py", "patches/route_settings.py"):
        text = (ROOT / "local" / "halftone_local" / module).read_text(encoding="utf-8")
        assert "docs/aws-assumptions.md" in text, module
