"""``halftone rollout watch``: a rollout told line by line, and how the watching ends."""

import json
from datetime import timedelta

from tests.support.engine import FAILING, NAME

MINUTE = timedelta(minutes=1)


def flow(cli, **arms):
    """Lets a minute of traffic pass whenever the command waits."""

    def wait():
        cli.endpoint.traffic(MINUTE, **arms)
        cli.endpoint.tick()

    return wait


def test_it_tells_each_record_and_verdict_until_the_promotion(rolling):
    rolling.while_waiting = flow(rolling)

    ran = rolling("rollout", "watch", NAME)

    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0].startswith("2026-01-01 00:00:00Z     0 %  release: release of risk-2@")
    assert lines[0].endswith(" (by ann)")
    assert "     5 %  shifted: the alias reads 5 %" in lines[3]
    assert "     5 %  inconclusive: errors not proven harmless yet: errors 0 of 150" in lines[4]
    assert lines[-1].endswith("   100 %  promoted: the alias reads 100 %")
    assert len(lines) == len(set(lines)), "nothing is told twice"


def test_it_tells_the_proof_of_a_regression_and_exits_1(rolling):
    rolling.while_waiting = flow(rolling, challenger=FAILING)

    ran = rolling("rollout", "watch", NAME)

    assert ran.code == 1
    assert "     5 %  fence: regression proven: e-value " in ran.out
    assert "     0 %  rolled-back: regression proven: " in ran.out.splitlines()[-1]


def test_as_json_it_prints_what_status_prints_a_document_a_line(rolling):
    rolling.while_waiting = flow(rolling)

    documents = [
        json.loads(line) for line in rolling("rollout", "watch", NAME, "--json").out.splitlines()
    ]

    assert documents[-1]["endpoints"][0]["rollout"]["phase"] == "promoted"


def test_ctrl_c_ends_the_watching_and_says_how_to_go_on(rolling):
    def interrupt():
        raise KeyboardInterrupt

    rolling.while_waiting = interrupt
    before = rolling.endpoint.state

    ran = rolling("rollout", "watch", NAME)

    assert ran.code == 130
    assert ran.err.startswith("no longer watching; the rollout goes on by itself: ")
    assert "`halftone rollout watch fraud` shows it again" in ran.err
    assert rolling.endpoint.state == before


def test_without_a_rollout_there_is_nothing_to_watch(rolling):
    assert rolling("rollout", "watch", "nope").code == 3


def test_it_watches_until_the_phase_that_is_waited_for(rolling):
    rolling.while_waiting = flow(rolling)

    ran = rolling("rollout", "watch", NAME, "--until", "baking")

    assert (ran.code, rolling.endpoint.phase) == (0, "baking")
    assert rolling("rollout", "watch", NAME, "--until", "nonsense").code == 2


def test_a_phase_that_never_comes_ends_with_the_rollout(rolling):
    rolling.while_waiting = flow(rolling, challenger=FAILING)

    assert rolling("rollout", "watch", NAME, "--until", "baking").code == 1
