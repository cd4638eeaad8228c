"""``halftone rollback`` by the control API; test_cli_rollback.py is about ``--direct``."""

from dataclasses import replace

import pytest

from halftone.domain.errors import Unavailable
from halftone.domain.rollout.routing import Routing
from halftone_cli.control.problems import ServerFault
from tests.support.engine import NAME

WHO = "arn:aws:iam::111111111111:user/ann"


def test_it_ends_the_rollout_and_shows_what_was_read_back(rolling):
    ran = rolling("rollback", NAME, "--message", "scores drift")

    assert ran.code == 0
    assert rolling.endpoint.alias == Routing("1")
    assert "alias, read back: 100 % version 1; as recorded\n" in ran.out
    fence = rolling.endpoint.history[-2]
    assert (fence.action, fence.actor) == ("fence", WHO)
    assert fence.reason == "aborted: scores drift"


def test_without_a_rollout_it_returns_to_the_version_before(cli):
    for model in ("risk-1", "risk-2", "risk-3"):
        cli.endpoint.serve(model)

    assert cli("rollback", NAME).code == 0
    assert cli.endpoint.champion == "2"
    assert cli("rollback", NAME, "--to", "1", "--json").code == 0
    assert cli.endpoint.alias == Routing("1")


def test_to_an_earlier_version_also_ends_the_rollout_under_way(cli):
    cli.endpoint.serve("risk-1")
    cli.endpoint.serve("risk-2")
    cli.endpoint.release("risk-3")

    assert cli("rollback", NAME, "--to", "1").code == 0

    assert cli.endpoint.actions[-4:] == ["fence", "rolled-back", "return", "rolled-back"]
    assert cli.endpoint.alias == Routing("1")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ((NAME,), 4, "version 1 is the first that 'fraud' was served by"),
        ((NAME, "--to", "1"), 4, "version 1 serves 'fraud' already"),
        ((NAME, "--to", "9"), 3, "there is no version '9'; 'fraud' was served by 1"),
        ((NAME, "--to", "x"), 3, "there is no deployment 'x'; 'fraud' has 1"),
        (("nope",), 3, "there is no endpoint 'nope'; `halftone endpoints list` shows which"),
        (("No!",), 2, "ENDPOINT is 'No!', expected 1 to 32 of a-z"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(cli, words, code, told):
    cli.endpoint.serve("risk-1")
    before = cli.endpoint.state

    ran = cli("rollback", *words)

    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith(f"error: {told}")
    assert cli.endpoint.state == before


def test_on_a_terminal_no_is_an_answer(rolling):
    rolling.interactive = True
    before = rolling.endpoint.state

    ran = rolling("rollback", NAME, typed="n\n")

    assert ran.code == 1
    assert ran.err.startswith("End the rollout of risk-2@")
    assert "(observing at 5 %), so that version 1 alone answers? [y/N]" in ran.err
    assert rolling.endpoint.state == before


@pytest.mark.parametrize("moment", range(3, 9))
def test_a_rollout_that_ended_meanwhile_leads_no_further_back(cli, moment):
    cli.endpoint.serve("risk-1")
    cli.endpoint.serve("risk-2")
    cli.endpoint.release("risk-3")
    ports, request = cli.endpoint.ports, []

    class Busy:
        """A store: after the rollout was looked at, an alarm ends it."""

        def __getattr__(self, name):
            return getattr(ports.store, name)

        def load(self, name):
            state = ports.store.load(name)
            request.append(name)
            if len(request) == moment:
                cli.endpoint.tick()
                cli.endpoint.tick()
                cli.endpoint.trip()
                cli.endpoint.tick()
            return state

    cli.ports = replace(ports, store=Busy())

    cli("rollback", NAME)

    assert len(request) >= moment
    assert cli.endpoint.champion == "2"


@pytest.mark.parametrize("key", ["build-1841", "k" * 100])
def test_said_again_after_ctrl_c_it_goes_no_version_further(cli, key):
    for model in ("risk-1", "risk-2"):
        cli.endpoint.serve(model)
    cli.endpoint.release("risk-3")
    cli.cut_off = True
    arguments = ("rollback", NAME, "--request", key)

    ran = cli(*arguments)

    assert ran.code == 130
    assert f"--request {key}" in ran.err
    assert cli.endpoint.champion == "2"
    cli.cut_off = False
    for _ in range(2):
        assert cli(*arguments).code == 0
        assert cli.endpoint.champion == "2"


def test_a_name_of_ones_own_does_not_stop_a_first_rollback(rolling):
    rolling("rollout", "abort", NAME, "--message", "wrong model")
    rolling.endpoint.serve("risk-3")

    assert rolling("rollback", NAME, "--request", "build-1842").code == 0
    assert rolling("rollback", NAME, "--request", "build-1842").code == 0

    assert rolling.endpoint.champion == "1"


@pytest.mark.parametrize(
    "down", [Unavailable("https://api.example did not answer"), ServerFault("its log says why")]
)
def test_without_the_api_the_way_around_it_is_told_and_works(rolling, down):
    rolling.api_down = down

    ran = rolling("rollback", NAME)

    assert (ran.code, ran.out) == (6, "")
    assert "`halftone rollback fraud --direct` does without the control API" in ran.err
    assert rolling("rollback", NAME, "--direct").code == 0
    assert rolling.endpoint.alias == Routing("1")


def test_a_rollback_takes_a_deployments_name(cli):
    for model in ("risk-1", "risk-2", "risk-3"):
        cli.endpoint.serve(model)
    assert cli("deployments", "name", NAME, "1", "teal").code == 0

    assert cli("rollback", NAME, "--to", "teal").code == 0
    assert cli.endpoint.state.champion.version == "1"
