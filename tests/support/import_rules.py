"""Import-linter's contracts as the tables of docs/architecture.md.

``python -m tests.support.import_rules`` writes them into the page.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def layers_table(contracts: Iterable[Mapping[str, Any]]) -> str:
    """A row for each contract on layers, from above to below."""
    rows = ["| inside | may import, from left to right |", "|---|---|"]
    for contract in contracts:
        if contract["type"] == "layers":
            (container,) = contract["containers"]
            # What stands in brackets need not exist yet.
            layers = " > ".join(contract["layers"]).replace("(", "").replace(")", "")
            rows.append(f"| `{container}` | {layers.replace('|', chr(92) + '|')} |")
    return "\n".join(rows)


def forbidden_table(contracts: Iterable[Mapping[str, Any]]) -> str:
    """A row for each contract that forbids."""
    rows = ["| what | never imports, by no way | so that |", "|---|---|---|"]
    rows += [
        f"| {_named(contract['source_modules'])} | {_named(contract['forbidden_modules'])} "
        f"| {contract['name']} |"
        for contract in contracts
        if contract["type"] == "forbidden"
    ]
    return "\n".join(rows)


def _named(modules: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in modules)


def main() -> None:
    """Write both tables into the page."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = project["tool"]["importlinter"]["contracts"]
    page = ROOT / "docs" / "architecture.md"
    text = page.read_text()
    for mark, table in (
        ("layers", layers_table(contracts)),
        ("forbidden", forbidden_table(contracts)),
    ):
        start, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
        pattern = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
        text = pattern.sub(lambda _, t=table, s=start, e=end: f"{s}\n\n{t}\n\n{e}", text)
    page.write_text(text)


if __name__ == "__main__":
    main()
