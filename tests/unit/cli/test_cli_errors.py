"""Errors: one line, the right code, and a trace for nobody who did not ask."""

from dataclasses import replace

import pytest

from halftone.domain import errors as domain
from halftone_cli.errors import EXIT_CODES, exit_code, line

ERRORS = [
    (domain.InvalidInput("plan", 7, "a mapping"), 2),
    (domain.InvalidPackage("entry", "x", "a file"), 2),
    (domain.NotFound("endpoint", "fraud"), 3),
    (domain.Conflict("it rolls out already"), 4),
    (domain.ConcurrentWrite("the state changed since it was read"), 4),
    (domain.RoutingChanged("the alias moved on"), 4),
    (domain.BrokenChain("fraud", 3, "it does not match"), 5),
    (domain.Unavailable("the table did not answer"), 6),
    (KeyError("Table"), 70),
]


class Failing:
    """A catalogue that fails with ``error``."""

    def __init__(self, error):
        self._error = error

    def endpoints(self):
        raise self._error


@pytest.mark.parametrize(("error", "code"), ERRORS, ids=lambda value: type(value).__name__)
def test_each_error_is_one_line_on_stderr_with_its_code(cli, error, code):
    cli.ports = replace(cli.endpoint.ports, catalogue=Failing(error))

    ran = cli("status", "--json")

    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1


def test_every_error_of_the_domain_has_a_code():
    def descendants(kind):
        return {kind, *(d for child in kind.__subclasses__() for d in descendants(child))}

    ours = {
        kind
        for kind in descendants(domain.HalftoneError)
        if kind.__module__ == domain.__name__ and kind is not domain.HalftoneError
    }
    uncovered = {kind for kind in ours if not any(base in EXIT_CODES for base in kind.__mro__)}
    assert ours
    assert uncovered == set()


def test_a_lost_race_says_what_to_do():
    message = line(domain.ConcurrentWrite("the state of 'fraud' changed since it was read"))

    assert message.endswith("look at `halftone status`, then decide again")


def test_an_unexpected_error_names_its_kind_and_the_trace(cli):
    cli.ports = replace(cli.endpoint.ports, catalogue=Failing(KeyError("Table")))

    assert (
        cli("status").err == "error: KeyError: 'Table'; run it again with --debug for the trace\n"
    )


@pytest.mark.parametrize("words", [("--debug", "status"), ("status", "--debug")])
def test_debug_shows_the_trace_before_the_line(cli, words):
    cli.ports = replace(cli.endpoint.ports, catalogue=Failing(domain.Unavailable("no answer")))

    ran = cli(*words)

    assert ran.code == 6
    assert ran.err.startswith("Traceback (most recent call last):\n")
    assert ran.err.endswith("\nerror: no answer\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "Missing command; see `halftone --help`"),
        (("--bogus",), "No such option: --bogus; see `halftone --help`"),
        (("history",), "Missing argument 'ENDPOINT'; see `halftone history --help`"),
        (
            ("status", "a", "b"),
            "Got unexpected extra argument(s) (b); see `halftone status --help`",
        ),
        (("audit",), "Missing command; see `halftone audit --help`"),
    ],
)
def test_a_command_line_that_makes_no_sense_exits_2_in_one_line(cli, words, told):
    ran = cli(*words)

    assert (ran.code, ran.out, ran.err) == (2, "", f"error: {told}\n")


def test_line_breaks_and_terminal_codes_stay_on_one_line():
    message = line(domain.Unavailable("first\n  second \x1b[31mred"))

    assert message == "first second \\x1b[31mred"


def test_the_nearest_class_decides():
    class Stricter(domain.NotFound):
        """A NotFound of somebody's own."""

    assert exit_code(Stricter("thing", "x")).code == 3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("logs", "fraud", "-n", "y"), "--limit is 'y', expected a valid integer; see "),
        (("deployments", "scale", "fraud", "2", "c"), "REPLICAS is 'c', expected a valid integer"),
        (("rollout", "watch", "fraud", "--until", "x'y"), '--until is "x\'y", expected one of '),
        (("rollback",), "Missing argument 'ENDPOINT'; see `halftone rollback --help`"),
        (("status", "--nope"), "No such option: --nope; see `halftone status --help`"),
    ],
)
def test_words_that_can_t_be_read_are_one_line_with_the_value(cli, words, told):
    ran = cli(*words)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {told}")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "number"),
    [
        (("disable", "fraud", "--message", "\udcff"), 4),
        (("\ud800",), 1),
        (("rollback", "fraud", "--direct", "--message", "a\udcff"), 5),
    ],
)
def test_bytes_that_are_no_text_are_refused_by_their_place(cli, words, number):
    ran = cli(*words)

    assert (ran.code, ran.out) == (2, "")
    assert f"error: argument {number} is " in ran.err
    assert "without half of a surrogate pair" in ran.err
    assert cli.sent == []
