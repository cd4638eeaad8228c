"""Record and alias disagree: which repair is the safer one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halftone.domain.rollout.decide import Agreed, Restore, Yield, compare
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import UNRELEASED, Routing
from halftone.domain.traffic.policy import Mode
from tests.support.rollouts import rollout

HOME, CALLED = Routing("1"), Routing("2")
WATCHED = rollout(phase=Phase.OBSERVING, stage=1, share=50.0, target=50.0)
SHIFTING = rollout(phase=Phase.SHIFTING, share=5.0, target=50.0)


def split(share: float) -> Routing:
    return Routing.split("1", "2", share)


@pytest.mark.parametrize(
    ("given_rollout", "actual", "found"),
    [
        (WATCHED, split(50.0), Agreed()),
        (WATCHED, Routing("2", "1", 50.0), Agreed()),
        (SHIFTING, split(5.0), Agreed()),
        (SHIFTING, split(50.0), Agreed()),
        (rollout(phase=Phase.SHIFTING, share=95.0, target=100.0), Routing("2"), Agreed()),
    ],
)
def test_what_the_record_says_is_agreement(given_rollout, actual, found):
    assert compare(given_rollout, actual, CALLED) == found


@pytest.mark.parametrize("given_rollout", [WATCHED, SHIFTING])
@pytest.mark.parametrize("share", [0.0, 1.0])
def test_traffic_that_was_taken_back_is_not_given_again(given_rollout, share):
    assert isinstance(compare(given_rollout, split(share), CALLED), Yield)


@pytest.mark.parametrize("actual", [Routing("7"), Routing("1", "7", 5.0), Routing("$LATEST")])
def test_a_version_that_is_neither_of_the_two_ends_the_rollout(actual):
    assert isinstance(compare(WATCHED, actual, CALLED), Yield)


@pytest.mark.parametrize("share", [60.0, 100.0])
def test_more_than_the_record_allows_is_taken_back(share):
    comparison = compare(WATCHED, split(share), CALLED)
    assert isinstance(comparison, Restore)
    assert comparison.routing == split(50.0)
    assert f"{share:g} %" in comparison.reason


@given(st.sampled_from([WATCHED, SHIFTING]), st.floats(0.0, 100.0))
def test_no_repair_gives_the_challenger_more_than_the_record(given_rollout, share):
    comparison = compare(given_rollout, split(share), CALLED)
    if isinstance(comparison, Restore):
        assert comparison.routing.share_of("2") <= given_rollout.share < share


def test_a_first_release_has_nobody_to_be_compared_with():
    first = rollout(phase=Phase.SHIFTING, champion=None, stage=-1, share=0.0, target=100.0)
    assert compare(first, UNRELEASED, UNRELEASED) == Agreed()
    assert compare(first, UNRELEASED, CALLED) == Agreed()
    assert compare(first, Routing("2"), CALLED) == Agreed()


PREPARING = rollout(phase=Phase.PREPARING, stage=-1, share=0.0, target=0.0)
FIRST = rollout(phase=Phase.SHIFTING, stage=-1, share=0.0, target=5.0)


@pytest.mark.parametrize(
    ("given_rollout", "allowed"),
    [
        (PREPARING, {HOME}),
        (rollout(phase=Phase.AWAITING_APPROVAL, stage=-1, share=0.0, target=0.0), {HOME}),
        (FIRST, {HOME, CALLED}),
        (SHIFTING, {CALLED}),
        (WATCHED, {CALLED}),
    ],
)
@pytest.mark.parametrize("actual", [HOME, CALLED, Routing("7"), Routing("1", "2", 5.0), UNRELEASED])
def test_the_challengers_alias_is_at_home_until_it_takes_part(given_rollout, allowed, actual):
    live = given_rollout.routing(given_rollout.share)
    comparison = compare(given_rollout, live, actual)
    assert (comparison == Agreed()) == (actual in allowed)
    if isinstance(comparison, Restore):
        assert (comparison.alias, comparison.routing) == ("challenger", HOME)


@pytest.mark.parametrize("share", [5.0, 50.0, 95.0])
def test_a_guarded_share_is_none_of_the_live_alias(share):
    watched = rollout(mode=Mode.GUARDED, share=share, target=share)
    assert watched.routing(share) == HOME
    assert compare(watched, HOME, CALLED) == Agreed()
    comparison = compare(watched, split(share), CALLED)
    assert isinstance(comparison, Restore)
    assert (comparison.alias, comparison.routing) == ("live", HOME)


def test_a_guarded_challenger_is_live_on_its_way_to_all_traffic():
    last = rollout(mode=Mode.GUARDED, phase=Phase.SHIFTING, share=95.0, target=100.0)
    assert compare(last, Routing("2"), CALLED) == Agreed()
    assert compare(last, HOME, CALLED) == Agreed()
    early = rollout(mode=Mode.GUARDED, phase=Phase.SHIFTING, share=50.0, target=95.0)
    assert isinstance(compare(early, Routing("2"), CALLED), Restore)


def test_only_a_shift_allows_the_share_that_it_leads_to():
    watched = rollout(phase=Phase.OBSERVING, share=5.0, target=50.0)
    assert isinstance(compare(watched, split(50.0), CALLED), Restore)


OUTSIDE = "outside the engine: it reads"
TAKEN = "it was taken back outside the engine"


@pytest.mark.parametrize(
    ("compared", "live", "challenger", "repair"),
    [
        (
            WATCHED,
            split(5.0),
            CALLED,
            Yield(f"the alias gives the challenger 5 %, the record 50 %: {TAKEN}"),
        ),
        (WATCHED, Routing("7"), CALLED, Yield(f"the alias was changed {OUTSIDE} {Routing('7')}")),
        (
            SHIFTING,
            split(60.0),
            CALLED,
            Restore(
                "live",
                split(5.0),
                "the alias gives the challenger 60 %, the record allows 50 %",
            ),
        ),
        (
            WATCHED,
            split(50.0),
            HOME,
            Yield(f"the alias 'challenger' was changed {OUTSIDE} {HOME}"),
        ),
        (
            PREPARING,
            HOME,
            CALLED,
            Restore(
                "challenger",
                HOME,
                f"the alias 'challenger' reads {CALLED}, and the challenger takes no part yet",
            ),
        ),
    ],
)
def test_a_repair_says_what_was_read_and_what_is_recorded(compared, live, challenger, repair):
    assert compare(compared, live, challenger) == repair
