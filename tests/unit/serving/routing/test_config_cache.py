"""The dispatch as a model server knows it: its form, its age, and sources that fail."""

import json
from dataclasses import replace

import msgspec
import pytest

from halftone.domain.endpoint.route_table import Experiment, RouteConfig
from halftone.domain.endpoint.state import Placed
from halftone.domain.errors import Unavailable
from halftone.domain.traffic.policy import Access, Mode, TrafficPolicy
from halftone.serving.routing.config_cache import (
    AGAIN_SECONDS,
    DECIDE_SECONDS,
    OPEN_SECONDS,
    REFRESH_SECONDS,
    RouteConfigCache,
    route_config_from_json,
)


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


class Source:
    def __init__(self, dispatch):
        self.dispatch = dispatch
        self.reads = 0

    def read(self):
        self.reads += 1
        if self.dispatch is None:
            raise Unavailable("the table is away")
        return self.dispatch


def known(dispatch):
    source, clock = Source(dispatch), Clock()
    return RouteConfigCache(source, clock), source, clock


def test_fields_that_this_release_does_not_know_are_left_out():
    dispatch = RouteConfig(
        "e", 3, "1", (Placed("1", "1"),), trial=Experiment("r", "2", 0, Mode.GUARDED)
    )
    given_as = msgspec.to_builtins(dispatch)
    given_as["new"] = given_as["trial"]["newer"] = given_as["serving"]["newest"] = {"a": 1}
    del given_as["serving"]["rules"]
    assert route_config_from_json(json.dumps(given_as)) == dispatch


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        '"text"',
        "{}",
        '{"endpoint": 7, "revision": 1}',
        '{"endpoint": "e", "revision": 1, "serving": {"mode": "new"}}',
        '{"endpoint": "e", "revision": 1, "serving": {"latency_budget": "soon"}}',
        '{"endpoint": "e", "revision": 1, "placed": 7}',
        '{"endpoint": "e", "revision": 1, "trial": {"rollout": "r"}}',
    ],
)
def test_a_text_that_is_no_dispatch_is_refused(text):
    with pytest.raises(ValueError):
        route_config_from_json(text)


def test_a_dispatch_is_stale_after_two_seconds():
    newest, source, clock = known(RouteConfig("e", 1, "1"))
    assert newest.stale
    assert newest.refresh()
    assert not newest.stale
    clock.now += REFRESH_SECONDS + 0.1
    assert newest.stale
    assert newest.router("1").dispatch.revision == 1
    assert source.reads == 1, "no request waits for it"


def test_a_sandbox_that_slept_reads_again_before_it_answers():
    newest, source, clock = known(RouteConfig("e", 1, "1"))
    newest.refresh()
    clock.now += DECIDE_SECONDS - 0.1
    newest.router("1")
    assert source.reads == 1
    source.dispatch = RouteConfig("e", 2, "1", serving=TrafficPolicy(access=Access.PRIVATE))
    clock.now += 0.2
    assert newest.router("1").private, "made private while this sandbox slept"
    assert source.reads == 2


def test_a_public_endpoint_goes_on_without_its_table():
    newest, source, clock = known(RouteConfig("e", 1, "1"))
    newest.refresh()
    source.dispatch = None
    clock.now += 60
    for _ in range(20):
        assert newest.router("1").dispatch.revision == 1
        clock.now += 1
    assert source.reads == 1 + 2, "once each ten seconds"


def test_a_public_endpoint_is_open_for_a_quarter_of_an_hour():
    # Made private meanwhile, it would be open for as long as the sandbox lives.
    newest, source, clock = known(RouteConfig("e", 1, "1"))
    newest.refresh()
    source.dispatch = None
    clock.now += OPEN_SECONDS
    assert newest.router("1").dispatch.revision == 1
    clock.now += 0.1
    assert newest.router("1") is None
    source.dispatch = RouteConfig("e", 2, "1")
    clock.now += AGAIN_SECONDS + 0.1
    assert newest.router("1").dispatch.revision == 2


def test_what_a_snapshot_of_long_ago_knew_lets_nobody_in():
    newest, source, clock = known(RouteConfig("e", 1, "1"))
    newest.refresh()
    clock.now += 14 * 86400  # SnapStart: restored two weeks later, when the table is slow for once
    source.dispatch = None
    assert not newest.refresh()
    assert newest.router("1") is None


def test_after_two_failures_no_request_waits_for_a_second():
    newest, source, clock = known(
        RouteConfig("e", 1, "1", serving=TrafficPolicy(access=Access.PRIVATE))
    )
    newest.refresh()
    source.dispatch = None
    clock.now += 60
    for _ in range(20):
        assert newest.router("1") is None
        clock.now += 0.1
    assert source.reads in (3, 4), "at first twice, and then once a second"


def test_a_clock_that_was_set_back_makes_nothing_fresh():
    newest, source, clock = known(RouteConfig("e", 1, "1"))
    newest.refresh()
    clock.now -= 3600
    source.dispatch = RouteConfig("e", 2, "1", serving=TrafficPolicy(access=Access.PRIVATE))
    assert newest.fresh("1") is None
    assert newest.stale
    assert newest.router("1").private


def test_a_table_that_went_back_to_a_backup_is_followed():
    newest, source, clock = known(RouteConfig("e", 9, "2"))
    newest.refresh()
    newest.router("2")
    source.dispatch = RouteConfig("e", 4, "1")
    clock.now += 60
    assert newest.router("2").dispatch.revision == 4


def test_a_source_that_fails_leaves_the_last_one():
    newest, source, clock = known(RouteConfig("e", 1, "1"))
    newest.refresh()
    source.dispatch = None
    clock.now += 60
    assert not newest.refresh()
    assert newest.router("1").dispatch.revision == 1
    assert newest.failures == 1


def test_an_older_record_does_not_replace_a_newer_one():
    newest, source, _ = known(RouteConfig("e", 5, "1"))
    newest.refresh()
    source.dispatch = RouteConfig("e", 4, "2")
    newest.refresh()
    assert newest.router("1").dispatch.champion == "1"


def test_a_private_endpoint_reads_again_after_ten_seconds():
    private = RouteConfig("e", 1, "1", serving=TrafficPolicy(access=Access.PRIVATE))
    newest, source, clock = known(private)
    newest.refresh()
    clock.now += DECIDE_SECONDS - 0.1
    newest.router("1")
    assert source.reads == 1
    source.dispatch = replace(private, revision=2)
    clock.now += 0.2
    assert newest.router("1").dispatch.revision == 2
    assert source.reads == 2


def test_a_private_endpoint_lets_nobody_in_on_what_it_cant_read():
    private = RouteConfig("e", 1, "1", serving=TrafficPolicy(access=Access.PRIVATE))
    newest, source, clock = known(private)
    newest.refresh()
    source.dispatch = None
    clock.now += DECIDE_SECONDS - 0.1
    assert newest.router("1") is not None
    clock.now += 0.2
    assert newest.router("1") is None
    source.dispatch = replace(private, revision=2)
    assert newest.router("1").dispatch.revision == 2


def test_without_any_dispatch_nobody_knows_who_may_call():
    newest, source, clock = known(None)
    newest.refresh()
    assert newest.router("1") is None
    source.dispatch = RouteConfig("e", 1, "1")
    clock.now += AGAIN_SECONDS + 0.1
    assert newest.router("1").dispatch.revision == 1


def test_a_router_is_made_once_a_dispatch():
    newest, *_ = known(RouteConfig("e", 1, "1"))
    newest.refresh()
    assert newest.router("1") is newest.router("1")
    assert newest.router("2") is not newest.router("1")
