"""What AWS must say follows from the state alone, for every state that an endpoint can be in."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halftone.domain.endpoint.champions import bar, succeed
from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.projection import Watch, projection, shares
from halftone.domain.endpoint.state import EndpointState, Placed
from halftone.domain.model.manifest import PackageRef
from halftone.domain.names import ALIAS, CHALLENGER
from halftone.domain.rollout.decide import Agreed, compare
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import Plan, Stage
from halftone.domain.rollout.rollout import Rollout
from halftone.domain.rollout.routing import UNRELEASED, Anchor, Routing
from halftone.domain.traffic.policy import (
    CHAMPION,
    Match,
    Mirror,
    Mode,
    Portion,
    Probation,
    Rule,
    TrafficPolicy,
)

AT = datetime(2026, 1, 1, tzinfo=UTC)
EVERYBODY = Match()


def deployment(version: str) -> Deployment:
    return Deployment(version, PackageRef("m", version * 64), "s", f"r{version}", AT)


def endpoint(**changes) -> EndpointState:
    """Champion 3; 1 and 2 were champion before, and all of 1 to 5 are placed."""
    placed = tuple(Placed(version, version) for version in "12345")
    past = (deployment("1"), deployment("2"))
    endpoint_state = EndpointState("fraud", champion=deployment("3"), placed=placed, past=past)
    return replace(endpoint_state, **changes)


def guarded(**changes) -> EndpointState:
    return endpoint(serving=TrafficPolicy(mode=Mode.GUARDED, **changes))


def rolling(phase: Phase = Phase.OBSERVING, **changes) -> EndpointState:
    rollout = Rollout(
        id="fraud-r", plan=Plan((Stage(20.0),), bakes=False), package=PackageRef("m", "d"),
        settings="s", actor="ann", started_at=AT, champion="3", challenger="4", phase=phase,
        stage=0, share=20.0, target=20.0, stage_since=AT,
    )  # fmt: skip
    return endpoint(rollout=replace(rollout, **changes))


def test_where_nothing_rolls_out_the_champion_has_both_aliases():
    expected = projection(endpoint())
    assert (expected.live, expected.challenger, expected.watch) == (
        Routing("3"),
        Routing("3"),
        None,
    )
    assert expected.ways == {"3": (ALIAS,)}


def test_before_the_first_release_nobody_answers():
    expected = projection(EndpointState("fraud"))
    assert (expected.live, expected.challenger, expected.ways) == (UNRELEASED, UNRELEASED, {})


def test_what_is_not_watched_yet_is_not_routed():
    intended = guarded(
        split=(Portion("4", 10.0),),
        rules=(Rule(EVERYBODY, "4"), Rule(EVERYBODY, "2")),
        probation=Probation("4", AT, armed=False),
    )
    expected = projection(intended)
    assert expected.watch == Watch("4", CHALLENGER)
    assert expected.challenger == Routing("3")
    assert expected.ways.keys() == {"3", "2"}
    armed = replace(intended.serving, probation=Probation("4", AT))
    expected = projection(replace(intended, serving=armed))
    assert expected.challenger == Routing("4")
    assert expected.ways.keys() == {"3", "4", "2"}


@pytest.mark.parametrize(
    ("phase", "watch", "challenger"),
    [
        (Phase.PREPARING, Watch("4", ALIAS), "3"),
        (Phase.OBSERVING, Watch("4", ALIAS), "4"),
        (Phase.PAUSED, Watch("4", ALIAS), "4"),
        (Phase.ROLLING_BACK, None, "3"),
        (Phase.ROLLED_BACK, None, "3"),
    ],
)
def test_a_rollout_is_watched_from_its_preparation_to_its_fence(phase, watch, challenger):
    stage = -1 if phase is Phase.PREPARING else 0
    expected = projection(rolling(phase, stage=stage))
    assert (expected.watch, expected.challenger) == (watch, Routing(challenger))


@given(
    st.sampled_from(sorted(set(Phase) - {Phase.ROLLING_BACK, Phase.SHIFTING})),
    st.sampled_from(Mode),
    st.sampled_from([0.0, 20.0]),
)
def test_the_projection_is_what_a_tick_takes_for_agreement(phase, mode, share):
    share = 0.0 if phase is Phase.PREPARING else share
    state = rolling(phase, mode=mode, share=share, target=share)
    running = state.active
    if running is None:
        return
    stage = -1 if phase is Phase.PREPARING else 0
    state = replace(state, rollout=replace(running, stage=stage))
    expected = projection(state)
    assert compare(state.rollout, expected.live, expected.challenger) == Agreed()


def test_a_rule_for_the_champion_means_any_deployment_of_it():
    state = guarded(rules=(Rule(EVERYBODY, CHAMPION),))
    assert projection(state).ways == {"3": (ALIAS, "rule")}
    after = succeed(bar(state, "3", "it drifts"), deployment("2"))
    assert projection(after).ways == {"2": (ALIAS, "rule")}


WAYS = {
    "split": {"split": (Portion("3", 60.0), Portion("2", 10.0))},
    "rule": {"rules": (Rule(EVERYBODY, "3"), Rule(EVERYBODY, "2"))},
    "mirror": {"mirror": Mirror("3", 10.0)},
    "probation": {"probation": Probation("3", AT), "split": (Portion("3", 5.0),)},
}


@pytest.mark.parametrize("way", WAYS)
def test_no_way_leads_to_what_was_taken_back(way):
    state = replace(guarded(**WAYS[way]), champion=deployment("1"))
    after = bar(state, "3", "it drifts")
    expected = projection(after)
    assert "3" not in expected.ways
    assert "3" not in (expected.live.main, expected.challenger.main)
    assert expected.routes.serving.mirror is None
    assert sum(shares(after).values()) == pytest.approx(100.0)


@pytest.mark.parametrize("way", WAYS)
def test_nor_where_an_older_record_names_it(way):
    """As a record of an earlier release may: routes are held to the bars by themselves."""
    state = replace(guarded(**WAYS[way]), champion=deployment("1"))
    barred = replace(bar(endpoint(), "3", "it drifts"), serving=state.serving)
    assert "3" not in projection(replace(barred, champion=deployment("1"))).routes.named


def test_a_record_older_than_its_aliases_routes_to_the_front():
    state = replace(guarded(**WAYS["split"]), restored="it was restored")
    assert projection(state).ways == {"3": (ALIAS,)}
    assert projection(state).routes.trial is None


SPLITS = st.lists(
    st.tuples(st.sampled_from("1245"), st.sampled_from([5.0, 10.0, 20.0])),
    max_size=3,
    unique_by=lambda portion: portion[0],
)


@given(SPLITS, st.sampled_from([0.0, 20.0, 50.0]), st.sampled_from([None, "1", "2", "5"]))
def test_shares_sum_to_100_whoever_is_champion_next(split, share, champion):
    portions = tuple(Portion(version, part) for version, part in split)
    state = guarded(split=portions)
    running = rolling(mode=Mode.GUARDED, share=share, target=share).rollout
    if champion:
        state = succeed(bar(state, "3", "it drifts"), deployment(champion))
    else:
        state = replace(state, rollout=running)
    assert sum(shares(state).values()) == pytest.approx(100.0)


def test_a_challenger_gets_its_share_of_what_the_split_leaves():
    state = replace(
        guarded(split=(Portion("2", 50.0),)),
        rollout=rolling(mode=Mode.GUARDED, share=20.0, target=20.0).rollout,
    )
    assert shares(state) == {"3": 40.0, "2": 50.0, "4": 10.0}


def test_shares_are_those_of_the_alias_as_it_was_read():
    assert shares(endpoint(), Routing("1")) == {"1": 100.0}
    assert shares(guarded(stopped="maintenance")) == {}


@given(
    st.integers(1, 10**9), st.integers(0, 10**9), st.sampled_from(["", "a" * 49]),
    st.sampled_from([None, AT, AT.replace(microsecond=123456)]),
)  # fmt: skip
def test_an_anchor_reads_back_and_fits_into_a_description(revision, seq, rollout, armed):
    anchor = Anchor(revision, replace(endpoint().audit, seq=seq), rollout, armed)
    assert Anchor.read(str(anchor)) == anchor
    assert len(str(anchor)) <= 256


@pytest.mark.parametrize("text", ["", "the live alias", "halftone: revision x, audit 1 ab"])
def test_any_other_description_is_no_anchor(text):
    assert Anchor.read(text) is None
