"""``halftone status``: what it shows, what it can't read, and how a watch ends."""

import io
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from rich.console import Console

from halftone.domain.audit import Author
from halftone.domain.errors import Unavailable
from halftone.domain.rollout.routing import Routing
from halftone.service.endpoints.retire import retire
from halftone_cli.views.tables import evidence_table
from tests.support.engine import FAILING, NAME

MINUTE = timedelta(minutes=1)


def endpoint_in(ran):
    [endpoint] = ran.json["endpoints"]
    return endpoint


def test_overview_has_one_row_for_each_endpoint(rolling):
    ran = rolling("status")

    heading, row = ran.out.splitlines()
    assert ran.code == 0
    assert heading.split()[:3] == ["endpoint", "champion", "phase"]
    assert row.startswith("fraud     1 risk-1@")
    for message in (
        "observing",
        "2 risk-2@",
        "5 %",
        "2026-01-01 00:00:00Z",
        "OK",
        "inconclusive: ",
    ):
        assert message in row


def test_a_stage_without_endpoints_says_so_on_stderr(cli):
    ran = cli("status")

    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "nothing has been released on the stage 'test' yet\n"


def test_detail_shows_plan_evidence_and_newest_records(rolling):
    out = rolling("status", "fraud").out

    assert "alias       95 % version 1, 5 % version 2; as recorded\n" in out
    assert "guardrail   OK, armed for version 2" in out
    assert "stage       1 of 3, since 2026-01-01 00:00:00Z\n" in out
    assert "\n1 <-    5 %    1m        10m      100       -\n" in out
    assert "\nlate      0 of 150" in out
    assert "\nstage requests 150, least requests 100, e worse 1, e needed 20" in out
    assert "8    2026-01-01 00:00:00Z  halftone  shifted" in out
    assert "\n3    " not in out, "only the newest five records belong here"


def test_evidence_is_told_under_the_names_of_the_analysis():
    result = evidence_table({"e": 3, "late": {"seen": 1, "seen_of": 9, "odds": [0.5, None]}})
    screen = Console(file=io.StringIO(), width=80)
    screen.print(result)

    heading, row = screen.file.getvalue().splitlines()
    assert heading.split() == ["evidence", "seen", "odds"]
    assert row.rstrip() == "late      1 of 9  0.5 to -"


def test_json_carries_numbers_for_programs(rolling):
    view = endpoint_in(rolling("status", "fraud", "--json"))

    assert view["champion"]["version"] == "1"
    assert view["alias"] == {
        "main": "1",
        "other": "2",
        "share": 5.0,
        "agrees": True,
        "disagreement": "",
    }
    assert view["guardrail"]["armed_for"] == "2"
    assert (view["rollout"]["phase"], view["rollout"]["stage"]) == ("observing", 1)
    assert view["verdict"]["numbers"]["stage_requests"] == 150
    assert [record["seq"] for record in view["audit"]] == [4, 5, 6, 7, 8]


def test_before_any_release_is_under_way_there_is_no_verdict(cli):
    cli.endpoint.serve("risk-1")

    view = endpoint_in(cli("status", "fraud", "--json"))

    assert view["verdict"] is None
    assert view["rollout"]["over"] is True


@pytest.mark.parametrize(
    ("routing", "told"),
    [
        (Routing("1"), "it was taken back outside the engine"),
        (Routing("1", "2", 40.0), "the record allows 5 %"),
        (Routing("1", "9", 5.0), "the alias was changed outside the engine"),
    ],
)
def test_an_alias_that_differs_from_the_record_is_told(rolling, routing, told):
    rolling.endpoint.world.functions.routings[NAME] = routing

    assert told in rolling("status").out
    assert told in rolling("status", "fraud").out
    assert endpoint_in(rolling("status", "--json"))["alias"]["agrees"] is False


def test_an_alias_that_left_the_champion_is_told(cli):
    cli.endpoint.serve("risk-1")
    cli.endpoint.world.functions.routings[NAME] = Routing("7")

    disagreement = endpoint_in(cli("status", "--json"))["alias"]["disagreement"]

    assert disagreement == "the alias reads 100 % version 7, the record version 1"


class Unreadable:
    """A port whose every read fails."""

    def __init__(self, port, what):
        self._port, self._what = port, what

    def __getattr__(self, name):
        return getattr(self._port, name)

    def read(self, endpoint):
        raise Unavailable(f"AWS refused while reading the {self._what} of {endpoint!r}")


def test_what_cannot_be_read_is_said_and_the_rest_shown(rolling):
    ports = rolling.endpoint.ports
    rolling.ports = replace(ports, guardrails=Unreadable(ports.guardrails, "alarms"))

    ran = rolling("status", "fraud", "--json")

    assert ran.code == 0
    view = endpoint_in(ran)
    assert view["guardrail"] is None
    assert view["faults"] == ["AWS refused while reading the alarms of 'fraud'"]
    assert view["alias"]["share"] == 5.0
    assert "not read    AWS refused while reading the alarms" in rolling("status", "fraud").out


def test_a_retired_endpoint_has_neither_alias_nor_faults(rolling):
    retire(rolling.endpoint.ports, NAME, author=Author("ann", "its stack was deleted"), key="k")

    view = endpoint_in(rolling("status", "--json"))

    assert (view["champion"], view["alias"], view["faults"]) == (None, None, [])


def test_texts_of_others_are_neither_markup_nor_terminal_codes(rolling):
    rolling.endpoint.trip("[red]model said \x1b[2J\nbad[/red]")
    rolling.endpoint.tick()

    out = rolling("status").out

    assert "[red]model said \\x1b[2J bad[/red]" in out
    assert "\x1b" not in out


def test_an_unknown_endpoint_is_told_with_the_known_ones(rolling):
    ran = rolling("status", "nope", "--json")

    assert (ran.code, ran.out) == (3, "")
    assert ran.err == "error: there is no endpoint 'nope'; released to so far: fraud\n"


def promote(cli):
    """Lets a minute of healthy traffic pass whenever the command waits."""

    def wait():
        cli.endpoint.traffic(MINUTE)
        cli.endpoint.tick()

    return wait


def test_until_done_exits_0_when_the_challenger_was_promoted(rolling):
    rolling.while_waiting = promote(rolling)

    ran = rolling("status", "fraud", "--until-done")

    assert ran.code == 0
    assert "observing 2 risk-2@" in ran.out.splitlines()[0]
    assert "promoted 2 risk-2@" in ran.out.splitlines()[-1]
    assert set(rolling.naps) == {2.0}


def test_until_done_exits_1_when_it_was_rolled_back(rolling):
    def wait():
        rolling.endpoint.traffic(MINUTE, challenger=FAILING)
        rolling.endpoint.tick()

    rolling.while_waiting = wait

    ran = rolling("status", "fraud", "--until-done")

    assert ran.code == 1
    assert "rolled_back" in ran.out.splitlines()[-1]
    assert "regression proven" in ran.out.splitlines()[-1]


def test_until_done_knows_how_a_rollout_with_a_follower_ended(rolling):
    def wait():
        rolling.promote()
        rolling.endpoint.release("risk-3")

    rolling.while_waiting = wait

    assert rolling("status", "fraud", "--until-done").code == 0

    rolling.while_waiting = lambda: rolling.endpoint.release("risk-4")

    assert rolling("status", "fraud", "--until-done").code == 1


def test_a_watch_with_json_prints_one_document_per_change(rolling):
    naps = []

    def wait():
        naps.append(1)
        if len(naps) > 3:  # three looks at which nothing has changed
            promote(rolling)()

    rolling.while_waiting = wait

    ran = rolling("status", "fraud", "--until-done", "--json")

    documents = [json.loads(line) for line in ran.out.splitlines()]
    phases = [document["endpoints"][0]["rollout"]["phase"] for document in documents]
    assert phases[0] == "observing"
    assert phases[-1] == "promoted"
    assert len(documents) <= len(rolling.naps) - 3 + 1


def test_a_watch_outlives_a_look_that_is_not_answered(rolling):
    ports = rolling.endpoint.ports

    class Flaky:
        """A store that fails once, at the first look after the start."""

        failures = 0

        def __getattr__(self, name):
            return getattr(ports.store, name)

        def load(self, endpoint):
            if rolling.naps and not self.failures:
                self.failures += 1
                raise Unavailable("the table did not answer")
            return ports.store.load(endpoint)

    rolling.ports = replace(ports, store=Flaky())
    rolling.while_waiting = promote(rolling)

    ran = rolling("status", "fraud", "--until-done")

    assert ran.code == 0
    assert "trying again: the table did not answer\n" in ran.err


def test_on_a_terminal_a_watch_redraws_one_view(rolling):
    rolling.while_waiting = promote(rolling)
    rolling.environment["FORCE_COLOR"] = "1"

    ran = rolling("status", "fraud", "--until-done")

    assert ran.code == 0
    assert "\x1b[1A" in ran.out, "the view moves the cursor up to draw over itself"
    assert "promoted" in ran.out


def test_ctrl_c_ends_a_watch_in_order_and_a_wait_as_interrupted(rolling):
    def interrupt():
        raise KeyboardInterrupt

    rolling.while_waiting = interrupt

    assert rolling("status", "--watch").code == 0
    assert rolling("status", "fraud", "--until-done").code == 130


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["status", "--until-done"], 2, "ENDPOINT is missing, expected one whose rollout"),
        (["status", "Fraud"], 2, "ENDPOINT is 'Fraud', expected 1 to 32 of a-z"),
    ],
)
def test_bad_input_names_the_value(rolling, words, code, told):
    ran = rolling(*words)

    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith(f"error: {told}")
