"""docs/architecture.md says of rooms and import rules what the code and its contracts say."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.support.import_rules import forbidden_table, layers_table

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]
LIBRARY = ROOT / "layers" / "core" / "python" / "halftone"
COMMAND = ROOT / "cli" / "halftone_cli"


def between(mark: str) -> str:
    return PAGE.partition(f"<!-- {mark} -->")[2].partition(f"<!-- /{mark} -->")[0].strip()


def test_the_tables_of_import_rules_are_the_contracts():
    assert between("layers") == layers_table(CONTRACTS)
    assert between("forbidden") == forbidden_table(CONTRACTS)


def test_the_contracts_have_no_exceptions():
    for contract in CONTRACTS:
        assert not contract.keys() & {"ignore_imports", "allow_indirect_imports"}, contract["name"]
        assert contract["type"] != "layers" or contract["exhaustive"]


@pytest.mark.parametrize("top", [LIBRARY, COMMAND], ids=lambda top: top.name)
def test_every_room_is_in_the_table_of_rooms(top):
    rooms = {
        str(init.parent.relative_to(top))
        for init in top.rglob("__init__.py")
        if [path for path in init.parent.glob("*.py") if path != init]
    }
    names = set(re.findall(r"^\| `([a-z_/]+)` \|", PAGE, re.MULTILINE))
    assert rooms - {"."} <= names


def test_every_module_of_a_walk_exists():
    walks = PAGE.partition("## Walks")[2].partition("## The house in figures")[0]
    named = re.findall(
        r"`((?:functions|serving|service|domain|adapters|api|entrypoints|ports)/[a-z_/]+)`", walks
    )
    assert len(named) > 30
    for name in named:
        place = ROOT / name if name.startswith("functions/") else LIBRARY / name
        assert place.is_dir() or place.with_suffix(".py").is_file(), name


@pytest.mark.parametrize("top", [LIBRARY, COMMAND], ids=lambda top: top.name)
def test_no_room_has_more_than_fifteen_modules(top):
    for init in top.rglob("__init__.py"):
        modules = [path for path in init.parent.glob("*.py") if path != init]
        assert len(modules) <= 15, init.parent
