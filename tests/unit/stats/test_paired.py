"""A paired comparison finds a changed model in far fewer requests than an A/B split."""

import re
from pathlib import Path

import pytest

from benchmarks.paired import found

PAGE = (Path(__file__).parents[3] / "docs" / "analysis.md").read_text()
ROWS = {
    float(part): (int(split.replace(",", "")), int(pairs.replace(",", "")))
    for part, split, pairs in re.findall(
        r"^\| ([\d.]+) % \| ([\d,]+) \| ([\d,]+) \|$", PAGE, re.MULTILINE
    )
}


@pytest.mark.parametrize("turned", [7.0, 10.0])
def test_pairs_need_a_fifth_of_what_a_split_needs_or_less(turned):
    one = found(turned / 100, runs=31)
    assert one.paired is not None
    assert one.split is None or one.paired * 5 <= one.split
    split, pairs = ROWS[turned]
    assert one.paired == pytest.approx(pairs, rel=0.5)
    assert one.split == pytest.approx(split, rel=0.5)


def test_the_page_has_a_row_for_each():
    assert {7.0, 10.0, 20.0} <= ROWS.keys()
