"""Record and alias disagree: which repair is the safer one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halftone.domain.decide import Agreed, Restore, Yield, compare
from halftone.domain.phase import Phase
from halftone.domain.routing import Routing
from tests.support.rollouts import rollout

WATCHED = rollout(phase=Phase.OBSERVING, stage=1, share=50.0, target=50.0)
SHIFTING = rollout(phase=Phase.SHIFTING, share=5.0, target=50.0)


def split(share: float) -> Routing:
    return Routing.split("1", "2", share)


@pytest.mark.parametrize(
    ("given_rollout", "actual", "found"),
    [
        (WATCHED, split(50.0), Agreed(50.0)),
        (WATCHED, Routing("2", "1", 50.0), Agreed(50.0)),
        (SHIFTING, split(5.0), Agreed(5.0)),
        (SHIFTING, split(50.0), Agreed(50.0)),
        (rollout(phase=Phase.SHIFTING, share=95.0, target=100.0), Routing("2"), Agreed(100.0)),
    ],
)
def test_what_the_record_says_is_agreement(given_rollout, actual, found):
    assert compare(given_rollout, actual) == found


@pytest.mark.parametrize("given_rollout", [WATCHED, SHIFTING])
@pytest.mark.parametrize("share", [0.0, 1.0])
def test_traffic_that_was_taken_back_is_not_given_again(given_rollout, share):
    assert isinstance(compare(given_rollout, split(share)), Yield)


@pytest.mark.parametrize("actual", [Routing("7"), Routing("1", "7", 5.0), Routing("$LATEST")])
def test_a_version_that_is_neither_of_the_two_ends_the_rollout(actual):
    assert isinstance(compare(WATCHED, actual), Yield)


@pytest.mark.parametrize("share", [60.0, 100.0])
def test_more_than_the_record_allows_is_taken_back_to_what_it_says(share):
    found = compare(WATCHED, split(share))
    assert isinstance(found, Restore)
    assert found.routing == split(50.0)
    assert f"{share:g} %" in found.reason


@given(st.sampled_from([WATCHED, SHIFTING]), st.floats(0.0, 100.0))
def test_no_repair_ever_gives_the_challenger_more_than_the_record(given_rollout, share):
    found = compare(given_rollout, split(share))
    if isinstance(found, Restore):
        assert found.routing.share_of("2") <= given_rollout.share < share


def test_a_first_release_has_nobody_to_be_compared_with():
    first = rollout(phase=Phase.SHIFTING, champion=None, share=0.0, target=100.0)
    assert compare(first, Routing("$LATEST")) == Agreed(0.0)
    assert compare(first, Routing("2")) == Agreed(100.0)
