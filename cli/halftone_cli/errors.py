"""What the command's exit codes mean, and how an error is told: the one place for both.

An error is one line on stderr that names the value at fault and the remedy. The stack trace is
shown to who asks for it with ``--debug``, and to nobody else.
"""

import re
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace

import typer

from halftone.domain.errors import (
    BrokenChain,
    ConcurrentWrite,
    Conflict,
    Forbidden,
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    RequestInProgress,
    Unavailable,
)
from halftone_cli.console import one_line


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, of which all was told that there is to tell."""


@dataclass(frozen=True)
class ExitCode:
    """A code, what it means, and the remedy where the error's own message can't know it."""

    code: int
    meaning: str
    remedy: str = ""


DONE = ExitCode(0, "done")
NO = ExitCode(
    1,
    "the command ran, and the answer is no: an answer that is no 2xx, a rollout that was not "
    "promoted, a question answered with no",
)
USAGE = ExitCode(2, "a value that can't be taken, on the command line or in a file")
UNEXPECTED = ExitCode(70, "a fault of Halftone's own", "run it again with --debug for the trace")
INTERRUPTED = ExitCode(130, "interrupted by ctrl-C")

_NOT_NOW = ExitCode(4, "the present state forbids it, or it changed in between")

EXIT_CODES: Mapping[type[Exception], ExitCode] = {
    InvalidInput: USAGE,
    NotFound: ExitCode(3, "nothing of that kind and name"),
    Conflict: _NOT_NOW,
    Forbidden: ExitCode(7, "the caller may not do that here"),
    RequestInProgress: _NOT_NOW,
    IdempotencyKeyReused: USAGE,
    PreconditionFailed: _NOT_NOW,
    ConcurrentWrite: replace(
        _NOT_NOW, remedy="somebody else was faster: look at `halftone status`, then decide again"
    ),
    BrokenChain: ExitCode(5, "the audit chain does not verify"),
    Unavailable: ExitCode(6, "AWS, or an endpoint, did not answer"),
}


def exit_code(error: Exception) -> ExitCode:
    """The exit code of ``error``: that of the nearest of its classes which has one."""
    if isinstance(error, typer.TyperException):
        return USAGE
    return next(
        (EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES), UNEXPECTED
    )


def line(error: Exception) -> str:
    """``error`` in one line, with the remedy."""
    code = exit_code(error)
    if isinstance(error, typer.TyperException):
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "halftone"
        return one_line(f"{_mistake(error)}; see `{command} --help`")
    text = str(error) if code is not UNEXPECTED else f"{type(error).__name__}: {error}"
    if isinstance(error, InvalidInput) and getattr(error, "value", "") is None:
        text = text.replace(f"{error.field} is None,", f"{error.field} is missing,", 1)
    return one_line(f"{text}; {code.remedy}" if code.remedy else text)


def _mistake(error: typer.TyperException) -> str:
    """A word that the command line can't be read with: the value, and what was expected.

    Typer has values converted by pydantic, whose message says what was expected without the value.
    """
    message = error.format_message()
    faults: list[dict[str, object]] = getattr(error.__cause__, "errors", list)()
    conversion = next((c for c in (c.match(message) for c in _CONVERSIONS) if c), None)
    if not faults or conversion is None:
        return message.rstrip(".")
    expected = conversion["expected"].rstrip(".")
    return f"{conversion['field']} is {faults[0]['input']!r}, expected {expected}"


_CONVERSIONS = tuple(
    re.compile(rf"Invalid value for '(?P<field>[^']+)'.*?: {said}$")
    for said in (
        "Input should be (?P<expected>.+?)(?:, unable to .*)?",
        "Value error, .* is not (?P<expected>one of .*)",
    )
)


def report(error: Exception, *, debug: bool) -> int:
    """Tell ``error`` on stderr; answer the code to exit with."""
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    sys.stderr.write(f"error: {line(error)}\n")
    return exit_code(error).code
