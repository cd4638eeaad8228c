"""Fronts that act on earlier routes reach nothing that was taken back, also without the table."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from halftone.domain.endpoint.route_table import RouteConfig
from halftone.domain.endpoint.state import Placed
from halftone.domain.errors import Unavailable
from halftone.domain.traffic.policy import (
    Match,
    Mirror,
    Mode,
    Portion,
    Probation,
    Rule,
    TrafficPolicy,
)
from halftone.serving.routing.config_cache import DECIDE_SECONDS
from tests.support.fleet import Fleet

PLACED = (Placed("1", "1"), Placed("3", "green"))
SPLIT = {"split": (Portion("3", 100.0),)}
RULE = {"rules": (Rule(Match(query={"beta": ("1",)}), "3"),)}
WATCHED = {"probation": Probation("3", datetime(2026, 1, 1, tzinfo=UTC))}
BETA = {"beta": "1"}


class Away:
    """A table that does not answer."""

    def read(self):
        raise Unavailable("the table is away")


def fleet(**serving) -> Fleet:
    """Version 1 in front; its clock stands still until a test moves it."""
    dispatch = RouteConfig("double", 3, "1", PLACED, TrafficPolicy(mode=Mode.GUARDED, **serving))
    stage = Fleet(dispatch)
    stage.now = 1000.0
    stage.clock = lambda: stage.now
    return stage


def answered(stage: Fleet, **headers: str) -> tuple[int, str]:
    answer = stage.post({"instances": [{"x": 4}]}, query=BETA, **headers)
    return answer.status, answer.version


def take_back(stage: Fleet) -> None:
    """The newest dispatch no longer names version 3; no server has read it yet."""
    serving = TrafficPolicy(mode=Mode.GUARDED)
    stage.source.dispatch = replace(stage.dispatch, revision=4, serving=serving)


@pytest.mark.parametrize("way", [SPLIT, RULE])
def test_it_answers_while_it_is_named(way):
    assert answered(fleet(**way)) == (200, "3")


@pytest.mark.parametrize("way", [SPLIT, RULE])
def test_it_sends_back_what_an_earlier_route_brings(way):
    stage = fleet(**way)
    stage.server("1")
    take_back(stage)
    assert answered(stage) == (200, "1")


@pytest.mark.parametrize("way", [SPLIT, RULE])
def test_so_it_does_where_it_read_the_earlier_route_itself(way):
    stage = fleet(**way)
    assert answered(stage) == (200, "3")
    stage.now += DECIDE_SECONDS + 1
    stage.caches["1"].refresh()  # the front alone can't know better yet
    take_back(stage)
    assert answered(stage) == (200, "1")


@pytest.mark.parametrize("way", [SPLIT, RULE])
def test_without_the_table_no_version_answers_for_long(way):
    stage = fleet(**way)
    assert answered(stage) == (200, "3")
    for server in ("1", "3"):
        stage.tables[server] = Away()
    assert answered(stage) == (200, "3")
    stage.now += DECIDE_SECONDS + 1
    assert answered(stage) == (200, "1")


def test_a_request_that_names_it_reaches_it_all_the_same():
    stage = fleet(**SPLIT)
    stage.server("1")
    take_back(stage)
    stage.change(stage.source.dispatch)
    assert answered(stage, x_halftone_deployment="3") == (200, "3")


def test_probation_is_reached_by_the_alias_until_it_goes_back():
    stage = fleet(**SPLIT, **WATCHED)
    stage.aliases["challenger"] = "3"
    assert answered(stage) == (200, "3")
    stage.aliases["challenger"] = "1"
    assert answered(stage) == (200, "1")


def test_nothing_is_scored_unseen_by_what_is_no_mirror_any_more():
    stage = fleet(mirror=Mirror("3", 100.0))
    answered(stage)
    assert [version for version, _ in stage.seen] == ["1", "3"]
    take_back(stage)
    stage.caches["3"].refresh()
    answered(stage)
    assert [version for version, _ in stage.seen] == ["1", "3", "1"]
