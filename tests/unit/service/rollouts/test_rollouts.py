"""A challenger's way to all traffic, or back to none, told in commands and outcomes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from halftone.domain.rollout.evidence import Arm
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import OnInconclusive
from halftone.domain.rollout.routing import Routing
from tests.support.engine import FAILING, NAME, SILENT, Endpoint
from tests.support.rollouts import MINUTE, PLAN

HALF_HOUR = 30 * MINUTE


@pytest.fixture
def endpoint():
    """m1 serves as version 1."""
    endpoint = Endpoint()
    endpoint.serve("m1")
    return endpoint


@pytest.fixture
def watched(endpoint):
    """m2 is watched at 5 % as version 2."""
    endpoint.release("m2")
    endpoint.tick_until(Phase.OBSERVING)
    return endpoint


def test_a_good_challenger_goes_step_by_step_to_all_traffic(endpoint):
    rollout = endpoint.release("m2")
    shares = []
    for _ in range(60):
        tick = endpoint.tick(rollout.id)
        share = endpoint.alias.share_of("2")
        if not shares or shares[-1] != share:
            shares.append(share)
        if tick.done:
            break
        endpoint.traffic(timedelta(seconds=10))
    assert shares == [0.0, 5.0, 50.0, 95.0, 100.0]
    assert endpoint.phase is Phase.PROMOTED
    assert endpoint.champion == "2"
    assert endpoint.actions[4:] == [
        "release", "published", "admitted",
        "shifted", "advance", "shifted", "advance", "shifted", "advance", "promoted",
    ]  # fmt: skip


def test_an_advance_is_on_record_with_its_numbers(watched):
    watched.traffic(2 * MINUTE)
    watched.tick()
    advance = next(record for record in watched.history if record.action == "advance")
    assert advance.numbers["stage_requests"] == 600
    assert (advance.numbers["from"], advance.numbers["to"]) == (5.0, 50.0)
    assert advance.reason.startswith("no worse than the champion")


def test_the_next_step_is_not_taken_before_its_least_time(watched):
    watched.traffic(timedelta(seconds=50))
    tick = watched.tick()
    assert (tick.done, tick.reason) == (False, "50s of at least 1m at 5 %")
    assert watched.alias == Routing("1", "2", 5.0)


def test_a_challenger_that_proves_worse_is_taken_back(watched):
    watched.traffic(timedelta(seconds=30), FAILING)
    watched.tick()
    assert watched.phase is Phase.ROLLED_BACK
    assert watched.alias == Routing("1")
    fence = next(record for record in watched.history if record.action == "fence")
    assert fence.reason.startswith("regression proven: e-value")
    assert fence.numbers["errors"]["challenger"] == 75


def test_an_alarm_that_nobody_heard_of_is_seen_by_the_next_tick(watched):
    watched.trip("errors-rate: 40 % over 5 %")
    watched.tick()
    assert watched.phase is Phase.ROLLED_BACK
    assert watched.alias == Routing("1")
    assert watched.rollout.reason == "guardrail in alarm: errors-rate: 40 % over 5 %"


@pytest.mark.parametrize("word", ["hold", "promote"])
def test_a_challenger_without_traffic_is_held_for_ever(endpoint, word):
    endpoint.release("m2", plan=replace(PLAN, on_inconclusive=OnInconclusive(word)))
    endpoint.tick_until(Phase.OBSERVING)
    endpoint.traffic(HALF_HOUR, SILENT)
    tick = endpoint.tick()
    assert tick.reason.startswith(
        "held, lost_traffic after 10m at 5 %: the challenger does not get the share it was given: "
    )
    assert tick.reason.endswith(" where 5 % were due; lately 0 of the last 950")
    assert endpoint.alias == Routing("1", "2", 5.0)


UNCLEAR = Arm(requests=2, errors=0, timed=0, late=0)
UNSURE = Arm(requests=50, errors=0, timed=0, late=0)
UNHURRIED = replace(
    PLAN, stages=(replace(PLAN.stages[0], max_time=2 * HALF_HOUR), *PLAN.stages[1:])
)


@pytest.mark.parametrize(
    ("word", "phase", "alias"),
    [
        ("hold", Phase.OBSERVING, Routing("1", "2", 5.0)),
        ("promote", Phase.OBSERVING, Routing("1", "2", 50.0)),
        ("rollback", Phase.ROLLED_BACK, Routing("1")),
    ],
)
def test_the_plans_word_decides_what_stays_unclear(endpoint, word, phase, alias):
    endpoint.release("m2", plan=replace(PLAN, on_inconclusive=OnInconclusive(word)))
    endpoint.tick_until(Phase.OBSERVING)
    endpoint.traffic(10 * MINUTE, UNCLEAR, UNCLEAR)
    endpoint.tick()
    assert (endpoint.phase, endpoint.alias) == (phase, alias)


@pytest.mark.parametrize("few", [SILENT, replace(UNCLEAR, requests=11)], ids=["none", "a fifth"])
@pytest.mark.parametrize("span", [MINUTE, HALF_HOUR], ids=["at once", "late"])
def test_no_word_of_the_plan_stands_in_for_traffic_that_is_lost(endpoint, few, span):
    """Also where it was there for half an hour before, and where its requests suffice."""
    endpoint.release("m2", plan=replace(UNHURRIED, on_inconclusive=OnInconclusive.PROMOTE))
    endpoint.tick_until(Phase.OBSERVING)
    endpoint.traffic(span, UNSURE, UNSURE)
    endpoint.tick()
    endpoint.traffic(2 * HALF_HOUR, few, UNSURE)
    tick = endpoint.tick()
    assert (endpoint.phase, endpoint.rollout.share) == (Phase.OBSERVING, 5.0)
    assert tick.reason.startswith("held, lost_traffic after ")


def test_silence_is_taken_back_where_the_plan_says_so(endpoint):
    endpoint.release("m2", plan=replace(PLAN, on_inconclusive=OnInconclusive.ROLLBACK))
    endpoint.tick_until(Phase.OBSERVING)
    endpoint.traffic(10 * MINUTE, SILENT)
    endpoint.tick()
    assert endpoint.phase is Phase.ROLLED_BACK


def test_a_challenger_that_fails_its_samples_never_gets_traffic(endpoint):
    endpoint.offer("m2", {"statusCode": 200, "body": '{"predictions": [{"y": 7.0}]}'})
    endpoint.release("m2")
    endpoint.tick_until(Phase.FAILED)
    assert endpoint.alias == Routing("1")
    assert endpoint.champion == "1"
    assert endpoint.rollout.reason == (
        "sample 1 of 1: predictions[0].y is 7.0, expected 2.0 within 2e-06"
    )


def test_a_deploy_that_rewrote_the_alarms_is_noticed_and_mended(watched):
    watched.world.guardrails.arm(NAME, "none", "a deploy put the template's value back")
    watched.tick()
    assert watched.armed_for == "2"
    assert watched.alias == Routing("1", "2", 5.0)


def test_a_tick_for_a_rollout_that_is_over_does_nothing(watched):
    before = watched.state
    over = watched.tick("fraud-somebody-elses")
    assert (over.done, over.reason) == (True, "nothing to do")
    assert watched.state == before


def test_a_tick_for_an_unreleased_endpoint_does_nothing():
    tick = Endpoint().tick()
    assert (tick.done, tick.phase) == (True, None)


def test_ticks_thin_out_as_a_rollout_ages(watched):
    assert watched.tick().wait == timedelta(seconds=10)
    watched.traffic(timedelta(hours=10), SILENT)
    assert watched.tick().wait == timedelta(minutes=3)
