"""docs/cli.md says what the command says: help texts, exit codes, JSON shapes."""

import json
import re
from pathlib import Path

import pytest

from halftone_cli.reference import commands, in_step

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "cli.md").read_text()
PACKAGE = str(ROOT / "examples" / "digits" / "models" / "champion")
OPEN = ("numbers", "margins", "answering")
"""What the page calls a mapping by name: it grows with the metrics that are judged."""
WORDS = {
    "status": ["status"],
    "history": ["history", "fraud", "--limit", "1"],
    "audit": ["audit", "verify", "fraud"],
    "invoke": ["invoke", "fraud", "--direct", "1"],
    "plan": ["plan", "show", "gradual"],
    "preview": ["plan", "preview", "--plan", "gradual", "--rate", "1"],
    "package": ["package", PACKAGE],
}


def test_help_texts_and_exit_codes_are_those_of_the_command():
    remedy = "run: python -m halftone_cli.reference docs/cli.md"
    assert in_step(TEXT) == TEXT, remedy


def test_every_command_is_described():
    names = {name for name, _ in commands()}
    groups = {name for name in names if any(other.startswith(f"{name} ") for other in names)}
    described = set(re.findall(r"<!-- help: ([a-z ]+) -->", TEXT))
    assert described == (names - groups) | {"halftone"}


def test_every_command_has_an_example_of_itself():
    for name, message in commands():
        if "Commands:" not in message:
            examples = message.partition("Examples:")[2].partition("\n\n")[0]
            assert f"    {name}" in examples, name


def shape(value):
    """Names and kinds of all fields; a list is as its first element, a mapping by name is one."""
    if isinstance(value, dict):
        return {name: "mapping" if name in OPEN else shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value[:1]]
    return "number" if type(value) in (int, float) else type(value).__name__


@pytest.mark.parametrize("name", WORDS)
def test_the_json_on_the_page_has_the_shape_of_the_commands(rolling, name):
    [view] = re.findall(rf"<!-- json: {name} -->\n```json\n(.*?)```", TEXT, re.DOTALL)

    printed = rolling(*WORDS[name], "--json").json

    if name == "status":
        # The page shows one record, the newest.
        [endpoint] = printed["endpoints"]
        endpoint["audit"] = endpoint["audit"][-1:]
    if name == "invoke":
        # In memory there is no Lambda to number the request.
        printed["first"]["request_id"] = "as Lambda numbers it"
    assert shape(json.loads(view)) == shape(printed)
