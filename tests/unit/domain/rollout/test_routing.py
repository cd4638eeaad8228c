"""What an alias can say, and what share of traffic it means for each version."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halftone.domain.rollout.routing import UNRELEASED, Routing

SHARES = st.floats(0.01, 99.99)


@pytest.mark.parametrize(
    ("champion", "share", "routing"),
    [
        ("1", 0.0, Routing("1")),
        ("1", 5.0, Routing("1", "2", 5.0)),
        ("1", 100.0, Routing("2")),
        (None, 100.0, Routing("2")),
        (None, 0.0, UNRELEASED),
    ],
)
def test_a_split_is_one_version_at_its_ends(champion, share, routing):
    assert Routing.split(champion, "2", share) == routing


def test_a_share_needs_a_champion_to_share_with():
    with pytest.raises(ValueError, match="no champion to share traffic with at 5"):
        Routing.split(None, "2", 5.0)


@pytest.mark.parametrize(
    ("other", "share"), [("2", 0.0), (None, 5.0), ("2", -1.0), ("2", 100.1), ("2", float("nan"))]
)
def test_a_routing_that_contradicts_itself_can_not_be_made(other, share):
    with pytest.raises(ValueError, match="share"):
        Routing("1", other, share)


@given(SHARES)
def test_shares_add_up_to_everything(share):
    routing = Routing.split("1", "2", share)
    assert routing.share_of("2") == share
    assert routing.share_of("1") + routing.share_of("2") == pytest.approx(100.0)
    assert routing.share_of("3") == routing.share_of(None) == 0.0
