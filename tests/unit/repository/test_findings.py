"""tests/findings.md names tests that exist."""

import ast
import re
from itertools import pairwise

import pytest

from tests.support.checkout import ROOT

PAGE = (ROOT / "tests" / "findings.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if re.match(r"\| (\d+|To show)", line)]


def named(row: str) -> list[tuple[str, str]]:
    """The file and the test of each name in a row; ``::test`` is of the file before."""
    names: list[tuple[str, str]] = []
    for file, test in re.findall(r"`([\w/.]*)::(test_\w+)`", row):
        names.append((file or names[-1][0], test))
    return names


def test_every_finding_has_a_row_in_order():
    numbers = [int(match[1]) for row in ROWS if (match := re.match(r"\| (\d+)\.", row))]
    assert numbers[0] == 1
    assert all(after == before + 1 for before, after in pairwise(numbers))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_the_tests_of_a_finding_exist(row):
    assert named(row)
    for file, test in named(row):
        tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
        tests = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert test in tests, f"{file} has no {test}"
