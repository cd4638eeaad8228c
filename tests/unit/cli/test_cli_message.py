"""One flag for what goes on record: --message, with --reason as its older name."""

import pytest

from halftone_cli.catalog import COMMANDS, Command, Group
from halftone_cli.commands.options import changes
from tests.support.engine import NAME

VERBS = [
    ("rollback", NAME, "--yes"),
    ("rollout", "pause", NAME),
    ("rollout", "abort", NAME, "--yes"),
    ("disable", NAME),
]


def recorded(cli):
    return [record.reason for record in cli.endpoint.ports.store.audit(NAME)]


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
@pytest.mark.parametrize("flag", ["--message", "-m", "--reason"])
def test_each_name_of_the_flag_puts_the_text_on_record(rolling, verb, flag):
    ran = rolling(*verb, flag, "scores drift")
    assert ran.code == 0, ran.err
    assert any("scores drift" in reason for reason in recorded(rolling))


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
@pytest.mark.parametrize("text", ["", " ", "\t\n"])
def test_a_blank_text_is_refused_and_changes_nothing(rolling, verb, text):
    before = recorded(rolling)
    ran = rolling(*verb, "--message", text)
    assert (ran.code, recorded(rolling)) == (2, before)
    assert ran.err.startswith("error: --message is ")


def test_both_names_at_once_are_refused(rolling):
    ran = rolling("rollout", "pause", NAME, "--message", "one", "--reason", "other")
    assert ran.code == 2
    assert ran.err.startswith("error: --reason is 'other', expected --message alone")


def test_every_command_that_changes_something_takes_the_flag():
    entries = [
        command
        for entry in COMMANDS.values()
        for command in (entry.commands.values() if isinstance(entry, Group) else [entry])
        if isinstance(command, Command) and command.options is changes
    ]
    without = [entry for entry in entries if "message" not in entry.load().__annotations__]
    assert without == []
