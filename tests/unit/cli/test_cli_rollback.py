"""``halftone rollback``: what it makes true, what it asks, and what it does in trouble."""

from dataclasses import replace

import pytest

from halftone.domain.errors import Unavailable
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import Routing
from tests.support.engine import NAME


def test_it_ends_the_rollout_and_shows_what_was_read_back(rolling):
    ran = rolling("rollback", "--direct", NAME, "--message", "scores drift")

    assert ran.code == 0
    assert rolling.endpoint.alias == Routing("1")
    assert "alias, read back: 100 % version 1; as recorded\n" in ran.out
    assert "rolled_back, scores drift\n" in ran.out
    assert "on record: 6 published, 7 admitted, 8 shifted, 9 fence, 10 rolled-back\n" in ran.out


def test_the_caller_is_the_actor_on_record(rolling):
    rolling("rollback", "--direct", NAME, "--message", "scores drift")

    fence = rolling.endpoint.history[-2]
    assert (fence.action, fence.actor, fence.reason) == ("fence", "local/ann", "scores drift")


def test_json_is_the_status_that_was_read_back(rolling):
    [endpoint] = rolling("rollback", "--direct", NAME, "--json").json["endpoints"]

    assert endpoint["rollout"]["phase"] == "rolled_back"
    assert (endpoint["alias"]["main"], endpoint["alias"]["other"]) == ("1", None)


def test_without_a_rollout_it_returns_to_the_version_before(cli):
    cli.endpoint.serve("risk-1")
    cli.endpoint.serve("risk-2")

    ran = cli("rollback", "--direct", NAME)

    assert ran.code == 0
    assert ran.out.startswith("fraud: champion is version 1 (risk-1@")
    assert cli.endpoint.alias == Routing("1")
    assert cli.endpoint.champion == "1"


def test_to_names_the_version_that_serves_again(cli):
    for model in ("risk-1", "risk-2", "risk-3"):
        cli.endpoint.serve(model)

    assert cli("rollback", "--direct", NAME, "--to", "1").code == 0

    assert cli.endpoint.alias == Routing("1")


def test_to_the_champion_of_the_rollout_under_way_only_ends_it(rolling):
    ran = rolling("rollback", "--direct", NAME, "--to", "1")

    assert ran.code == 0
    assert rolling.endpoint.actions[-2:] == ["fence", "rolled-back"]
    assert rolling.endpoint.alias == Routing("1")


def test_to_an_earlier_version_also_ends_the_rollout_under_way(cli):
    cli.endpoint.serve("risk-1")
    cli.endpoint.serve("risk-2")
    cli.endpoint.release("risk-3")

    assert cli("rollback", "--direct", NAME, "--to", "1").code == 0

    assert cli.endpoint.actions[-4:] == ["fence", "rolled-back", "return", "rolled-back"]
    assert cli.endpoint.alias == Routing("1")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ((NAME,), 4, "version 1 is the first that 'fraud' was served by"),
        ((NAME, "--to", "1"), 4, "version 1 serves 'fraud' already"),
        ((NAME, "--to", "9"), 3, "there is no version '9'; 'fraud' was served by 1"),
        (("nope",), 3, "there is no endpoint 'nope'; released to so far: fraud"),
        (("No!",), 2, "ENDPOINT is 'No!', expected 1 to 32 of a-z"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(cli, words, code, told):
    cli.endpoint.serve("risk-1")
    before = cli.endpoint.state

    ran = cli("rollback", "--direct", *words)

    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith(f"error: {told}")
    assert cli.endpoint.state == before


def test_on_a_terminal_no_is_an_answer(rolling):
    rolling.interactive = True
    before = rolling.endpoint.state

    ran = rolling("rollback", "--direct", NAME, typed="n\n")

    assert ran.code == 1
    assert "so that version 1 alone answers? [y/N]" in ran.err
    assert ran.err.endswith("nothing was changed\n")
    assert rolling.endpoint.state == before


def test_on_a_terminal_an_end_of_input_is_no(rolling):
    rolling.interactive = True

    assert rolling("rollback", "--direct", NAME, typed="").code == 1
    assert rolling.endpoint.rollout.phase == "observing"


@pytest.mark.parametrize(("words", "typed"), [((), "y\n"), (("--yes",), None)])
def test_on_a_terminal_yes_goes_ahead_and_stdout_stays_json(rolling, words, typed):
    rolling.interactive = True

    ran = rolling("rollback", "--direct", NAME, "--json", *words, typed=typed)

    assert ran.code == 0
    assert ran.json["endpoints"][0]["rollout"]["over"] is True


class Slow:
    """A table that does not answer in time: not the first ``times`` times."""

    def __init__(self, store, times):
        self._store, self.left = store, times

    def __getattr__(self, name):
        return getattr(self._store, name)

    def load(self, endpoint):
        if self.left:
            self.left -= 1
            raise Unavailable("the table did not answer")
        return self._store.load(endpoint)


def test_if_the_table_is_slow_the_alias_goes_first(rolling):
    ports = rolling.endpoint.ports
    rolling.urgent = replace(ports, store=Slow(ports.store, times=1000))

    ran = rolling("rollback", "--direct", NAME, "--json")

    assert ran.code == 0
    assert rolling.endpoint.alias == Routing("1")
    assert ran.json["endpoints"][0]["rollout"]["phase"] == "rolled_back"


def test_if_the_table_stays_silent_the_alias_is_safe(rolling):
    ports = rolling.endpoint.ports
    rolling.urgent = rolling.ports = replace(ports, store=Slow(ports.store, times=1000))

    ran = rolling("rollback", "--direct", NAME)

    assert ran.code == 6
    assert ran.err == "error: the table did not answer\n"
    assert rolling.endpoint.alias == Routing("1")


def test_a_record_that_cannot_be_shown_stops_no_rollback(rolling):
    ports = rolling.endpoint.ports
    rolling.urgent = replace(ports, store=Slow(ports.store, times=1))
    rolling.ports = ports
    rolling.interactive = True

    ran = rolling("rollback", "--direct", NAME, typed="y\n")

    assert ran.code == 0
    assert "Roll back fraud? Its record can't be read in time. [y/N] " in ran.err
    assert rolling.endpoint.alias == Routing("1")


class Meanwhile:
    """A store after whose first reading something else happens."""

    def __init__(self, store, happens):
        self._store, self._happens = store, [happens]

    def __getattr__(self, name):
        return getattr(self._store, name)

    def load(self, endpoint):
        document = self._store.load(endpoint)
        if self._happens:
            self._happens.pop()()
        return document


@pytest.fixture
def third(cli):
    """The command where risk-2 serves after risk-1, and risk-3 is at 5 %."""
    cli.endpoint.serve("risk-1")
    cli.endpoint.serve("risk-2")
    cli.endpoint.release("risk-3")
    cli.endpoint.tick_until(Phase.OBSERVING)
    return cli


def test_a_rollout_ended_by_an_alarm_does_not_lead_further_back(third):
    def alarm():
        third.endpoint.trip()
        third.endpoint.tick()

    ports = third.endpoint.ports
    third.urgent = replace(ports, store=Meanwhile(ports.store, alarm))

    assert third("rollback", "--direct", NAME).code == 0

    assert third.endpoint.alias == Routing("2")
    assert third.endpoint.actions[-1] == "rolled-back"


def test_a_rollout_promoted_meanwhile_needs_a_second_decision(third):
    ports = third.endpoint.ports
    third.urgent = replace(ports, store=Meanwhile(ports.store, third.promote))

    ran = third("rollback", "--direct", NAME)

    assert ran.code == 4
    assert "no longer has rollout fraud-" in ran.err
    assert third.endpoint.alias == Routing("3")


def test_a_rollback_whose_answer_was_lost_is_not_done_twice(third):
    ports = third.endpoint.ports

    class Deaf:
        """A store that writes, and whose word on the second write of a rollback gets lost."""

        def __getattr__(self, name):
            return getattr(ports.store, name)

        def commit(self, change):
            ports.store.commit(change)
            if change.record.action == "rolled-back":
                raise Unavailable("the table did not answer")

    third.urgent = replace(ports, store=Deaf())

    assert third("rollback", "--direct", NAME).code == 0

    assert third.endpoint.alias == Routing("2")
    assert third.endpoint.actions[-2:] == ["fence", "rolled-back"]


def test_ctrl_c_says_to_look_before_it_is_said_again(rolling):
    ports = rolling.endpoint.ports

    class Interrupted:
        """Aliases that ctrl-C keeps from being written."""

        def __getattr__(self, name):
            return getattr(ports.aliases, name)

        def write(self, *_, **__):
            raise KeyboardInterrupt

    rolling.urgent = replace(ports, aliases=Interrupted())

    ran = rolling("rollback", "--direct", NAME)

    assert ran.code == 130
    assert ran.err.startswith("interrupted: it may have been carried out or not; look at ")
    assert ran.err.count("\n") == 1


def test_a_slow_table_without_a_rollout_changes_nothing(cli):
    cli.endpoint.serve("risk-1")
    cli.endpoint.serve("risk-2")
    ports = cli.endpoint.ports
    cli.urgent = replace(ports, store=Slow(ports.store, times=1))

    ran = cli("rollback", "--direct", NAME)

    assert ran.code == 4
    assert "no longer has a rollout under way to take back" in ran.err
    assert cli.endpoint.alias == Routing("2")
