"""``halftone rollout …``: each word does its one thing, is on record, and says what is true."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from halftone.domain.errors import Unavailable
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import Routing
from tests.support.engine import NAME
from tests.unit.cli.conftest import PLAN

MINUTE = timedelta(minutes=1)
WHY = ("--message", "as agreed")
WHO = "arn:aws:iam::111111111111:user/ann"


def last(cli):
    record = cli.endpoint.history[-1]
    return record.action, record.actor, record.reason


def test_pause_and_resume(rolling):
    ran = rolling("rollout", "pause", NAME, *WHY)

    assert (ran.code, rolling.endpoint.phase) == (0, Phase.PAUSED)
    assert last(rolling) == ("paused", WHO, "as agreed")
    assert "alias, read back: 95 % version 1, 5 % version 2; as recorded\n" in ran.out

    assert rolling("rollout", "resume", NAME, *WHY).code == 0
    assert rolling.endpoint.phase is Phase.OBSERVING
    assert last(rolling) == ("resumed", WHO, "as agreed")


def test_a_red_alarm_ends_a_rollout_that_is_paused(rolling):
    rolling("rollout", "pause", NAME, *WHY)

    rolling.endpoint.trip()
    rolling.endpoint.tick()

    assert rolling.endpoint.phase is Phase.ROLLED_BACK


def test_approve_opens_the_gate_that_it_waits_at(gated):
    ran = gated("rollout", "approve", NAME, *WHY, "--json")

    assert (ran.code, gated.endpoint.rollout.target) == (0, 50.0)
    assert ran.json["endpoints"][0]["rollout"]["phase"] == "shifting"
    assert last(gated) == ("approved", WHO, "as agreed")


def test_approve_names_steps_as_status_counts_them(gated):
    ran = gated("rollout", "approve", NAME, "--step", "3", *WHY)
    assert (ran.code, gated.endpoint.phase) == (4, Phase.AWAITING_APPROVAL)

    assert gated("rollout", "approve", NAME, "--step", "2", *WHY).code == 0
    gated.endpoint.tick()
    assert gated("status", NAME, "--json").json["endpoints"][0]["rollout"]["stage"] == 2

    records = len(gated.endpoint.history)
    assert gated("rollout", "approve", NAME, "--step", "2", *WHY).code == 0
    assert len(gated.endpoint.history) == records


@pytest.mark.parametrize("step", ["0", "5"])
def test_approve_refuses_a_step_that_the_plan_does_not_have(gated, step):
    ran = gated("rollout", "approve", NAME, "--step", step, *WHY)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"error: --step is {step}, expected 1 to 4\n"


def test_reject_takes_back_what_waits(gated):
    assert gated("rollout", "reject", NAME, *WHY).code == 0

    assert gated.endpoint.alias == Routing("1")
    fence = gated.endpoint.history[-2]
    assert (fence.action, fence.actor) == ("fence", WHO)
    assert fence.reason == "rejected: as agreed"


def test_promote_gives_all_traffic_by_the_next_tick(rolling):
    assert rolling("rollout", "promote", NAME, *WHY).code == 0
    assert last(rolling) == ("promote-now", WHO, "as agreed")

    rolling.endpoint.tick()

    assert (rolling.endpoint.phase, rolling.endpoint.alias) == (Phase.PROMOTED, Routing("2"))


def test_abort_ends_it_in_any_phase(rolling):
    rolling("rollout", "pause", NAME, *WHY)

    ran = rolling("rollout", "abort", NAME, *WHY)

    assert ran.code == 0
    assert rolling.endpoint.alias == Routing("1")
    assert "rolled_back, aborted: as agreed\n" in ran.out


@pytest.mark.parametrize("verb", ["promote", "abort"])
def test_what_moves_traffic_is_asked_about_on_a_terminal(rolling, verb):
    rolling.interactive = True
    before = rolling.endpoint.state

    no = rolling("rollout", verb, NAME, *WHY, typed="n\n")

    assert (no.code, no.out) == (1, "")
    assert no.err.startswith("version 2 (risk-2@")
    assert no.err.endswith("? [y/N] nothing was changed\n")
    assert rolling.endpoint.state == before
    assert rolling("rollout", verb, NAME, *WHY, typed="y\n").code == 0
    assert rolling.endpoint.state != before


@pytest.mark.parametrize("verb", ["promote", "abort"])
def test_yes_is_not_asked(rolling, verb):
    rolling.interactive = True

    ran = rolling("rollout", verb, NAME, *WHY, "--yes")

    assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize("verb", ["pause", "resume", "approve", "reject", "promote", "abort"])
def test_a_word_that_does_not_fit_is_refused_with_the_phase(cli, verb):
    cli.endpoint.release("risk-1", plan=PLAN)
    if verb == "abort":
        cli.endpoint.tick_until(Phase.PROMOTED)
    before = cli.endpoint.state

    ran = cli("rollout", verb, NAME, *WHY)

    assert (ran.code, ran.out) == (4, "")
    assert ran.err.startswith(f"error: rollout {before.rollout.id} is {before.rollout.phase}")
    assert ran.err.count("\n") == 1
    assert cli.endpoint.state == before


def test_every_word_needs_a_reason_and_an_endpoint(rolling):
    for arguments, message in (
        (("pause", NAME), "error: --message is missing, expected why it is done"),
        (
            ("pause", "nope", *WHY),
            "error: there is no endpoint 'nope'; `halftone endpoints",
        ),
        (("pause", "No!", *WHY), "error: ENDPOINT is 'No!'"),
    ):
        ran = rolling("rollout", *arguments)
        assert ran.code in (2, 3)
        assert ran.err.startswith(message)
        assert ran.err.count("\n") == 1


class Overtaken:
    """A store: right after it was first read, somebody's release supersedes the rollout."""

    def __init__(self, endpoint):
        self._endpoint, self._store, self.second = endpoint, endpoint.ports.store, None

    def __getattr__(self, name):
        return getattr(self._store, name)

    def load(self, name):
        state = self._store.load(name)
        if self.second is None:
            self.second = self._endpoint.release("risk-3", plan=PLAN)
        return state


def test_a_rollout_that_began_meanwhile_is_not_the_one_meant(rolling):
    target = rolling.endpoint.rollout.id
    store = Overtaken(rolling.endpoint)
    rolling.ports = replace(rolling.endpoint.ports, store=store)

    ran = rolling("rollout", "abort", NAME, *WHY)

    assert ran.code == 4
    assert f"is not rolling out {target}" in ran.err
    assert rolling.endpoint.rollout.id == store.second.id != target
    assert not rolling.endpoint.rollout.phase.final


def test_after_ctrl_c_the_same_request_is_carried_out_once(rolling):
    rolling.cut_off = True

    ran = rolling("rollout", "pause", NAME, *WHY)

    assert (ran.code, ran.out) == (130, "")
    assert ran.err.startswith("interrupted: it may have been carried out or not; ")
    [key] = re.findall(r"--request (\S+) ", ran.err)
    records = len(rolling.endpoint.history)
    rolling.cut_off = False
    again = rolling("rollout", "pause", NAME, *WHY, "--request", key)
    assert (again.code, rolling.endpoint.phase) == (0, Phase.PAUSED)
    assert len(rolling.endpoint.history) == records


def test_ctrl_c_before_anything_was_sent_says_so(rolling):
    rolling.api_down = KeyboardInterrupt()

    ran = rolling("rollout", "pause", NAME, *WHY)

    assert ran.code == 130
    assert ran.err == "interrupted: nothing was changed; the same command begins again\n"


def test_a_request_name_that_none_can_have_is_refused(rolling):
    ran = rolling("rollout", "pause", NAME, *WHY, "--request", "short")

    assert ran.code == 2
    assert "--request is 'short', expected 8 to 100 printable characters" in ran.err


def test_who_may_only_ask_the_api_is_told_what_that_says(rolling):
    ports = rolling.endpoint.ports

    class Closed:
        def load(self, _):
            raise Unavailable("AWS refused while reading the state: you may not")

    rolling.own = replace(ports, store=Closed())

    ran = rolling("rollout", "pause", NAME, *WHY)

    assert (ran.code, rolling.endpoint.phase) == (0, Phase.PAUSED)
    assert ran.out.startswith("fraud: Deploying, risk-2@")
    assert "as the control API tells it, because AWS refused" in ran.err
