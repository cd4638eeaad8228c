"""What the model servers are told of an endpoint, by the state it is in."""

from datetime import timedelta

import pytest

from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.route_table import Experiment, route_config_of
from halftone.domain.endpoint.state import EndpointState, Placed
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import Plan, Stage
from halftone.domain.traffic.policy import Match, Mode, TrafficPolicy
from tests.support.rollouts import START, rollout

INTERNAL = Match(addresses=("10.0.0.0/8",))
SCORED = Stage(0.0, mirror=10.0, match=INTERNAL, min_time=timedelta(minutes=5))
PLAN = Plan((SCORED, Stage(5.0), Stage(20.0)), bakes=False)
TAKES_PART = {
    Phase.SHIFTING, Phase.OBSERVING, Phase.AWAITING_APPROVAL, Phase.PAUSED, Phase.BAKING,
}  # fmt: skip


def state(**changes):
    """An endpoint on which version 1 serves and a guarded rollout of version 2 is under way."""
    fields = {"stage": 1, "share": 0.0, "target": 0.0, **changes}
    running = rollout(plan=PLAN, mode=Mode.GUARDED, **fields)
    champion = Deployment("1", running.package, "s1", "r0", START)
    placed = (Placed("1", "blue"), Placed("2", "2"))
    return EndpointState(
        "fraud", 7, champion, running, serving=TrafficPolicy(salt="x"), placed=placed
    )


def test_what_is_placed_and_served_is_told_with_the_revision():
    route_config = route_config_of(state())
    assert (route_config.endpoint, route_config.revision, route_config.champion) == (
        "fraud",
        7,
        "1",
    )
    assert route_config.placed == (Placed("1", "blue"), Placed("2", "2"))
    assert route_config.serving == TrafficPolicy(salt="x")


@pytest.mark.parametrize("phase", Phase)
def test_the_trial_is_told_while_the_challenger_takes_part(phase):
    trial = route_config_of(state(phase=phase, stage=2, share=20.0, since=5.0)).trial
    if phase in TAKES_PART:
        assert trial == Experiment(
            rollout().id, "2", 2, Mode.GUARDED, share=20.0, since=5.0, began=START
        )
    else:
        assert trial is None


def test_a_mirror_step_tells_its_share_and_who_is_meant():
    trial = route_config_of(state(phase=Phase.OBSERVING, stage=0, mirror=10.0)).trial
    assert trial is not None
    assert (trial.share, trial.mirror, trial.match) == (0.0, 10.0, INTERNAL)


def test_nothing_is_sent_on_before_the_first_share_is_on_record():
    assert route_config_of(state(phase=Phase.SHIFTING, stage=-1, target=5.0)).trial is None


def test_a_share_on_its_way_up_is_told_once_it_is_on_record():
    trial = route_config_of(state(phase=Phase.SHIFTING, stage=1, share=5.0, target=20.0)).trial
    assert trial is not None
    assert trial.share == 5.0


def test_of_an_endpoint_without_a_champion_nothing_is_told():
    assert route_config_of(EndpointState("fraud", 1)).champion is None
