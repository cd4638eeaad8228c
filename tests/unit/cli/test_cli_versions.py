"""Each command that takes a version takes its number, a name, `champion` and `challenger`.

A command that has such an argument and no row here fails ``test_no_command_is_left_out``.
"""

import pytest
import typer

from halftone.domain.rollout.phase import Phase
from halftone_cli.main import app
from tests.support.engine import NAME
from tests.unit.cli.conftest import PLAN, Cli

NAMES = {"1": "1", "blue": "1", "champion": "1", "2": "2", "green": "2", "challenger": "2"}
"""What people say, and which version is meant: 1 serves, 2 is at 5 %."""

REFUSED = 4
"""The present state forbids it: the version was found, and holds traffic."""

TABLE = {
    "logs": ("logs {e} --version {v}", {0}),
    "logs --replicas": ("logs {e} --replicas --version {v}", {0}),
    "metrics": ("metrics {e} --version {v}", {0}),
    "deployments show": ("deployments show {e} {v}", {0}),
    "deployments history": ("deployments history {e} {v}", {0}),
    "deployments name": ("deployments name {e} {v} other", {0}),
    "deployments scale": ("deployments scale {e} {v} 2", {0}),
    "deployments stop": ("deployments stop {e} {v} --message gone", {REFUSED}),
    "deployments start": ("deployments start {e} {v}", {0, REFUSED}),
    "deployments delete": ("deployments delete {e} {v} --yes", {REFUSED}),
    "rollback": ("rollback {e} --to {v} --yes", {0, REFUSED}),
    "invoke --direct": ("invoke {e} --direct {v}", {0}),
    "traffic": ("traffic {e} {v}=100", {0, REFUSED}),
    "mirror": ("mirror {e} {v}=10", {REFUSED}),
}
"""The words of each command, and how it may end: never with "there is no such version"."""

ELSEWHERE = {"invoke --deployment"}
"""The data plane reads that: ``test_pins_by_part``."""


def named() -> Cli:
    """Version 1 serves and is called blue, 2 is at 5 % and called green; each wrote a log line."""
    cli = Cli()
    cli.endpoint.serve("risk-1")
    cli.endpoint.release("risk-2", plan=PLAN)
    cli.endpoint.tick_until(Phase.OBSERVING)
    for version, name in (("1", "blue"), ("2", "green")):
        assert cli("deployments", "name", NAME, version, name, "--message", "so").code == 0
    now = cli.endpoint.world.clock.now()
    for version in ("1", "2"):
        stream = f"2026/01/01/[{version}]{version * 32}"
        cli.endpoint.world.logs.write(NAME, stream, now, f"by version {version}")
    return cli


def run(command: str, version: str) -> tuple[int, str, str]:
    """The exit code, what is printed, and what went on record last."""
    cli = named()
    ran = cli(*TABLE[command][0].format(e=NAME, v=version).split(), "--json")
    last = cli.endpoint.history[-1]
    return ran.code, ran.err or ran.out, f"{last.action} {dict(last.numbers)}"


@pytest.mark.parametrize("said", NAMES)
@pytest.mark.parametrize("command", TABLE)
def test_a_version_is_called_by_any_of_its_names(command, said):
    code, printed, record = run(command, said)
    assert code in TABLE[command][1], printed
    by_number = run(command, NAMES[said])
    assert (code, record) == (by_number[0], by_number[2])
    if code == 0:
        assert printed == by_number[1]


@pytest.mark.parametrize("command", TABLE)
def test_a_name_that_is_nobody_s_is_an_error_that_names_it(command):
    ran = named()(*TABLE[command][0].format(e=NAME, v="teal").split())
    assert ran.code == 3, ran.err
    assert "'teal'" in ran.err


def _parameters(command, words=""):
    for name, inner in getattr(command, "commands", {}).items():
        yield from _parameters(inner, f"{words} {name}".strip())
    for parameter in command.params:
        yield words, parameter


def test_no_command_is_left_out():
    """Found by what the help calls the argument."""
    taking = set()
    for arguments, parameter in _parameters(typer.main.get_command(app)):
        metavar = str(parameter.metavar or "").upper()
        option = next((o for o in parameter.opts if o.startswith("--")), "")
        named_so = option in ("--version", "--to") and arguments
        if named_so or "VERSION" in metavar or "DEPLOYMENT" in metavar:
            taking.add((arguments, option))
    rows = {*TABLE, *ELSEWHERE}
    missing = [t for t in taking if t[0] not in rows and f"{t[0]} {t[1]}" not in rows]
    assert not missing
    assert {row.split(" --")[0] for row in rows} <= {arguments for arguments, _ in taking}
