"""Every change of what people set is in its audit record, whichever field it is."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest

from halftone.domain.endpoint.capacity import Capacity, Throttle
from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.differences import differences
from halftone.domain.endpoint.ownership import Ownership
from halftone.domain.endpoint.state import EndpointState, Placed
from halftone.domain.model.manifest import PackageRef
from halftone.domain.traffic.policy import (
    Access,
    Capture,
    Client,
    Cors,
    KeySource,
    Match,
    Mirror,
    Mode,
    Portion,
    Rule,
    StickyKey,
    TrafficPolicy,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLIENT = Client("clinic", "98649648", "d" * 64, NOW, "ann")
OTHER = {
    TrafficPolicy: {
        "mode": Mode.GUARDED,
        "access": Access.PRIVATE,
        "key": StickyKey(KeySource.HEADER, "x-user"),
        "salt": "winter",
        "rules": (Rule(Match(headers={"x-tier": ("internal",)}), "2"),),
        "split": (Portion("2", 20.0),),
        "mirror": Mirror("2", 10.0),
        "capture": Capture(5.0, ("name",)),
        "clients": (CLIENT,),
        "stopped": "migration",
        "latency_budget": timedelta(seconds=1.5),
        "label": "risk",
        "cors": Cors(("https://shop.example",)),
    },
    Capacity: {
        "description": "Is it fraud?",
        "tags": {"team": "risk"},
        "concurrency": 50,
        "throttle": Throttle(100.0, 200),
        "replicas": {"2": 3},
    },
    Ownership: {"owner": "risk", "self_approval": False},
}
NOT_SET_BY_PEOPLE = {"probation", "creator", "created_at"}
CASES = [(kind, name, value) for kind, named in OTHER.items() for name, value in named.items()]
PART = {TrafficPolicy: "serving", Capacity: "upkeep", Ownership: "about"}


def state():
    package = PackageRef("risk-1", "a" * 64)
    champion = Deployment("1", package, "s", "r-1", NOW)
    placed = (Placed("1", "1"), Placed("2", "2"))
    return EndpointState("fraud", champion=champion, placed=placed)


@pytest.mark.parametrize(("kind", "name", "value"), CASES, ids=[case[1] for case in CASES])
def test_a_field_that_changes_is_told_before_and_after(kind, name, value):
    before = state()
    part = replace(getattr(before, PART[kind]), **{name: value})
    was, now = differences(before, replace(before, **{PART[kind]: part}))
    assert was.keys() == now.keys() != set()
    assert was != now
    assert differences(before, before) == ({}, {})


def test_every_field_that_people_set_is_tried_here():
    for kind, named in OTHER.items():
        assert {f.name for f in fields(kind)} - NOT_SET_BY_PEOPLE == named.keys()


def test_names_and_stops_of_deployments_are_told():
    before = state()
    named = replace(before, placed=(Placed("1", "1"), Placed("2", "green")))
    assert differences(before, named) == ({"names": {}}, {"names": {"2": "green"}})
    stopped = replace(before, placed=(Placed("1", "1"), Placed("2", "2", "old")))
    assert differences(before, stopped)[1] == {"deployments_stopped": {"2": "old"}}


def test_no_digest_of_a_token_is_told():
    before = state()
    after = replace(before, serving=replace(before.serving, clients=(CLIENT,)))
    assert differences(before, after)[1] == {"clients": {"clinic": ["98649648"]}}


def test_another_champion_is_no_change_of_settings():
    before = state()
    after = replace(before, champion=replace(before.champion, version="2"))
    assert differences(before, after) == ({}, {})
