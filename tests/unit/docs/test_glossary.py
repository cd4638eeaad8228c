"""docs/glossary.md: each term once, in order, and each in use."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "glossary.md"
ROWS = re.findall(r"^\| (.+?) \| (.+) \|$", PAGE.read_text(), re.MULTILINE)[1:]
TERMS = [term for term, _ in ROWS if not term.startswith("-")]


def used_words() -> str:
    """Everything that people read of the product, but the glossary."""
    code = [
        path
        for folder in ("layers/core/python/halftone", "cli/halftone_cli", "infra")
        for path in (ROOT / folder).rglob("*.py")
    ]
    pages = [path for path in (ROOT / "docs").glob("*.md") if path != PAGE]
    texts = [path.read_text().lower() for path in [*code, *pages, ROOT / "README.md"]]
    return re.sub(r"[\s_]+", " ", " ".join(texts))


def test_each_term_is_defined_once_and_in_order():
    assert len(TERMS) > 50
    assert sorted(set(TERMS)) == TERMS


def test_each_term_is_in_use():
    arguments = used_words()
    unused = [term for term in TERMS if not re.search(rf"\b{re.escape(term.lower())}", arguments)]
    assert not unused


def test_a_definition_is_one_line_that_does_not_repeat_its_term():
    for term, meaning in ROWS:
        assert len(meaning) < 200, term
        assert not meaning.lower().startswith(f"{term.lower()} "), term
