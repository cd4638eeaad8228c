"""The tutorial's page: its commands exist, and the parts that run and record it do so."""

import re
from pathlib import Path

import pytest

from demo.page import Block, Shell, blocks, recorded
from halftone_cli.reference import commands

PAGE = (Path(__file__).parents[3] / "docs" / "tutorial.md").read_text()
SAMPLE = """
# A page

## First

```sh
export WORD=there; mkdir inner; cd inner
echo hello >&2
```

```text
something old
```

## Second

```sh
echo $WORD $(basename $PWD)
```
"""


def test_each_command_on_the_page_is_one_of_the_commands() -> None:
    names = {name for name, _ in commands()}
    for block in blocks(PAGE):
        for line in re.findall(r"^halftone [a-z -]+", block.commands, re.MULTILINE):
            parts = line.split()
            assert " ".join(parts[:2]) in names or " ".join(parts[:3]) in names, line


def test_blocks_are_found_below_their_headings() -> None:
    first, second = blocks(SAMPLE)

    assert (first.title, second.title) == ("First", "Second")
    assert second.commands == "echo $WORD $(basename $PWD)\n"


def test_variables_and_folder_carry_on_to_the_next_block(tmp_path: Path) -> None:
    shell = Shell(tmp_path)

    assert [shell.run(block) for block in blocks(SAMPLE)] == ["hello\n", "there inner\n"]


def test_a_failing_command_stops_the_walk_with_its_output(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"Broken: exit code 3\n[\s\S]*said"):
        Shell(tmp_path).run(Block("Broken", "echo said\n(exit 3)\necho never"))


def test_what_was_printed_takes_the_place_of_what_was_recorded() -> None:
    unshown = "## Zeroth\n\n```sh\ntrue\n```\n\n"
    value = unshown + SAMPLE
    page = recorded(value, {block.commands: "new\n" for block in blocks(value)})

    assert page.startswith(unshown + "\n# A page")
    assert "```text\nnew\n```" in page
    assert "something old" not in page
    assert blocks(page) == blocks(value)
