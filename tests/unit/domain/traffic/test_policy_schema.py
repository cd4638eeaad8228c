"""Serving settings as people write them: read, refused, and written again."""

from datetime import timedelta

import pytest

from halftone.domain.endpoint.spec import load_spec
from halftone.domain.errors import InvalidInput
from halftone.domain.traffic.policy import (
    Access,
    Capture,
    Cors,
    KeySource,
    Match,
    Mirror,
    Mode,
    Portion,
    Rule,
    StickyKey,
)
from halftone.domain.traffic.policy_schema import FIELDS, defaults, dump_policy, load_policy

LEAST = {"name": "fraud", "model": "models/champion"}
GIVEN = {
    "mode": "guarded",
    "access": "private",
    "key": {"header": "X-User"},
    "salt": "s",
    "rules": [{"match": {"headers": {"X-Tier": "gold"}, "addresses": ["10.0.0.0/8"]}, "to": 3}],
    "traffic": {"champion": "90 %", "green": 10},
    "mirror": {"teal": 5.5},
    "capture": {"share": 10, "redact": ["ssn", "user.name"]},
    "latency_budget": "250ms",
    "label": "risk",
    "stopped": "",
    "cors": {"origins": ["https://shop.example"], "headers": ["X-User"], "max_age": "1h"},
}
READ = {
    "mode": Mode.GUARDED,
    "access": Access.PRIVATE,
    "key": StickyKey(KeySource.HEADER, "x-user"),
    "salt": "s",
    "rules": (Rule(Match(headers={"x-tier": ("gold",)}, addresses=("10.0.0.0/8",)), "3"),),
    "traffic": (Portion("champion", 90.0), Portion("green", 10.0)),
    "mirror": Mirror("teal", 5.5),
    "capture": Capture(10.0, ("ssn", "user.name")),
    "latency_budget": timedelta(milliseconds=250),
    "label": "risk",
    "stopped": "",
    "cors": Cors(("https://shop.example",), ("x-user",), timedelta(hours=1)),
}


def test_every_field_is_read():
    assert {*GIVEN} == {*FIELDS}
    assert load_policy(GIVEN) == READ


def test_what_is_written_is_read_again():
    assert load_policy(dump_policy(READ)) == READ
    assert load_policy(dump_policy(defaults())) == defaults()


def test_short_forms_mean_what_long_ones_do():
    match = {"query": {"beta": ["1"]}, "clients": "ann"}
    assert load_policy({"capture": "10 %"}) == {"capture": Capture(10.0)}
    assert load_policy({"key": "client"}) == {"key": StickyKey(KeySource.CLIENT)}
    assert load_policy({"key": {"body": "user.id"}})["key"].name == "user.id"
    assert load_policy({"mirror": {"to": "teal", "share": 5, "match": match}}) == {
        "mirror": Mirror("teal", 5.0, Match(query={"beta": ("1",)}, clients=("ann",)))
    }
    nothing = {"key": None, "mirror": "none", "latency_budget": None, "label": "none"}
    assert load_policy(nothing) == {
        "key": None,
        "mirror": None,
        "latency_budget": None,
        "label": "",
    }


REFUSED = [
    ("auth_mode", "key", "auth_mode"),
    ("mode", "canary", "mode"),
    ("access", True, "access"),
    ("key", {"cookie": "a"}, "key"),
    ("key", {"header": "a", "query": "b"}, "key"),
    ("key", {"header": "a b"}, "key.header"),
    ("key", {"header": "Authorization"}, "key.header"),
    ("key", {"header": "Cookie"}, "key.header"),
    ("key", {"query": ""}, "key.query"),
    ("key", {"body": "a..b"}, "key.body"),
    ("salt", 5, "salt"),
    ("rules", {}, "rules"),
    ("rules", [{"match": {}, "to": "a"}], "rules[0].match"),
    ("rules", [{"match": {"hosts": "a"}, "to": "a"}], "rules[0].match.hosts"),
    ("rules", [{"match": {"headers": {"a": 1}}, "to": "a"}], "rules[0].match.headers.a"),
    ("rules", [{"match": {"clients": []}, "to": "a"}], "rules[0].match.clients"),
    ("rules", [{"match": {"addresses": "10.0.0.1/8"}, "to": "a"}], "rules[0].match.addresses"),
    ("rules", [{"match": {"clients": "a"}}], "rules[0].to"),
    ("traffic", {"a": 90}, "traffic"),
    ("traffic", {"a": 90, "b": 11}, "traffic"),
    ("traffic", {}, "traffic"),
    ("traffic", {"a": -1, "b": 101}, "traffic.a"),
    ("traffic", {"1": 50, 1: 50}, "traffic.1"),
    ("traffic", {"A b": 100}, "traffic.A b"),
    ("mirror", {"a": 1, "b": 2}, "mirror"),
    ("mirror", {"to": "a"}, "mirror.share"),
    ("mirror", {"to": "a", "share": 1, "match": {}}, "mirror.match"),
    ("mirror", 5, "mirror"),
    ("capture", 101, "capture"),
    ("capture", {"share": 5, "redact": "a"}, "capture.redact"),
    ("capture", {"redact": [""]}, "capture.redact[0]"),
    ("latency_budget", "30s", "latency_budget"),
    ("latency_budget", 250, "latency_budget"),
    ("label", 5, "label"),
    ("stopped", "x" * 201, "stopped"),
    ("salt", float("nan"), "serving"),
    ("rules", [{"match": {"clients": ["x" * 200] * 60}, "to": "a"}] * 50, "serving"),
]


@pytest.mark.parametrize(("name", "value", "field"), REFUSED, ids=lambda v: str(v)[:50])
def test_a_wrong_value_is_refused_by_its_field(name, value, field):
    with pytest.raises(InvalidInput) as caught:
        load_policy({name: value})
    assert caught.value.field == field


@pytest.mark.parametrize("value", [None, [], "guarded", {1: 2}])
def test_what_is_no_mapping_of_fields_is_refused(value):
    with pytest.raises(InvalidInput):
        load_policy(value)


def test_an_endpoint_declares_its_serving_beside_the_rest():
    spec = load_spec({**LEAST, "mode": "guarded", "capture": "10 %"})
    assert spec.serving == {"mode": "guarded", "capture": {"share": 10, "redact": []}}
    assert load_spec(LEAST).serving == {}
    with pytest.raises(InvalidInput, match="latency_budget is '11s', expected at most timeout"):
        load_spec({**LEAST, "latency_budget": "11s"})
